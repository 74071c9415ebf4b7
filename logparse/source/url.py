"""URLs of logs, and their names: what is secret in a URL is known here, and nowhere else."""

import re
from collections.abc import Mapping

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?:::[A-Za-z][A-Za-z0-9+.-]*)*://")
# The others are texts, which `re` compiles for the first URL.
_IN_TEXT = r"([A-Za-z][A-Za-z0-9+.-]*://)(\S*)"
# A user, and perhaps a password, in which people leave a slash as it is; what comes before a slash and is a
# number is a port.
_USER = r"[^/?#@:]*:(?!\d{1,5}(?:[/?#]|$))[^?#]*@|[^/?#]*@"
# Before the host of these stands a container.
_CONTAINED = ("abfs://", "abfss://", "wasb://", "wasbs://")
# Signatures and tokens; but by HTTP, where it is no query, `?` may be of a pattern.
_QUERY = r"(?s)[?;&#][^?;&#=\s]*=.*"
_HTTP_QUERY = r"(?s)[?#].*"

_urls: dict[str, str] = {}  # by name


def is_url(path: str) -> bool:
    """Whether it is a URL; else a path."""
    return _URL.match(path) is not None


def without_secrets(text: str) -> str:
    """The text, each URL in it without user, password and query."""
    return re.sub(_IN_TEXT, _stripped, text)


def _stripped(found: re.Match[str]) -> str:
    head, chained, tail = found[2].partition("::")
    if "://" not in tail:
        head, chained, tail = found[2], "", ""
    scheme = found[1].lower()
    if (user := re.match(_USER, head)) and not (scheme in _CONTAINED and ":" not in user[0]):
        head = head[user.end() :]
    query = _HTTP_QUERY if scheme.startswith("http") else _QUERY
    return found[1] + re.sub(query, "", head) + chained + without_secrets(tail)


def name_of(url: str) -> str:
    """The name of a URL from here on, in which nothing is secret; no other URL has it."""
    plain = name = without_secrets(url)
    number = 1
    while _urls.setdefault(name, url) != url:
        number += 1
        name = f"{plain}#{number}"
    return name


def url_of(name: str) -> str:
    """The URL whose name it is."""
    return _urls.get(name, name)


def secret(names: list[str]) -> dict[str, str]:
    """The URLs among these names in which something is secret; for `know` in another process."""
    return {name: _urls[name] for name in names if _urls.get(name, name) != name}


def know(urls: Mapping[str, str]) -> None:
    """Take over what another process told by `secret`."""
    _urls.update(urls)
