"""What waits for Loki, on its way: sent when it is due, tried again, and told of on standard error."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from logparse.cli.logline import log
from logparse.lifecycle.event import Event, Output
from logparse.out.endpoint import Endpoint
from logparse.out.late import Late
from logparse.out.loki import Entries, Entry, body
from logparse.out.outbox import Answer, Outbox
from logparse.out.push import Courier
from logparse.out.sink import Taps
from logparse.out.texts import Texts
from logparse.pipe import Pipe, Tap

_MOST_QUOTED = 300


class Sending:
    """Turns events into entries, and has them pushed one batch at a time; one thread's.

    wanted: the words of the events that are sent. texts: None where none are sent. wait: seconds that an
    event may wait for others. wake: called, in another thread, when there is an answer to take.

    problem: what stands against sending now. tap: to be set on the pipes.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        outbox: Outbox,
        entries: Entries,
        texts: Texts | None,
        wanted: frozenset[str],
        wait: float,
        wake: Callable[[], None],
    ) -> None:
        self.outbox = outbox
        self.entries = entries
        self.texts = texts
        self.problem: Answer | None = None
        self.wait = wait
        self._late = Late()
        self.tap: Tap = self._late if texts is None else Taps([self._late, texts])
        self._wanted = wanted
        self._endpoint = endpoint
        self._courier = Courier(endpoint, wake)
        self._since: float | None = None  # something waits
        self._not_before = 0.0

    def add(self, outputs: Iterable[Output], pipe: Pipe) -> None:
        """Let the wanted events among these wait to be sent."""
        texts = self.texts
        for output in outputs:
            if not isinstance(output, Event) or output.event not in self._wanted:
                continue
            text = None if texts is None else texts.of(output, pipe)
            entry = self.entries.entry(output, text, late=self._late.is_late(output))
            if entry is None:
                self.outbox.drop("time")
            else:
                self.outbox.add((entry,))
        self._late.clear()

    def step(self, *, flush: bool = False) -> bool:
        """Take an answer, or send what is due (flush: all that waits); never waits.

        Returns whether something is settled, which is to be saved before the next step: so no more than
        one batch is sent again after a kill.
        """
        courier, outbox = self._courier, self.outbox
        if courier.busy:
            answer = courier.answer()
            return answer is not None and self._settle(answer)
        now = time.monotonic()
        if not len(outbox):
            self._since = None
        elif self._since is None:
            self._since = now
        if self._since is None or now < self._not_before:
            return False
        if flush or outbox.full or now - self._since >= self.wait:
            courier.send(body(outbox.batch()))
        return False

    def close(self) -> None:
        """Send nothing more; a push that is under way is cut."""
        self._courier.close()

    @property
    def busy(self) -> bool:
        """Whether a push is under way."""
        return self._courier.busy

    @property
    def idle(self) -> float:
        """Seconds until a step has something to do, unless an answer or an event comes."""
        if self._courier.busy or self._since is None:
            return 1.0
        now = time.monotonic()
        due = now if self.outbox.full else self._since + self.wait
        return max(0.0, max(due, self._not_before) - now)

    def _settle(self, answer: Answer) -> bool:
        told = self.outbox.answered(answer)
        for reason, entries in told.dropped.items():
            self._tell_dropped(reason, entries, answer)
        if told.problem is not None:
            self._not_before = time.monotonic() + self.outbox.pause(told.problem)
            if self.problem is None or self.problem.status != told.problem.status:
                self._tell_problem(told.problem)
            self.problem = told.problem
        elif told.progress and self.problem is not None:
            log("info", "Loki takes events again", waiting=len(self.outbox))
            self.problem = None
        if told.progress:
            self._since = None
        return told.progress

    def _tell_problem(self, answer: Answer) -> None:
        fields: dict[str, object] = {"status": answer.status} if answer.status else {}
        if answer.status and answer.text:
            fields["answer"] = answer.text[:_MOST_QUOTED]
        log("error", f"events wait: {sentence(answer, self._endpoint)}", **fields, waiting=len(self.outbox))

    def _tell_dropped(self, reason: str, entries: list[Entry], answer: Answer) -> None:
        first = min(entries, key=lambda entry: entry.ts)
        log(
            "warning",
            "Loki refuses events for good; they are given up",
            reason=reason,
            events=len(entries),
            oldest=datetime.fromtimestamp(first.ts // 1_000_000_000, UTC).isoformat(),
            of=_most_common(entries),
            answer=answer.text[:_MOST_QUOTED],
        )


def _most_common(entries: list[Entry]) -> str:
    return Counter(entry.stream.decode() for entry in entries).most_common(1)[0][0]


def sentence(answer: Answer, endpoint: Endpoint) -> str:
    """What an answer says against sending, and what would help; without its own text, which is quoted."""
    status, url = answer.status, endpoint.url
    if status == 0:
        return answer.text
    if status == 401 and "org id" in answer.text:
        return "Loki wants a tenant (401): name it with --tenant"
    if status == 401:
        return (
            "Loki does not know this login (401): see --user with --password-file, or --token-file"
            if endpoint.login.header() is not None
            else "Loki wants a login (401): give --user with --password-file, or --token-file"
        )
    if status == 403:
        return "this login may not push to Loki (403)"
    if status in (404, 405, 501):
        return f"there is no push API of Loki at {url} ({status}): name Loki as in http://loki:3100"
    if 300 <= status < 400:
        return f"{url} leads elsewhere ({status}), and events are not sent after it: name the address itself"
    if status == 429:
        return "Loki takes no more at this rate (429)"
    if status == 400 and "structured metadata, but" in answer.text:
        return "Loki takes no structured metadata: set allow_structured_metadata (the default from 3.0)"
    if status >= 500:
        return f"Loki has trouble itself ({status})"
    return f"{url} refuses everything ({status}): is it Loki?"
