"""Has the workers of a Dask cluster read the parts of one log (see logparse.cli.spread)."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from operator import getitem
from typing import Any

from distributed.client import FutureCancelledError
from distributed.scheduler import KilledWorker

from logparse.cli.cluster import LOOK_SECONDS, Cluster
from logparse.cli.clusterwork import messages, parse, task_of
from logparse.cli.error import CliError
from logparse.cli.worker import Message, Task
from logparse.source.parts import Part

# So many parts for each thread of the cluster are being read, or wait to be taken; of each log two.
_AHEAD = 2
_LEAST = 2


class ClusterCrew:
    """As logparse.cli.spread.Crew.

    parts: of the log. server: whose it is. number: which of the logs, of which there are `share`.
    """

    def __init__(
        self, cluster: Cluster, parts: Sequence[Part], server: str | None, number: int, share: int
    ) -> None:
        self._cluster = cluster
        self._server = server
        self._share = share
        self._run = f"{cluster.run}-{number}"
        self._futures: dict[int, Any] = {}
        self._whole = {number for number, part in enumerate(parts) if part.whole}

    @property
    def room(self) -> bool:
        """Whether a part would be begun at once."""
        self._cluster.look()
        return len(self._futures) < max(_LEAST, _AHEAD * self._cluster.threads // self._share)

    def grow(self, count: int) -> None:
        """The cluster is as large as it is."""

    def begin(self, number: int, task: Task) -> None:
        """Have a part read."""
        self._futures[number] = self._cluster.client.submit(
            parse, self._cluster.setup, self._server, task_of(task), key=f"logparse-part-{self._run}-{number}"
        )

    def messages(self, number: int) -> Iterator[Message | None]:
        """What comes of a part; None where it is waited for; it ends early where no worker survived it."""
        future = self._futures.get(number)
        if future is None:
            return
        while not future.done():
            yield None
            self._cluster.look()
            with suppress(TimeoutError, FutureCancelledError):
                future.exception(timeout=LOOK_SECONDS)
        try:
            for block in self._blocks(number, future):
                yield from messages(block)
        except KilledWorker:
            self._cluster.killed += 1
        except CliError:
            raise
        except Exception as error:
            self._cluster.failed.append(type(error).__name__)  # the worker's log has it whole

    def _blocks(self, number: int, future: Any) -> Iterator[bytes]:
        if number not in self._whole:
            yield from self._cluster.told(future.result)
            return
        # Of a file that is read whole there may be much: it stays where it is, and comes block by block.
        count = self._cluster.client.submit(len, future, key=f"logparse-count-{self._run}-{number}")
        for index in range(self._cluster.told(count.result)):
            block = self._cluster.client.submit(
                getitem, future, index, key=f"logparse-block-{self._run}-{number}-{index}"
            )
            yield self._cluster.told(block.result)

    def forget(self, number: int) -> None:
        """What comes of a part is not wanted any more."""
        self._futures.pop(number, None)  # and the cluster drops it

    def stop(self) -> None:
        """Cancel what is being read."""
        with suppress(Exception):
            if self._futures and self._cluster.client.status == "running":
                self._cluster.client.cancel(list(self._futures.values()), force=True)
        self._futures.clear()
