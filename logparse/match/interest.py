"""What a set of patterns needs to see: a few texts of which every record that can match holds one."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain

from logparse.match.pattern import PatternSet
from logparse.record.interest import Interest

# Loggers that write much besides what patterns want: their names alone would let too many lines through.
_BUSY = frozenset({"werkzeug", "odoo", "openerp", "odoo.sql_db", "openerp.sql_db", "urllib3.connectionpool"})
# Parts of a logger's name, and of messages, that stand in nearly every line or in much ordinary text.
_PLAIN = re.compile(r"\.?(?:odoo|openerp|addons|odoo\.addons|openerp\.addons|[a-z]+)?\.?")
_ACCESS = re.compile(r"[^A-Za-z]*(?:(?:GET|POST) ?/?)?(?:/?web/dataset/call_)?(?:HTTP/1\.?)?[^A-Za-z]*")
_LEAST = 4


def interest(patterns: PatternSet) -> Interest:
    """The literals and loggers by which the record stage picks lines (see Interest).

    A greedy cover: again and again the text that the most records still unseen must hold, the longest first.
    """
    of_loggers: dict[str, frozenset[str]] = {}
    wanted: list[frozenset[str]] = []
    for pattern in patterns.patterns:
        in_message = frozenset(text for run in pattern.literals for text in _of_run(run))
        for logger in pattern.loggers:
            if logger not in of_loggers:
                of_loggers[logger] = frozenset(_of_logger(logger))
            if logger not in _BUSY:
                wanted.append(in_message | of_loggers[logger])
            else:
                wanted.append(in_message or frozenset((_whole(logger),)))
    chosen: list[str] = []
    while wanted:
        counts = Counter(chain.from_iterable(wanted))
        best = max(counts, key=lambda text: (counts[text], len(text), text))
        chosen.append(best)
        wanted = [texts for texts in wanted if not any(best in text for text in texts)]
    bodies = (logger for pattern in patterns.patterns if pattern.body for logger in pattern.loggers)
    return Interest(tuple(text.encode() for text in chosen), frozenset(bodies))


def _whole(logger: str) -> str:
    """The whole name as the header has it, after a blank; a short one with its colon."""
    return f" {logger}" if len(logger) > _LEAST else f" {logger}: "


def _of_logger(logger: str) -> Iterator[str]:
    """The name and its parts that tell something, as they stand in a header: of `odoo.addons.queue_job.job`,
    ` odoo.addons.queue_job` for one. (Paths in tracebacks hold the same words, between other signs.)
    """
    yield _whole(logger)
    words = logger.split(".")
    for start in range(len(words)):
        for end in range(start + 1, len(words) + 1):
            part = ".".join(words[start:end])
            left = "." if start else " "
            right = "." if end < len(words) else ""
            for text in (left + part, left + part + right):
                if (len(text) > _LEAST and not _PLAIN.fullmatch(text[1:])) or _inner(text):
                    yield text


def _inner(text: str) -> bool:
    """`.service.`: one plain word, but between dots and not the commonest."""
    return len(text) > _LEAST + 2 and text[0] == text[-1] == "." and text not in (".addons.", ".models.")


def _of_run(run: str) -> Iterator[str]:
    """Texts within a literal run, without what JSON escapes or an encoding changes."""
    for clean in re.split(r"[^ !#-\[\]-~]+", run):
        for text in (clean, *re.findall(r"[^ ?=.]+[?=.]", clean)):
            if len(text) >= _LEAST and not _ACCESS.fullmatch(text) and (text == clean or len(text) > 5):
                yield text
                if text[0] == "/" and len(text) > _LEAST:
                    yield text[1:]
