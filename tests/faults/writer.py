"""A process that writes a log, record by record, as Odoo does; run as `python -m tests.faults.writer`."""

import logging
import os
import re
import sys
import threading
import time
from logging.handlers import TimedRotatingFileHandler, WatchedFileHandler
from pathlib import Path

# A header of 2020 is the text of an exception, and is written with its record.
RECORD = re.compile(r"(?m)^(?=(?!2020)\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} )")


def handler_of(how: str, log: str) -> logging.FileHandler:
    """As Odoo's `--logfile` (`watched`), or its older `--logrotate` (`timed`)."""
    if how == "timed":
        return TimedRotatingFileHandler(log, when="S", interval=2, encoding="utf-8", errors="surrogateescape")
    return WatchedFileHandler(log, encoding="utf-8", errors="surrogateescape")


def main(log: str, text: str, how: str, seconds: float) -> None:
    """Write the records of `text` in so many seconds; `pause` and `go` on standard input, each answered."""
    records = RECORD.split(Path(text).read_text("utf-8", "surrogateescape"))
    handler = handler_of(how, log)
    handler.terminator = ""
    writing = threading.Lock()

    def obey() -> None:
        for line in sys.stdin:
            if line == "pause\n":
                writing.acquire()
            else:
                writing.release()
            print("done", flush=True)
        os._exit(1)  # whoever told it what to do is gone

    threading.Thread(target=obey, daemon=True).start()
    for record in records:
        with writing:
            handler.emit(logging.makeLogRecord({"msg": record}))
        time.sleep(seconds / len(records))
    with writing:
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]))
