"""Has the workers of an existing Dask cluster read parts of logs (see logparse.cli.spread)."""

import logging
import pkgutil
import re
import time
import uuid
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from operator import getitem
from pathlib import Path
from typing import Any

from distributed import Client
from distributed.client import FutureCancelledError
from distributed.scheduler import KilledWorker

from logparse import __version__
from logparse.cli.clusterwork import (
    Given,
    OtherVersion,
    Setup,
    build,
    given,
    head_of,
    messages,
    parse,
    task_of,
    unreadable,
)
from logparse.cli.error import CliError, say
from logparse.cli.worker import Message, Task
from logparse.out.units import plural
from logparse.source.error import shown
from logparse.source.parts import Part
from logparse.source.url import is_url

# Partly typed, and differently from release to release.
_connect: Any = Client

_ADDRESS = re.compile(r"(?:(?:tcp|tls|wss?|ucxx?)://)?[^/\s]+:\d{1,5}/?")

PATIENCE = 300.0
"""So long a cluster may be without workers, seconds."""
_LOOK_SECONDS = 2.0
# So many parts for each thread of the cluster are being read, or wait to be taken.
_AHEAD = 2
_LEAST = 4

KILLED = (
    "workers of the cluster died while they read a part, as they do when memory runs out; it was read here, "
    "so that nothing is missing; give them more memory"
)


class Cluster:
    """The workers of the cluster at an address; as logparse.cli.spread.Crew.

    parts: of logs, that will be read. killed: how many of them no worker survived.
    Raises CliError: it cannot be reached, or its workers cannot do this.
    """

    def __init__(self, address: str, setup: Setup, parts: Sequence[Part]) -> None:
        self.killed = 0
        self._address = shown(address)
        self._run = uuid.uuid4().hex
        self._failed: list[str] = []
        self._futures: dict[int, Any] = {}
        self._whole = {number for number, part in enumerate(parts) if part.stop is None and not part.start}
        self._looked = 0.0
        self._seen = time.monotonic()
        self._threads = 0
        # What Dask would say of a connection that is lost, in tracebacks, is said here.
        for name in list(logging.root.manager.loggerDict):
            if name.partition(".")[0] == "distributed":
                logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self._client = self._connected(address)
        self._address = shown(self._client.scheduler.address)
        try:
            self._setup = self._client.submit(Given, *given(setup), key=f"logparse-setup-{self._run}")
            self._wait_for_workers()
            self._check(parts)
        except BaseException:
            self.stop()
            raise

    def _connected(self, address: str) -> Any:
        if _ADDRESS.fullmatch(address):
            where: dict[str, str] = {"address": address}
        elif Path(address).is_file():
            where = {"scheduler_file": address}
        else:
            raise CliError(
                f"{self._address} is no address of a Dask scheduler: write it like tcp://scheduler:8786, or "
                "name its --scheduler-file"
            )
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # other versions of Python and Dask may do; ours is looked at
                return _connect(**where, set_as_default=False, name="logparse")
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise CliError(
                f"the Dask scheduler at {self._address} cannot be reached: check the address, such as "
                "tcp://scheduler:8786, and that `dask scheduler` runs there"
            ) from error

    def _wait_for_workers(self) -> None:
        """One that scales by itself starts some for the task that was submitted."""
        if self._look():
            return
        say(f"waits up to {PATIENCE:g} s for a worker of the cluster at {self._address}")
        while not self._look():
            time.sleep(0.2)

    def _check(self, parts: Sequence[Part]) -> None:
        """The workers have this release, and see the same files."""
        found = self._client.run(pkgutil.resolve_name, "logparse:__version__", on_error="return")
        others = {worker: version for worker, version in found.items() if version != __version__}
        if others:
            worker, version = next(iter(others.items()))
            raise self._wrong(f"the worker {worker}", version if isinstance(version, str) else None)
        # Of each kind of place one file.
        kinds = {part.file.partition("://")[0] if is_url(part.file) else "": part.file for part in parts}
        files = [(file, b"" if is_url(file) else head_of(file)) for file in kinds.values()]
        asked = [
            self._client.submit(
                unreadable,
                self._setup,
                files,
                workers=[worker],
                allow_other_workers=True,  # it may have gone
                key=f"logparse-look-{self._run}-{number}",
            )
            for number, worker in enumerate(found)
        ]
        try:
            reasons = self._told(self._client.gather, asked)
        except CliError:
            raise
        except Exception as error:
            raise CliError(
                f"the cluster's workers cannot do this ({type(error).__name__}): have them run the same "
                "Python and packages as here; their logs tell more"
            ) from error
        for reason in reasons:
            if reason:
                raise CliError(
                    f"the cluster's workers cannot read what is read here: {reason}; name URLs, or files "
                    "that all of them have under the same path"
                )

    def _wrong(self, worker: str, version: str | None, own: str = __version__) -> CliError:
        has = f"logparse {version}" if version else "no logparse that can be imported"
        return CliError(
            f"{worker} of the cluster has {has}, and this is {own}: install the same "
            "`logparse[dask]` where its workers are, and start them again"
        )

    @property
    def room(self) -> bool:
        """Whether a part would be begun at once."""
        self._look()
        return len(self._futures) < max(_LEAST, _AHEAD * self._threads)

    def grow(self, count: int) -> None:
        """The cluster is as large as it is."""

    def begin(self, number: int, task: Task) -> None:
        """Have a part read."""
        self._futures[number] = self._client.submit(
            parse, self._setup, task_of(task), key=f"logparse-part-{self._run}-{number}"
        )

    def messages(self, number: int) -> Iterator[Message | None]:
        """What comes of a part; None where it is waited for; it ends early where no worker survived it."""
        future = self._futures.get(number)
        if future is None:
            return
        while not future.done():
            yield None
            self._look()
            with suppress(TimeoutError, FutureCancelledError):
                future.exception(timeout=_LOOK_SECONDS)
        try:
            for block in self._blocks(number, future):
                yield from messages(block)
        except KilledWorker:
            self.killed += 1
        except CliError:
            raise
        except Exception as error:
            self._failed.append(type(error).__name__)  # the worker's log has it whole

    def _blocks(self, number: int, future: Any) -> Iterator[bytes]:
        if number not in self._whole:
            yield from self._told(future.result)
            return
        # Of a file that is read whole there may be much: it stays where it is, and comes block by block.
        count = self._client.submit(len, future, key=f"{future.key}-count")
        for index in range(self._told(count.result)):
            block = self._client.submit(getitem, future, index, key=f"{future.key}-{index}")
            yield self._told(block.result)

    def forget(self, number: int) -> None:
        """What comes of a part is not wanted any more."""
        self._futures.pop(number, None)  # and the cluster drops it

    def notes(self, refused: Sequence[str]) -> list[str]:
        """Sentences on what did not go as it should. refused: why workers could not read parts."""
        notes = [KILLED] if self.killed else []
        if self._failed:
            notes.append(
                f"the cluster's workers failed at {plural(len(self._failed), 'part')} of the logs "
                f"({self._failed[0]}; their logs tell more), which was read here, so that nothing is missing"
            )
        if refused:
            notes.append(
                f"the cluster's workers could not read {plural(len(refused), 'part')} of the logs, which was "
                f"tried again here: {refused[0]}"
            )
        return notes

    def stop(self) -> None:
        """Cancel what is being read, and leave the cluster."""
        with suppress(Exception):
            if self._futures and self._client.status == "running":
                self._client.cancel(list(self._futures.values()), force=True)
        self._futures.clear()
        with suppress(Exception):
            self._client.close(timeout=2)

    def _look(self) -> bool:
        """Whether there are workers. Raises CliError: for long there were none, or the scheduler is gone."""
        now = time.monotonic()
        if now - self._looked < _LOOK_SECONDS and self._threads:
            return True
        if self._client.status in ("closing", "closed"):
            raise self._gone()
        self._looked = now
        self._threads = sum(self._told(self._client.nthreads).values())
        if self._threads:
            self._seen = now
        elif now - self._seen > PATIENCE:
            raise CliError(
                f"the cluster at {self._address} has no workers: start some, such as with `dask worker "
                f"{self._address} --nworkers auto --nthreads 1`"
            )
        return self._threads > 0

    def _told(self, call: Any, *arguments: Any) -> Any:
        try:
            return call(*arguments)
        except OtherVersion as error:
            raise self._wrong("a worker", str(error), build()) from error
        except (ModuleNotFoundError, AttributeError) as error:
            if "logparse" not in str(error):
                raise
            raise self._wrong("a worker", None) from error
        except (FutureCancelledError, OSError) as error:
            raise self._gone() from error

    def _gone(self) -> CliError:
        return CliError(
            f"the Dask scheduler at {self._address} was lost before all was read: look at its log, and try "
            "again"
        )
