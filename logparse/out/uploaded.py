"""Files that are put at a URL: each is there whole or not at all."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from logparse.source.error import SourceError, shown
from logparse.source.remote import opened_system, why
from logparse.source.url import name_of

_BLOCK = 4 << 20


def upload(file: Path, url: str) -> None:
    """Put a file at this URL. Raises OSError, with the URL as the name."""
    with _told(url):
        _put(*opened_system(name_of(url)), file)


def upload_folder(folder: Path, url: str) -> None:
    """Put all that a folder holds below this URL; what was put there is taken away where one cannot be.

    Raises OSError, with the URL as the name.
    """
    done: list[str] = []
    with _told(url):
        system, root = opened_system(name_of(url))
        try:
            for file in sorted(one for one in folder.rglob("*") if one.is_file()):
                path = f"{root.rstrip('/')}/{file.relative_to(folder).as_posix()}"
                if not system.async_impl:  # an object store has no directories, and would make a bucket
                    system.makedirs(path.rpartition("/")[0], exist_ok=True)
                done.append(path)
                _put(system, path, file)
        except BaseException:
            for path in done:
                with suppress(Exception):
                    system.rm_file(path)
            raise


def is_empty(url: str) -> bool:
    """Whether nothing is below this URL. Raises OSError, with the URL as the name."""
    with _told(url):
        system, root = opened_system(name_of(url))
        try:
            return not system.ls(root, detail=False, refresh=True)
        except FileNotFoundError:
            return True


@contextmanager
def _told(url: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        name = name_of(url)
        told = isinstance(error, SourceError)
        reason = str(error).removeprefix(shown(name)).strip() if told else why(name, error, "written")
        # Not as its cause: its text may hold the URL.
        raise OSError(errno.EIO, reason, url) from None


def _put(system: Any, path: str, file: Path) -> None:
    if type(system).__module__ == "fsspec.implementations.arrow":  # HDFS: it knows no `commit`
        folder, _, name = path.rpartition("/")
        partial = f"{folder}/.{name}.{os.getpid()}.partial"
        try:
            system.put_file(str(file), partial)
            if system.exists(path):
                system.rm_file(path)
            system.mv(partial, path)
        except BaseException:
            with suppress(Exception):
                system.rm_file(partial)
            raise
        return
    target = system.open(path, "wb", autocommit=False)
    try:
        with file.open("rb") as source:
            shutil.copyfileobj(source, target, _BLOCK)
        target.close()
        target.commit()
    except BaseException:
        with suppress(Exception):
            target.discard()
        raise
