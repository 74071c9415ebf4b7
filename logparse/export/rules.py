"""Loki's recording rules, in LogQL, over the labels and the metadata that the pipeline gives."""

from logparse.export.signal import PREFIX, SHIPPED, SOURCE, Signal

_GROUP = """\
groups:
  - name: odoo_queue_job_pipeline
    interval: 1m
    rules:
"""


def rules(signals: tuple[Signal, ...]) -> str:
    """The file for Loki's ruler: a rate for each signal, and the seconds of answers."""
    text = _GROUP
    for signal in signals:
        name = signal.metric.removesuffix("_total")
        by = ["db"] if signal.db else []
        if signal.label:
            by.append(signal.label)
        text += _rule(
            f"{PREFIX}{name}:rate5m",
            f"sum by ({', '.join(by)}) (rate({_selector(signal)}[5m]))",
            f"A second, over 5 minutes. {signal.help}",
        )
        if signal.label == "status":
            text += _seconds(signal)
    return text


def _selector(signal: Signal) -> str:
    """The records that the pipeline marked, and not the events that `logparse ship` may send beside it."""
    return f'{{event="{signal.event}", {SOURCE}!="{SHIPPED}"}}'


def _seconds(signal: Signal) -> str:
    values = f'{_selector(signal)} | duration != "" | unwrap duration | __error__="" [5m]'
    text = ""
    for quantile, name in ((0.5, "p50"), (0.95, "p95")):
        text += _rule(
            f"{PREFIX}runjob_response_seconds:{name}_5m",
            f"quantile_over_time({quantile}, {values}) by (db)",
            f"Seconds within which {quantile:.0%} of the answers came, over 5 minutes.",
        )
    return text + _rule(
        f"{PREFIX}runjob_response_seconds:sum_rate5m",
        f"sum by (db) (sum_over_time({values})) / 300",
        "Workers that were busy with jobs on average, over 5 minutes.",
    )


def _rule(name: str, expression: str, comment: str) -> str:
    return f"""\
      # {comment}
      - record: {name}
        expr: |-
          {expression}
"""
