"""Promtail's configuration as YAML: the pipeline, and a whole file around it."""

import re

from logparse.export.signal import BUCKETS
from logparse.export.signal import PREFIX as METRICS
from logparse.export.stages import IDLE, Metric, Stage

_PLAIN = re.compile(r"[A-Za-z_/][\w./]*\Z")
# Words that YAML 1.1 reads as something other than text.
_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def pipeline(stages: tuple[Stage, ...], indent: int = 0) -> str:
    """The key `pipeline_stages` with its list."""
    return f"{' ' * indent}pipeline_stages:\n{_list(stages, indent + 2)}"


def config(stages: tuple[Stage, ...]) -> str:
    """A whole configuration: it reads /var/log/odoo/odoo.log and sends to a Loki on the same host."""
    return f"""\
server:
  http_listen_port: 9080
  grpc_listen_port: 0

positions:
  filename: /var/lib/promtail/positions.yaml

clients:
  - url: http://localhost:3100/loki/api/v1/push

scrape_configs:
  - job_name: odoo
    static_configs:
      - targets: [localhost]
        labels:
          job: odoo
          __path__: /var/log/odoo/odoo.log
{pipeline(stages, 4)}"""


def _list(stages: tuple[Stage, ...], indent: int) -> str:
    return "".join(_stage(stage, indent) for stage in stages)


def _stage(stage: Stage, indent: int) -> str:
    pad = " " * indent
    lines = [f"{pad}# {stage.comment}"] if stage.comment else []
    if isinstance(stage.fields, tuple):
        lines += [f"{pad}- {stage.kind}:", *(f"{pad}    - {_text(value)}" for value in stage.fields)]
    elif not stage.fields:
        lines.append(f"{pad}- {stage.kind}: {{}}")
    else:
        lines.append(f"{pad}- {stage.kind}:")
        for name, value in stage.fields.items():
            lines += _field(name, value, indent + 4)
    text = "\n".join(lines) + "\n"
    if stage.stages:
        text += f"{pad}    stages:\n{_list(stage.stages, indent + 6)}"
    return text


def _field(name: str, value: object, indent: int) -> list[str]:
    pad = " " * indent
    if isinstance(value, Metric):
        lines = [
            f"{pad}{name}:",
            f"{pad}  type: {value.kind}",
            f"{pad}  prefix: {METRICS}",
            f"{pad}  description: {_text(value.help)}",
            f"{pad}  source: {value.source}",
            f"{pad}  max_idle_duration: {IDLE}",
            f"{pad}  config:",
        ]
        if value.kind == "Counter":
            return [*lines, f"{pad}    action: inc"]
        return [*lines, f"{pad}    buckets: [{', '.join(f'{bucket:g}' for bucket in BUCKETS)}]"]
    return [f"{pad}{name}: {_text(value)}"]


def _text(value: object) -> str:
    if isinstance(value, int):
        return str(value)
    text = str(value)
    if _PLAIN.match(text) and text.lower() not in _WORDS:
        return text
    return "'" + text.replace("'", "''") + "'"
