"""Text from bytes that are not UTF-8."""

import re

_UTF8 = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")


def decoded(data: bytes) -> str:
    """The text of bytes that may not be UTF-8; never raises.

    Where no two of them are UTF-8 together, they are taken for Windows' code page 1252 (and so for Latin-1),
    else what is not UTF-8 becomes U+FFFD.
    """
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("utf-8" if _UTF8.search(data) else "cp1252", errors="replace")
