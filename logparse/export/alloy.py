"""Alloy's configuration: the same pipeline as a module that others import, and a use of it."""

import json

from logparse.export.signal import BUCKETS
from logparse.export.signal import PREFIX as METRICS
from logparse.export.stages import IDLE, MAX_LINES, MAX_WAIT, Metric, Stage

# Promtail's names of stages that Alloy calls otherwise (grafana/alloy, docs/sources/set-up/migrate).
_NAMES = {"labeldrop": "label_drop"}
# Stages whose settings stand in a map of their own.
_VALUES = frozenset({"labels", "static_labels", "structured_metadata", "labeldrop"})
# What the module's user may set.
_ARGUMENTS = {
    "max_wait_time": "argument.max_wait_time.value",
    "max_lines": "argument.max_lines.value",
}


def module(stages: tuple[Stage, ...]) -> str:
    """The custom component `odoo_queue_job`, alone: what `import.file` takes."""
    return f"""\
// odoo_queue_job takes the lines of Odoo's log and hands them on with the job's labels and metadata; it
// counts what happens to jobs at Alloy's own /metrics. Lines that say nothing of a job pass as they are.
//
//   import.file "odoo" {{ filename = "/etc/alloy/odoo_queue_job.alloy" }}
//   odoo.odoo_queue_job "default" {{ forward_to = [loki.write.default.receiver] }}
//   // and as the forward_to of a loki.source.*: [odoo.odoo_queue_job.default.receiver]
declare "odoo_queue_job" {{
	argument "forward_to" {{
		comment = "Required: the receivers of all lines, such as [loki.write.default.receiver]."
	}}

	argument "max_idle_duration" {{
		optional = true
		default  = "{IDLE}"
		comment  = "How long a metric stays that nothing counts; then it starts again at 0."
	}}

	argument "max_lines" {{
		optional = true
		default  = {MAX_LINES}
		comment  = "The most lines of one record; a longer traceback is cut."
	}}

	argument "max_wait_time" {{
		optional = true
		default  = "{MAX_WAIT}"
		comment  = "How long to wait for a record's next line."
	}}

	export "receiver" {{
		value = loki.process.odoo_queue_job.receiver
	}}

	loki.process "odoo_queue_job" {{
		forward_to = argument.forward_to.value

{_list(stages, 2)}	}}
}}
"""


def config(stages: tuple[Stage, ...]) -> str:
    """The module, and a use of it: it reads /var/log/odoo/odoo.log and sends to a Loki on the same host."""
    return f"""\
{module(stages)}
local.file_match "odoo" {{
	path_targets = [{{"__path__" = "/var/log/odoo/odoo.log", "job" = "odoo"}}]
}}

loki.source.file "odoo" {{
	targets    = local.file_match.odoo.targets
	forward_to = [odoo_queue_job.default.receiver]
}}

odoo_queue_job "default" {{
	forward_to = [loki.write.default.receiver]
}}

loki.write "default" {{
	endpoint {{
		url = "http://localhost:3100/loki/api/v1/push"
	}}
}}
"""


def _list(stages: tuple[Stage, ...], depth: int) -> str:
    return "\n".join(_stage(stage, depth) for stage in stages)


def _stage(stage: Stage, depth: int) -> str:
    pad = "\t" * depth
    lines = [f"{pad}// {stage.comment}"] if stage.comment else []
    name = f"stage.{_NAMES.get(stage.kind, stage.kind)}"
    if not stage.fields:
        return "\n".join([*lines, f"{pad}{name} {{ }}"]) + "\n"
    lines.append(f"{pad}{name} {{")
    if isinstance(stage.fields, tuple):
        lines.append(f"{pad}\tvalues = [{', '.join(map(_text, stage.fields))}]")
    elif stage.kind in _VALUES:
        width = max(map(len, stage.fields))
        lines.append(f"{pad}\tvalues = {{")
        lines += [f"{pad}\t\t{key:<{width}} = {_text(value)}," for key, value in stage.fields.items()]
        lines.append(f"{pad}\t}}")
    elif stage.kind == "metrics":
        for key, value in stage.fields.items():
            lines += _metric(key, value, depth + 1)
    else:
        width = max(map(len, stage.fields))
        for key, value in stage.fields.items():
            shown = _ARGUMENTS.get(key) if stage.kind == "multiline" else None
            lines.append(f"{pad}\t{key:<{width}} = {shown or _text(value)}")
    text = "\n".join(lines) + "\n"
    if stage.stages:
        text += f"\n{_list(stage.stages, depth + 1)}"
    return f"{text}{pad}}}\n"


def _metric(name: str, value: object, depth: int) -> list[str]:
    pad = "\t" * depth
    if not isinstance(value, Metric):
        raise TypeError(f"{name} is no metric")
    last = 'action            = "inc"'
    if value.kind == "Histogram":
        last = f"buckets           = [{', '.join(f'{bucket:g}' for bucket in BUCKETS)}]"
    return [
        f"{pad}metric.{value.kind.lower()} {{",
        f"{pad}\tname              = {_text(name)}",
        f"{pad}\tprefix            = {_text(METRICS)}",
        f"{pad}\tdescription       = {_text(value.help)}",
        f"{pad}\tsource            = {_text(value.source)}",
        f"{pad}\tmax_idle_duration = argument.max_idle_duration.value",
        f"{pad}\t{last}",
        f"{pad}}}",
    ]


def _text(value: object) -> str:
    """A string as Go writes it, which is how JSON does."""
    return json.dumps(value, ensure_ascii=False)
