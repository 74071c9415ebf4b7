"""What a replay costs where Dask workers read the parts: here, in the workers, and on the wire.

Each FILE, or directory of pieces of one log, is read by one process, then by clusters of so many workers of
this machine.
"""

import argparse
import resource
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from distributed import Client, LocalCluster
from run import machine

from logparse.cli import crew
from logparse.cli.options import Reading, Workers
from logparse.cli.outputs import run_into
from logparse.cli.run import open_run
from logparse.cli.spread import Spread
from logparse.out.counts import Counts
from logparse.out.summary import Summary
from logparse.out.summed import Summed


class Cost(NamedTuple):
    """here, workers: CPU seconds. sent: bytes that came from workers. again: chunks that were read here."""

    here: float
    wall: float
    workers: float = 0.0
    sent: int = 0
    again: int = 0


def alone(files: tuple[str, ...], workers: Workers = Workers()) -> Cost:  # noqa: B008 (frozen)
    begun, wall = time.process_time(), time.perf_counter()
    run_into(open_run(Reading(files=files), workers=workers), [Summed(Summary(Counts()))])
    return Cost(time.process_time() - begun, time.perf_counter() - wall)


def with_cluster(files: tuple[str, ...], number: int) -> Cost:
    sent, spreads = 0, []
    unpack, init = crew.messages, Spread.__init__

    def counted(block: bytes) -> Iterator[Any]:
        nonlocal sent
        sent += len(block)
        return unpack(block)

    def kept(self: Spread, *arguments: Any) -> None:
        spreads.append(self)
        init(self, *arguments)

    crew.messages, Spread.__init__ = counted, kept  # type: ignore[assignment, method-assign]
    try:
        with (
            LocalCluster(n_workers=number, threads_per_worker=1, dashboard_address="127.0.0.1:0") as local,
            Client(local) as client,
        ):
            alone(files, Workers(1, local.scheduler_address))  # imports, and what is made once
            sent = 0
            spreads.clear()
            before = sum(client.run(time.process_time).values())
            cost = alone(files, Workers(1, local.scheduler_address))
            worked = sum(client.run(time.process_time).values()) - before
    finally:
        crew.messages, Spread.__init__ = unpack, init  # type: ignore[method-assign]
    return cost._replace(workers=worked, sent=sent, again=spreads[0].again)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("logs", metavar="FILE", type=Path, nargs="+")
    given = parser.parse_args()
    print(machine())
    print(
        "\n| log | MB | workers | CPU s here | CPU s in the workers | MB sent | read again | wall s |"
        "\n|---|--:|--:|--:|--:|--:|--:|--:|"
    )
    for log in given.logs:
        pieces = sorted(map(str, log.resolve().iterdir())) if log.is_dir() else [str(log.resolve())]
        size = sum(Path(piece).stat().st_size for piece in pieces) / 1e6
        costs = [(0, alone(tuple(pieces)))]
        costs += [(number, with_cluster(tuple(pieces), number)) for number in given.workers]
        for number, cost in costs:
            print(
                f"| {log.name} | {size:.0f} | {number or '–'} | {cost.here:.2f} | {cost.workers:.2f} | "
                f"{cost.sent / 1e6:.1f} | {cost.again} | {cost.wall:.1f} |",
                flush=True,
            )
    print(f"\npeak here: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
