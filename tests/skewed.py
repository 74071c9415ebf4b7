"""A log of many jobs whose durations are as skewed as real ones, written as Odoo writes it at INFO."""

import random

from tests.odoo import RUNNER, asking, record, uuid


def skewed_log(seed: int, *, jobs: int = 900, over: int = 1200, db: str = "prod") -> bytes:
    """So many jobs, dispatched over so many seconds, that take 0.02 s and (few of them) minutes."""
    rng = random.Random(seed)
    lines = [(0, record(0, 20, "INFO", None, RUNNER, "starting"))]
    for number in range(jobs):
        asked = rng.randrange(1000, over * 1000)
        job = uuid(number + 1)
        duration = min(0.02 * rng.paretovariate(0.7), 400.0)
        ended = asked + 5 + round(duration * 1000)
        url = f"/queue_job/runjob?db={db}&job_uuid={job}"
        answer = f'127.0.0.1 - - [24/Nov/2026 03:00:00] "GET {url} HTTP/1.1" 200 -'
        lines.append((asked, asking(asked, 20, job, db)))
        lines.append(
            (
                ended,
                record(ended, 1000 + number, "INFO", db, "werkzeug", answer, perf=f"9 0.001 {duration:.3f}"),
            )
        )
    return b"".join(line for _, line in sorted(lines))
