"""The logrotate snippet: the real logrotate with it, while a handler like Odoo's writes."""

import grp
import logging.handlers
import os
import pwd
import shutil
import subprocess
from pathlib import Path

from tests.deploy.conftest import DEPLOY


def test_no_line_is_lost(tmp_path: Path) -> None:
    logrotate = shutil.which("logrotate", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    assert logrotate, "logrotate is not installed: apt-get install logrotate"
    folder = tmp_path / "odoo"
    folder.mkdir(mode=0o750)
    us = f"{pwd.getpwuid(os.geteuid()).pw_name} {grp.getgrgid(os.getegid()).gr_name}"
    given = (DEPLOY / "odoo.logrotate").read_text()
    assert given.count("odoo odoo") == 2
    configuration = tmp_path / "odoo.logrotate"
    configuration.write_text(given.replace("/var/log/odoo/", f"{folder}/").replace("odoo odoo", us))
    configuration.chmod(0o644)
    log = folder / "odoo-server.log"
    # What Odoo opens its logfile with.
    handler = logging.handlers.WatchedFileHandler(log)
    try:
        for number in range(40):
            handler.emit(logging.makeLogRecord({"msg": f"line {number}"}))
            if number % 10 == 9:
                subprocess.run(
                    [logrotate, "-f", "-s", str(tmp_path / "state"), str(configuration)], check=True
                )
                assert log.stat().st_mode & 0o777 == 0o640
    finally:
        handler.close()
    pieces = sorted(path.name for path in folder.iterdir())
    assert pieces == [log.name, *(f"{log.name}.{piece}" for piece in ("1", "2.gz", "3.gz", "4.gz"))]
    text = "".join(
        subprocess.run(["zcat", "-f", folder / name], capture_output=True, text=True, check=True).stdout
        for name in reversed(pieces)
    )
    assert text.splitlines() == [f"line {number}" for number in range(40)]
