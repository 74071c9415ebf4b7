"""Logs at URLs, read by fsspec as they come or by ranges; the names are those of logparse.source.url."""

import importlib
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple, TypeVar

from logparse.source.error import SourceError, shown
from logparse.source.url import is_url, name_of, url_of, without_secrets

R = TypeVar("R")
Read = Callable[[int], bytes]
"""Gives so many bytes or fewer of what comes next, none at the end."""

_BLOCK = 4 << 20  # bytes that are fetched at once
_PATTERN = r"[*?\[]"
# In a query `?` is no pattern.
_HTTP_PATTERN = r"[*\[]"
_DATES = ("LastModified", "last_modified", "mtime", "updated", "modificationTime", "created", "Last-Modified")
# A server that says nothing for so long is taken for dead, seconds.
_SILENCE = 60
_AT_ONCE = 16  # requests
_PAUSES = [0.5, 2.0]  # before it is tried again, seconds


class Object(NamedTuple):
    """What is known of a log before it is read.

    size: bytes; None where its server does not tell. modified: ms since the epoch; None, too. ranged: parts
    of it can be read.
    """

    size: int | None
    modified: int | None
    ranged: bool


@cache
def look(name: str) -> Object:
    """What is there, asked once. Raises SourceError."""
    with told(name):
        system, path = opened_system(name)
        info = _persistent(lambda: system.info(path))
        if info.get("type") == "directory":
            raise SourceError(f"{shown(name)} is a directory: name the log files in it, as {shown(name)}/*")
        size = info.get("size")
        ranged = size is not None
        if _is_http(name):
            ranged = size is not None and info.get("partial", True) and _ranges(system, path, size)
        return Object(size, _modified(info), ranged)


def expanded(url: str) -> list[str]:
    """The names of what a URL stands for, in which `*`, `?` and `[` may be patterns. Raises SourceError."""
    name = name_of(url)
    pattern = _HTTP_PATTERN if _is_http(url) else _PATTERN
    if "::" in url or not re.search(pattern, without_secrets(url).partition("://")[2].partition("/")[2]):
        return [name]
    with told(name):
        system, path = opened_system(name)
        found = system.glob(path)
        if not found and system.exists(path):
            return [name]
        names = [one if is_url(one) else system.unstrip_protocol(one) for one in sorted(found)]
    if not names:
        raise SourceError(f"nothing is called like {shown(name)}: check the URL")
    return [name_of(one) for one in names]


@contextmanager
def opened(name: str, block: int = _BLOCK) -> Iterator[Read]:
    """Open it to be read from its beginning. Raises SourceError, as the reading does.

    block: bytes that are fetched at once.
    """
    known = look(name)
    with told(name):
        system, path = opened_system(name)
        # Where a server sends no ranges, all comes in one answer.
        streamed = _is_http(name) and not known.ranged
        file = system.open(path, "rb", block_size=0 if streamed else block)
    come = 0

    def read(size: int) -> bytes:
        nonlocal come
        with told(name):
            data: bytes = file.read(size) if streamed else _persistent(lambda: file.read(size))
        come += len(data)
        if not data and known.size is not None and come < known.size:
            raise _less(name)
        return data

    try:
        yield read
    finally:
        with suppress(Exception):
            file.close()


def fetch(name: str, offset: int, size: int) -> bytes:
    """So many bytes from there, or fewer where it ends. Raises SourceError."""
    known = look(name)
    if known.size is not None:
        size = min(size, known.size - offset)
    if size <= 0:
        return b""
    with told(name):
        system, path = opened_system(name)
        if _is_http(name):
            data = _persistent(lambda: _range(system, path, offset, size, known.size or 0))
        else:
            data = _persistent(lambda: system.cat_file(path, start=offset, end=offset + size))
    if len(data) < size and known.size is not None:
        raise _less(name)
    return data


def _less(name: str) -> SourceError:
    return SourceError(
        f"{shown(name)} gave less than it is long: it was changed while it was read; try again"
    )


def _persistent(call: Callable[[], R]) -> R:
    """What the call gives, in the end: a server may be busy, or a connection lost."""
    for pause in _PAUSES:
        try:
            return call()
        except Exception as error:
            if not _passes(error):
                raise
        time.sleep(pause)
    return call()


def each(work: Callable[[str], R], paths: Sequence[str]) -> list[R]:
    """What `work` gives of each path; of URLs whose file systems allow it, several at once: each waits."""
    many = [path for path in paths if is_url(path)]
    if len(many) < 2 or not all(opened_system(path)[0].async_impl for path in many):
        return list(map(work, paths))
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        return list(threads.map(work, paths))


def survives_fork(name: str) -> bool:
    """Whether a forked process can go on to read it: fsspec makes what it needs anew there."""
    system, _ = opened_system(name)
    return bool(system.async_impl) or "file" in system.protocol or "memory" in system.protocol


def forked() -> None:
    """Called first in a forked process: fsspec's thread is not there, and is started anew."""
    if (asyn := sys.modules.get("fsspec.asyn")) is not None:
        asyn.reset_lock()


def opened_system(name: str) -> tuple[Any, str]:
    """The file system of fsspec, and the path in it. Raises SourceError: what it needs is not installed."""
    try:
        fsspec = importlib.import_module("fsspec")  # here, since most logs are files
    except ModuleNotFoundError as error:
        if error.name != "fsspec":
            raise
        raise SourceError(
            f"{shown(name)} is a URL, which fsspec reads: install it with `pip install 'logparse[remote]'`"
        ) from error
    url = url_of(name)
    options: dict[str, Any] = {}
    if _is_http(url):
        aiohttp = _aiohttp(name)
        # What is quoted already, as a signature, must stay as it is.
        options["encoded"] = "%" in url
        options["client_kwargs"] = {
            "timeout": aiohttp.ClientTimeout(total=None, sock_connect=_SILENCE, sock_read=_SILENCE),
            "trust_env": True,  # proxies, as every program has them
        }
    with told(name):
        system, path = fsspec.core.url_to_fs(url, **options)
        return system, path


def _aiohttp(name: str) -> Any:
    try:
        return importlib.import_module("aiohttp")
    except ModuleNotFoundError as error:
        if error.name != "aiohttp":
            raise
        raise SourceError(
            f"{shown(name)} needs aiohttp: install it with `pip install 'logparse[remote]'`"
        ) from error


@contextmanager
def told(name: str) -> Iterator[None]:
    """Whatever goes wrong is one sentence without secrets; libraries raise all kinds of errors."""
    try:
        yield
    except SourceError:
        raise
    except Exception as error:
        # Not as its cause: its text may hold the URL.
        raise SourceError(f"{shown(name)} {why(name, error)}") from None


def _passes(error: Exception) -> bool:
    """Whether it may go well a little later."""
    for one in (error, error.__cause__):
        status = getattr(one, "status", 0)
        if isinstance(one, ConnectionError | TimeoutError) or "Disconnected" in type(one).__name__:
            return True
        if isinstance(status, int) and (status == 429 or status >= 500):
            return True
    return False


def why(name: str, error: Exception, done: str = "read") -> str:
    """What went wrong, to follow the name: without secrets, and with what to do. done: what was to be."""
    seen = [error]
    while (cause := seen[-1].__cause__) is not None and isinstance(cause, Exception) and len(seen) < 5:
        seen.append(cause)
    scheme = url_of(name).partition("://")[0]
    status = next((found for one in seen if isinstance(found := getattr(one, "status", 0), int) and found), 0)
    kinds = {type(one).__name__ for one in seen}
    needed = re.search(r"(?:[Ii]nstall |No module named ')(\w+)", str(error))
    if isinstance(error, ImportError | ValueError) and needed:
        return f"needs {needed[1]}: install it with `pip install {needed[1]}`"
    if status in (401, 403) or isinstance(error, PermissionError) or "NoCredentialsError" in kinds:
        return (
            f"may not be {done} with what this user has: give credentials as the library for "
            f"{scheme}:// takes them (docs/cluster.md)"
        )
    if any(isinstance(one, ConnectionError | TimeoutError) for one in seen) or any(
        "Connect" in kind or "Disconnected" in kind or "Timeout" in kind for kind in kinds
    ):
        return "cannot be reached: check the network, the address and the port"
    if isinstance(error, FileNotFoundError) and status in (0, 404, 410):
        return "does not exist: check the URL"
    if status:
        return f"cannot be {done} (its server answers {status}): check the URL and the server"
    if isinstance(error, ValueError) and "protocol" in str(error).lower():
        return f"cannot be {done}: fsspec knows no {scheme}://"
    reason = (without_secrets(str(error)).splitlines() or [""])[0][:200]
    return f"cannot be {done} ({type(error).__name__}{': ' if reason else ''}{reason}): check the URL"


def _is_http(url: str) -> bool:
    return url.startswith(("http://", "https://"))


def _ranges(system: Any, path: str, size: int) -> bool:
    """Whether a server sends ranges: many that do not keep silent about it."""
    if size < 2:
        return False
    try:
        return len(_persistent(lambda: _range(system, path, 1, 1, size))) == 1
    except ValueError:
        return False


def _range(system: Any, path: str, offset: int, size: int, whole: int) -> bytes:
    # cat_file would take all that is sent for the range.
    with system.open(path, "rb", block_size=_BLOCK, cache_type="none", size=whole) as file:
        file.seek(offset)
        data: bytes = file.read(size)
        return data


def _modified(info: dict[str, Any]) -> int | None:
    for key in _DATES:
        value = info.get(key)
        try:
            if isinstance(value, str):
                from email.utils import parsedate_to_datetime

                value = parsedate_to_datetime(value) if "," in value else datetime.fromisoformat(value)
            if isinstance(value, datetime):
                return round((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp() * 1000)
            if isinstance(value, int | float):
                return round(value * (1 if key == "modificationTime" else 1000))
        except (ValueError, OverflowError):
            continue
    return None
