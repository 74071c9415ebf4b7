"""Who reads the parts of large logs: processes of this machine, or the workers of a cluster."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from logparse.cli.error import CliError
from logparse.cli.options import Reading, Workers
from logparse.lifecycle.lifecycle import Options
from logparse.pipe import Pipe
from logparse.record.merge import Merged
from logparse.record.wrappers.wrapper import Context
from logparse.source.error import shown
from logparse.source.parts import Part, parts, weight
from logparse.source.remote import survives_fork
from logparse.source.url import is_url, secret

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
    asked = {"--reverse": reading.reverse, "--http": reading.http}
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


class _Left(Protocol):
    """A cluster, as far as it is needed in the end."""

    def notes(self, refused: Sequence[str]) -> list[str]:
        """Sentences on what did not go as it should."""

    def close(self) -> None:
        """Leave it."""


class Division:
    """The reading of these parts of a Reading's files.

    streams: the files of each server. spreads: the reading of each server's log. Raises CliError.
    """

    def __init__(
        self,
        reading: Reading,
        workers: Workers,
        pipe: Pipe,
        options: Options,
        context: Context,
        streams: Mapping[str | None, Sequence[str]],
        parts: Sequence[Part],
    ) -> None:
        from logparse.cli.piece import Parser
        from logparse.cli.pool import Pool
        from logparse.cli.spread import Spread

        self._pool: Pool | None = None
        self._cluster: _Left | None = None
        self.spreads: dict[str | None, Spread] = {}
        merged, whole = isinstance(pipe.reader, Merged), pipe.tap is not None
        if workers.cluster is None:
            parser = Parser(pipe, context, whole=whole)
            self._pool = Pool(parser, workers.number)
            self.spreads[None] = Spread(parser, parts, self._pool)
            return
        try:
            from logparse.cli.cluster import Cluster
            from logparse.cli.clusterwork import Setup
            from logparse.cli.crew import ClusterCrew
        except ModuleNotFoundError as error:
            if (error.name or "").startswith("logparse"):
                raise
            raise CliError("--dask needs distributed: run `pip install 'logparse[dask]'`") from error
        secrets = secret([part.file for part in parts])
        setup = Setup(pipe.patterns, reading.odoo, options, context, whole, merged, secrets)
        self._cluster = cluster = Cluster(workers.cluster, setup, parts)
        for number, (server, files) in enumerate(streams.items()):
            names = set(files)
            own = [part for part in parts if part.file in names]
            crew = ClusterCrew(cluster, own, server, number, len(streams))
            parser = Parser(pipe, context, whole=whole, server=server, merged=merged)
            self.spreads[server] = Spread(parser, own, crew, setup.known(own[0], server))

    def notes(self) -> list[str]:
        """What is to be said at the end."""
        if self._cluster is not None:
            return self._cluster.notes([text for one in self.spreads.values() for text in one.refused])
        from logparse.cli.pool import KILLED

        return [KILLED] if self._pool is not None and self._pool.killed else []

    def close(self) -> None:
        """Leave the cluster."""
        if self._cluster is not None:
            self._cluster.close()
