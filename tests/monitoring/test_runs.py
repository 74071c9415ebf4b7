"""The alerts on real logs: each run as Prometheus would have scraped it, with the alerts that are to fire."""

from pathlib import Path

import pytest

from tests.monitoring import promtool
from tests.monitoring.scraped import scraped

pytestmark = pytest.mark.needs_promtool

SILENCE = 20 * 60
"""Seconds that the log is silent at the end, before its server is stopped: time enough for every alert."""

WELL: promtool.Alerts = {}
SICK: dict[str, promtool.Alerts] = {
    # Two jobs whose workers were killed hold both places of the root channel; 50 wait, and no line says so.
    "12.0-w2-info-stuck": {
        "OdooQueueJobChannelSaturated": [{"channel": "root"}],
        "OdooQueueJobRunningTooLong": [{"db": "qj12_w2_info_a"}],
        "OdooQueueJobWorkersKilled": [{}],
    },
    # The runner asks a port at which nobody listens.
    "17.0-w2-badport": {"OdooQueueJobNeverStarted": [{"db": "qj17_w2_badport_a"}]},
    # Two jobs kill their worker at every attempt, until they are given up.
    "18.0-w2-dead-info": {
        "OdooQueueJobDeadJobs": [{"db": "qj18_w2_dead_info_a"}],
        "OdooQueueJobWorkersKilled": [{}],
    },
    # Two servers: the leader of the runners is killed, and its two jobs are found dead. In the end the leader
    # is stopped, and the other one goes on: nobody is woken for that.
    "16.0-2servers-info": {"OdooQueueJobDeadJobs": [{"db": "qj16_2servers_info_a"}]},
    # No access lines: what ended cannot be known, nor whether the dead jobs were run again.
    "16.0-werkzeug-silenced-info": {
        "LogparseBlind": [{"db": "qj16_werkzeug_silenced_info_a"}],
        "OdooQueueJobDeadJobs": [{"db": "qj16_werkzeug_silenced_info_a"}],
    },
    "17.0-w2-warn": {"LogparseBlind": [{"db": "qj17_w2_warn_a"}]},
}
HEALTHY = [
    "12.0-w2-rotate-rename",
    "17.0-w0-pty",
    "17.0-w2-rotate-copytruncate",
    "18.0-w2-2db-info",
]
"""A fifth of their jobs fail, and others are retried, cancelled and requeued: nothing to be woken for."""


def check(run: str, alerts: promtool.Alerts, folder: Path, **how: int | bool) -> None:
    test = promtool.fired(scraped(run, **how), labels=("db", "channel"))
    ran = promtool.run(promtool.expect(test, alerts), folder)
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("interval", [15, 60])
@pytest.mark.parametrize("run", SICK)
def test_a_run_that_is_sick_is_caught_by_the_right_alerts_and_no_others(
    run: str, interval: int, tmp_path: Path
) -> None:
    check(run, SICK[run], tmp_path, interval=interval, hold=SILENCE)


@pytest.mark.parametrize("interval", [15, 60])
@pytest.mark.parametrize("run", HEALTHY)
def test_a_healthy_run_wakes_nobody(run: str, interval: int, tmp_path: Path) -> None:
    check(run, WELL, tmp_path, interval=interval, hold=SILENCE)


@pytest.mark.parametrize("interval", [15, 60])
def test_a_runner_that_sleeps_until_a_far_date_wakes_nobody(interval: int, tmp_path: Path) -> None:
    # At its end two jobs wait for a date, and it says: `select() timeout: 35985.01 sec`.
    check("14.0-w0-debug", WELL, tmp_path, interval=interval, hold=SILENCE)


def test_a_server_that_is_stopped_and_stays_down(tmp_path: Path) -> None:
    check("18.0-w2-2db-info", {"OdooQueueJobRunnerDown": [{}]}, tmp_path, hold=SILENCE, stopped=True)


def test_a_runner_that_falls_silent_is_told_at_debug(tmp_path: Path) -> None:
    # At its end two jobs whose workers were killed hold both places, 27 wait, and it says: `select() timeout:
    # 60.00 sec`. A runner that hangs there says nothing more.
    job = {"db": "qj18_w2_debug_a", "channel": "root"}
    alerts: promtool.Alerts = {
        "OdooQueueJobChannelSaturated": [{"channel": "root"}],
        "OdooQueueJobDeadJobs": [job],
        "OdooQueueJobRunnerSilent": [{}],
        "OdooQueueJobRunningTooLong": [job],
    }
    check("18.0-w2-debug", alerts, tmp_path, hold=SILENCE)
