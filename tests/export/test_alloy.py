"""Alloy's configuration: well formed, and the same pipeline as Promtail's."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from logparse.export.files import generate
from tests import recorded
from tests.export.alloy import Block, Name, as_promtail, parse

ROOT = Path(__file__).parent.parent.parent


def defaults(declared: Block) -> dict[str, Any]:
    """The arguments' defaults, by the reference that stands for each."""
    return {
        f"argument.{block.label}.value": block.attributes.get("default")
        for block in declared.blocks
        if block.name == "argument"
    }


def parts(blocks: list[Block], name: str) -> list[Block]:
    return [block for block in blocks if block.name == name]


@pytest.mark.parametrize("http", [False, True])
@pytest.mark.parametrize("odoo", [None, "16.0"])
def test_it_is_promtails_pipeline(http: bool, odoo: str | None) -> None:
    text = generate("alloy-module", recorded.patterns(), http=http, odoo=odoo)
    (declared,) = parse(text)
    (process,) = parts(declared.blocks, "loki.process")
    stages = yaml.safe_load(generate("stages", recorded.patterns(), http=http, odoo=odoo))["pipeline_stages"]
    assert as_promtail(process.blocks, defaults(declared)) == stages


def test_every_argument_has_a_comment_and_all_but_one_a_default() -> None:
    (declared,) = parse((ROOT / "promtail" / "odoo_queue_job.alloy").read_text(encoding="utf-8"))
    assert (declared.name, declared.label) == ("declare", "odoo_queue_job")
    arguments = parts(declared.blocks, "argument")
    assert [block.label for block in arguments] == [
        "forward_to",
        "max_idle_duration",
        "max_lines",
        "max_wait_time",
    ]
    for block in arguments:
        assert block.attributes["comment"].endswith(".")
        if block.label == "forward_to":
            assert block.attributes.keys() == {"comment"}
        else:
            assert block.attributes["optional"] is True
            assert "default" in block.attributes


def test_the_module_is_wired() -> None:
    (declared,) = parse((ROOT / "promtail" / "odoo_queue_job.alloy").read_text(encoding="utf-8"))
    (process,) = parts(declared.blocks, "loki.process")
    assert process.attributes == {"forward_to": Name("argument.forward_to.value")}
    (export,) = parts(declared.blocks, "export")
    assert export.label == "receiver"
    assert export.attributes == {"value": Name(f"{process.name}.{process.label}.receiver")}


def test_the_whole_configuration_uses_the_module_it_holds() -> None:
    blocks = parse((ROOT / "promtail" / "config.alloy").read_text(encoding="utf-8"))
    (module,) = parse((ROOT / "promtail" / "odoo_queue_job.alloy").read_text(encoding="utf-8"))
    assert [block.name for block in blocks] == [
        "declare",
        "local.file_match",
        "loki.source.file",
        "odoo_queue_job",
        "loki.write",
    ]
    declared, match, source, use, write = blocks
    assert declared == module
    assert source.attributes == {
        "targets": Name(f"local.file_match.{match.label}.targets"),
        "forward_to": [Name(f"odoo_queue_job.{use.label}.receiver")],
    }
    assert use.attributes == {"forward_to": [Name(f"loki.write.{write.label}.receiver")]}
    assert match.attributes["path_targets"] == [{"__path__": "/var/log/odoo/odoo.log", "job": "odoo"}]


@pytest.mark.parametrize(
    "bad",
    ['a "b" {', "a = 1", 'a {\n b = ["x"\n]\n}', "a {\n b = 1 c = 2\n}", "a {\n b = `x`\n}", "a { b }"],
)
def test_the_parser_refuses_what_is_not_well_formed(bad: str) -> None:
    with pytest.raises((AssertionError, IndexError)):
        parse(bad)
