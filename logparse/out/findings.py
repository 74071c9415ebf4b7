"""What in a report deserves a look first, in sentences."""

from typing import NamedTuple

from logparse.out.report import Database, Report
from logparse.out.units import duration, moment, number, parsed, plural, printable, share

# A job that was dispatched so long ago (seconds) is no longer just under way.
_LONG = 600.0
_UNDER_WAY = ("dispatched", "enqueued", "started")
_SLOW_DELAY = 10.0
_MANY_RETRIES = 0.2
_MANY_FAILURES = 0.5


class Finding(NamedTuple):
    """weight: how much it matters, 0 to 100. text: one sentence without a full stop. bad: it is trouble."""

    weight: int
    text: str
    bad: bool = True


def findings(report: Report) -> list[Finding]:
    """What deserves a look, the most important first; empty where nothing does."""
    found = [_begun(one) for one in _of_log(report)]
    several = len(report.databases) > 1
    for database in report.databases:
        of_database = _of_database(report, database)
        if several:
            name = printable(database.db or "database unknown")
            of_database = [one._replace(text=f"{name}: {one.text}") for one in of_database]
        else:
            of_database = [_begun(one) for one in of_database]
        found += of_database
    return sorted(found, key=lambda one: -one.weight)


def _begun(finding: Finding) -> Finding:
    """With a capital letter at its beginning."""
    return finding._replace(text=finding.text[:1].upper() + finding.text[1:])


def _of_log(report: Report) -> list[Finding]:
    found = []
    blind, installation = report.visibility.blind, report.installation
    if blind is not None:
        found.append(Finding(100, f"how jobs end is not fully visible: {blind}"))
    errors = {name: count for name, count in installation.runner_errors.items() if count}
    if errors:
        total = sum(errors.values())
        found.append(Finding(90, f"the job runner had {plural(total, 'error')}: {_most(errors)}"))
    kills = installation.worker_kills
    if kills:
        total = sum(kills.values())
        found.append(Finding(55, f"{plural(total, 'worker was', 'workers were')} killed: {_most(kills)}"))
    unmatched = sum(report.input.unmatched.values())
    if unmatched:
        found.append(
            Finding(20, f"{plural(unmatched, 'line')} of queue_job not recognised: run `logparse check`")
        )
    if report.input.evicted:
        found.append(
            Finding(25, f"{plural(report.input.evicted, 'job was', 'jobs were')} forgotten: raise --max-jobs")
        )
    return found


def _of_database(report: Report, database: Database) -> list[Finding]:
    found = []
    events = database.events
    failed, lost = events["failed"] or 0, events["lost"] or 0
    if failed:
        weight = 85 if (database.success_rate or 1.0) < _MANY_FAILURES else 60
        text = plural(failed, "failure")
        if database.success_rate is not None:
            text = f"{share(1 - database.success_rate)} of the outcomes are failures"
        named = [one for one in database.exceptions if one.exception]
        if named:
            first = named[0]
            name = printable(first.exception or "")
            text += f", most often {name} ({number(first.count)} of {number(failed)})"
        found.append(Finding(weight, text))
    if lost:
        found.append(
            Finding(75, f"{plural(lost, 'attempt was', 'attempts were')} lost: begun, and never ended")
        )
    dead = database.requeued["dead"]
    if dead:
        found.append(Finding(70, f"{plural(dead, 'time')} a job was found dead, and put back into the queue"))
    timeout = database.requeued["timeout"]
    if timeout:
        found.append(
            Finding(50, f"{plural(timeout, 'dispatch', 'dispatches')} found no free worker within a second")
        )
    found += _stuck(report, database)
    delay = database.dispatch_delay
    if delay is not None and delay.p95 > _SLOW_DELAY:
        found.append(Finding(40, f"one dispatch in 20 waits {duration(delay.p95)} or more for a worker"))
    if (database.retry_rate or 0) > _MANY_RETRIES:
        found.append(Finding(30, f"{share(database.retry_rate or 0)} of the attempts end in a retry"))
    return found


def _stuck(report: Report, database: Database) -> list[Finding]:
    last = report.input.last
    found = []
    for one in database.open:
        if one.state not in _UNDER_WAY or not one.jobs or not one.oldest or not last:
            continue
        age = (parsed(last) - parsed(one.oldest)).total_seconds()
        if age > _LONG:
            found.append(
                Finding(
                    80,
                    f"{plural(one.jobs, 'job is', 'jobs are')} {one.state} and not ended, the oldest since "
                    f"{moment(one.oldest)} ({duration(age)})",
                )
            )
    return found


def _most(counts: dict[str, int]) -> str:
    named = [f"{printable(name)} ({number(count)})" for name, count in list(counts.items())[:3]]
    return ", ".join(named) + (", …" if len(counts) > 3 else "")
