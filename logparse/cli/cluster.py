"""An existing Dask cluster, whose workers can do what this program wants (see logparse.cli.crew)."""

import logging
import pkgutil
import re
import time
import uuid
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from distributed import Client
from distributed.client import FutureCancelledError

from logparse import __version__
from logparse.cli.clusterwork import (
    Given,
    OtherVersion,
    Setup,
    build,
    given,
    head_of,
    unreadable,
)
from logparse.cli.error import CliError, say
from logparse.out.units import plural
from logparse.source.error import shown
from logparse.source.parts import Part
from logparse.source.url import is_url

# Partly typed, and differently from release to release.
_connect: Any = Client

_ADDRESS = re.compile(r"(?:(?:tcp|tls|wss?|ucxx?)://)?[^/\s]+:\d{1,5}/?")

PATIENCE = 300.0
"""So long a cluster may be without workers, seconds."""
LOOK_SECONDS = 2.0
"""So often it is looked at."""

KILLED = (
    "workers of the cluster died while they read a part, as they do when memory runs out; it was read here, "
    "so that nothing is missing; give them more memory"
)


class Cluster:
    """The cluster at an address. parts: of logs, that will be read.

    client: Dask's. run: stands in the keys of all that is submitted. setup: a future of it. threads: of all
    workers. killed, failed: parts that were read here, since no worker survived them, or one had an error
    (its class).

    Raises CliError: it cannot be reached, or its workers cannot do this.
    """

    def __init__(self, address: str, setup: Setup, parts: Sequence[Part]) -> None:
        self.run = uuid.uuid4().hex
        self.threads = 0
        self.killed = 0
        self.failed: list[str] = []
        self._address = shown(address)
        self._looked = 0.0
        self._seen = time.monotonic()
        # What Dask would say of a connection that is lost, in tracebacks, is said here.
        for name in list(logging.root.manager.loggerDict):
            if name.partition(".")[0] == "distributed":
                logging.getLogger(name).setLevel(logging.CRITICAL + 1)
        self.client = self._connected(address)
        self._address = shown(self.client.scheduler.address)
        try:
            self.setup = self.client.submit(Given, *given(setup), key=f"logparse-setup-{self.run}")
            self._wait_for_workers()
            self._check(parts)
        except BaseException:
            self.close()
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
        if self.look():
            return
        say(f"waits up to {PATIENCE:g} s for a worker of the cluster at {self._address}")
        while not self.look():
            time.sleep(0.2)

    def _check(self, parts: Sequence[Part]) -> None:
        """The workers have this release, and see the same files."""
        found = self.client.run(pkgutil.resolve_name, "logparse:__version__", on_error="return")
        others = {worker: version for worker, version in found.items() if version != __version__}
        if others:
            worker, version = next(iter(others.items()))
            raise self._wrong(f"the worker {worker}", version if isinstance(version, str) else None)
        # Of each kind of place one file.
        kinds = {part.file.partition("://")[0] if is_url(part.file) else "": part.file for part in parts}
        files = [(file, b"" if is_url(file) else head_of(file)) for file in kinds.values()]
        asked = [
            self.client.submit(
                unreadable,
                self.setup,
                files,
                workers=[worker],
                allow_other_workers=True,  # it may have gone
                key=f"logparse-look-{self.run}-{number}",
            )
            for number, worker in enumerate(found)
        ]
        try:
            reasons = self.told(self.client.gather, asked)
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

    def notes(self, refused: Sequence[str]) -> list[str]:
        """Sentences on what did not go as it should. refused: why workers could not read parts."""
        notes = [KILLED] if self.killed else []
        if self.failed:
            notes.append(
                f"the cluster's workers failed at {plural(len(self.failed), 'part')} of the logs "
                f"({self.failed[0]}; their logs tell more), which was read here, so that nothing is missing"
            )
        if refused:
            notes.append(
                f"the cluster's workers could not read {plural(len(refused), 'part')} of the logs, which was "
                f"tried again here: {refused[0]}"
            )
        return notes

    def close(self) -> None:
        """Leave it; what is not read yet is not read any more."""
        with suppress(Exception):
            self.client.close(timeout=2)

    def look(self) -> bool:
        """Whether there are workers. Raises CliError: for long there were none, or the scheduler is gone."""
        now = time.monotonic()
        if now - self._looked < LOOK_SECONDS and self.threads:
            return True
        if self.client.status in ("closing", "closed"):
            raise self._gone()
        self._looked = now
        self.threads = sum(self.told(self.client.nthreads).values())
        if self.threads:
            self._seen = now
        elif now - self._seen > PATIENCE:
            raise CliError(
                f"the cluster at {self._address} has no workers: start some, such as with `dask worker "
                f"{self._address} --nworkers auto --nthreads 1`"
            )
        return self.threads > 0

    def told(self, call: Any, *arguments: Any) -> Any:
        """What a call of Dask's gives. Raises CliError: the cluster was lost, or has other workers."""
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
