"""Dispatches that got no answer, and the runner's waiting: for metrics only, no event comes of them."""

from collections import Counter

import pytest

from logparse.lifecycle.event import Unanswered
from tests import recorded
from tests.lifecycle.log import RUN, A, Log
from tests.odoo import RUNNER


@pytest.mark.parametrize(
    ("run", "reasons"),
    [
        ("17.0-w2-badport", {"unreached": 2}),
        ("18.0-w2-dead-info", {"broken": 6}),
        # Its runner saw 46 answers of 400 and 500: each is an answer.
        ("16.0-w2-info", {}),
    ],
)
def test_on_recorded_runs(run: str, reasons: dict[str, int]) -> None:
    told = [output for output in recorded.outputs(run) if isinstance(output, Unanswered)]
    assert Counter(output.reason for output in told) == reasons
    assert all(output.db for output in told)


@pytest.mark.parametrize(
    ("last", "reason"),
    [
        # requests 2.x on Python 2, and on urllib3 2
        ("ConnectionError: HTTPConnectionPool(host='localhost', port=8069): Max retries exceeded with url: "
         "/x (Caused by <class 'socket.error'>: [Errno 111] Connection refused)", "unreached"),
        ("requests.exceptions.ConnectionError: HTTPConnectionPool(host='odoo', port=8069): Max retries "
         "exceeded with url: /x (Caused by NameResolutionError(\"<urllib3.connection.HTTPConnection "
         "object at 0x7f>: Failed to establish a new connection: [Errno -2]\"))", "unreached"),
        ("requests.exceptions.ConnectionError: ('Connection aborted.', ConnectionResetError(104, 'Connection "
         "reset by peer'))", "broken"),
        ("requests.exceptions.HTTPError: 500 Server Error: INTERNAL SERVER ERROR for url: /refused", None),
        ("requests.exceptions.InvalidURL: Failed to parse: http://refused", None),
    ],
)  # fmt: skip
def test_what_requests_raised_tells_whether_somebody_listened(last: str, reason: str | None) -> None:
    log = Log()
    log.ask(0)
    log.write(
        0.1,
        RUN,
        "ERROR",
        None,
        RUNNER,
        f"exception in GET http://localhost:8069/queue_job/runjob?db=prod&job_uuid={A}",
        trace=f"Traceback (most recent call last):\n{last}",
    )
    told = [output for output in log.outputs if isinstance(output, Unanswered)]
    assert [(output.db, output.reason) for output in told] == ([("prod", reason)] if reason else [])
    assert log.told() == ["dispatched"]
    assert log.state() == "enqueued"


@pytest.mark.parametrize(("seconds", "wait"), [("60.00", 60), ("35985.28", 35985.28), ("-0.01", 0)])
def test_when_the_runner_means_to_wake_up(seconds: str, wait: float) -> None:
    log = Log()
    log.write(5, RUN, "DEBUG", None, RUNNER, f"select() timeout: {seconds} sec")
    assert log.outputs == []
    assert log.lifecycle.runner_wakeup[""] == log.lifecycle.now + round(wait * 1000)


def test_a_number_beyond_all_numbers_is_a_far_date() -> None:
    log = Log()
    log.write(5, RUN, "DEBUG", None, RUNNER, f"select() timeout: {'9' * 400}.00 sec")
    assert log.lifecycle.runner_wakeup[""] == log.lifecycle.now + 1_000_000_000_000
