"""A rotated file after it was left: what is written to it then cannot be told in order, but is noticed."""

import os
import time

_LATE_SECONDS = 60.0


class Late:
    """fd: of the file, which is closed with it. size: how much of it was read, bytes."""

    def __init__(self, fd: int, size: int) -> None:
        self._fd = fd
        self._size = size
        self._until = time.monotonic() + _LATE_SECONDS

    def look(self) -> int:
        """How many bytes were written to it since the last look. Raises OSError."""
        late = max(0, os.fstat(self._fd).st_size - self._size)
        self._size += late
        return late

    @property
    def over(self) -> bool:
        """Whether it was looked at for long enough."""
        return time.monotonic() > self._until

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)
