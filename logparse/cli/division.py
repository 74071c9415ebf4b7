"""Who reads the parts of large logs: processes of this machine, or the workers of a cluster."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from logparse.cli.error import CliError
from logparse.cli.options import Reading, Workers
from logparse.lifecycle.lifecycle import Options
from logparse.pipe import Pipe
from logparse.source.error import shown
from logparse.source.parts import Part, parts, weight
from logparse.source.remote import survives_fork
from logparse.source.url import is_url, secret

if TYPE_CHECKING:
    from logparse.cli.piece import Parser
    from logparse.cli.spread import Spread

# A smaller log is read before other processes have started.
_WORTH = 12 << 20


def divided(reading: Reading, files: Sequence[str], workers: Workers) -> list[Part]:
    """The parts in which these files may be read at once; none where one process reads them.

    Raises CliError: a cluster is wanted, and cannot read them.
    """
    if workers.cluster is not None:
        _refuse_for_cluster(reading, files)
        return parts(files)
    if workers.number == 1:
        return []
    # Of several servers and of turned logs, what comes next is known only when all was read. And to hand
    # requests from one process to another takes longer than to read them. What a library of a URL's file
    # system holds may not outlive a fork.
    if reading.servers or reading.reverse or reading.http or not hasattr(os, "fork"):
        return []
    if any(file != file.encode(errors="replace").decode() for file in files):
        return []
    if any(is_url(file) and not survives_fork(file) for file in files) or weight(files, _WORTH) < _WORTH:
        return []
    return parts(files)


def _refuse_for_cluster(reading: Reading, files: Sequence[str]) -> None:
    asked = {"--server": reading.servers, "--reverse": reading.reverse, "--http": reading.http}
    if not_spread := [option for option, given in asked.items() if given]:
        raise CliError(f"with {not_spread[0]} one process reads all: leave it out, or --dask")
    for file in files:
        if not is_url(file) and not Path(file).is_file():
            raise CliError(f"{shown(file)} is no file, which a cluster could read: leave out --dask")
        if not is_url(file) and not Path(file).is_absolute():
            raise CliError(
                f"{shown(file)} is a path from here, and a cluster's workers are elsewhere: give the whole "
                "path, or a URL"
            )
        if file != file.encode(errors="replace").decode():
            raise CliError(f"{shown(file)} has a name that cannot be sent to a cluster: rename it")


def divide(
    reading: Reading, workers: Workers, parts: Sequence[Part], parser: "Parser", pipe: Pipe, options: Options
) -> tuple["Spread", Callable[[], list[str]]]:
    """The reading of these parts; and what is to be said at its end. Raises CliError, SourceError."""
    from logparse.cli.spread import Spread

    if workers.cluster is None:
        from logparse.cli.pool import KILLED, Pool

        pool = Pool(parser, workers.number)
        return Spread(parser, parts, pool), lambda: [KILLED] if pool.killed else []
    try:
        from logparse.cli.cluster import Cluster
        from logparse.cli.clusterwork import Setup
    except ModuleNotFoundError as error:
        if (error.name or "").startswith("logparse"):
            raise
        raise CliError("--dask needs distributed: run `pip install 'logparse[dask]'`") from error
    files = [part.file for part in parts]
    setup = Setup(pipe.patterns, reading.odoo, options, parser.context, parser.whole, secret(files))
    cluster = Cluster(workers.cluster, setup, parts)
    spread = Spread(parser, parts, cluster, setup.known(parts[0]))
    return spread, lambda: cluster.notes(spread.refused)
