"""The page in a real browser: it draws, filters, zooms, needs no mouse, and shows what --json says."""

import gzip
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.out.page.conftest import Opened

Open = Callable[..., Opened]
TIMED = ("throughput", "trouble", "open", "oldest", "run", "delay")

INK = """canvas => {
  const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let inked = 0;
  for (let i = 3; i < data.length; i += 4) if (data[i] > 0) inked += 1;
  return inked;
}"""
SCALE = """key => {
  const x = logparse.charts.find(c => c.key === key).u?.scales.x;
  return x && [x.min, x.max];
}"""
SUMS = """([db, word]) => logparse.data.lanes.filter(l => l.db === db)
  .flatMap(l => word === "ended" ? l.ended : l.counts[word] || []).reduce((a, b) => a + b, 0)"""


def two_databases(fixtures: Path) -> Path:
    return fixtures / "18.0-w2-2db-info" / "odoo.log.gz"


def tile(page: Page, name: str) -> str:
    return page.locator(f"[data-tile={name}]").inner_text()


def shown(page: Page) -> tuple[int, int]:
    found: list[int] = page.evaluate("[logparse.shown.from, logparse.shown.to]")
    return found[0], found[1]


def duration(seconds: float) -> str:
    """As the page writes it, of less than a minute."""
    if seconds < 0.9995:
        return f"{round(seconds * 1000)} ms"
    return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"


def drag(page: Page, start: float, end: float) -> None:
    """Over the first chart, from one part of its width to another."""
    box = page.locator(".u-over").first.bounding_box()
    assert box is not None
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * start, y)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * (start + end) / 2, y)
    page.mouse.move(box["x"] + box["width"] * end, y)
    page.mouse.up()


def test_every_chart_is_drawn(opened: Open, fixtures: Path) -> None:
    page = opened(fixtures / "16.0-w2-debug" / "odoo.log.gz").page
    titles = page.locator("figure h3").all_inner_texts()
    assert len(titles) == page.locator("figure canvas").count() == 10
    for canvas in page.locator("figure canvas").all():
        assert canvas.evaluate(INK) > 1500


def test_all_counts_are_those_of_json(opened: Open, fixtures: Path) -> None:
    for log in (two_databases(fixtures), fixtures / "16.0-w2-debug" / "odoo.log.gz"):
        page, report, *_ = opened(log)
        for database in report["databases"]:
            for word, count in database["events"].items():
                assert page.evaluate(SUMS, [database["db"], word]) == (count or 0), word
            assert page.evaluate(SUMS, [database["db"], "ended"]) == database["runs"]
        for word in ("done", "failed", "retried", "requeued", "lost"):
            assert int(tile(page, word)) == sum(one["events"][word] or 0 for one in report["databases"])
        assert int(tile(page, "ended")) == sum(one["runs"] for one in report["databases"])


def test_percentiles_are_those_of_json_and_the_charts_within_5_percent(opened: Open, fixtures: Path) -> None:
    page, report, *_ = opened(two_databases(fixtures))
    assert tile(page, "run50") == duration(report["duration"]["p50"])
    assert tile(page, "run95") == duration(report["duration"]["p95"])
    assert tile(page, "delay95") == duration(report["dispatch_delay"]["p95"])
    for database in report["databases"]:
        page.select_option("#db", f"={database['db']}")
        assert tile(page, "run95") == duration(database["duration"]["p95"])
        for kind, measured in (("run", database["duration"]), ("delay", database["dispatch_delay"])):
            steps: dict[int, int] = {}
            lanes = page.evaluate("logparse.data.lanes")
            for lane in lanes:
                if lane["db"] == database["db"]:
                    for _, *pairs in lane[kind]:
                        for step, count in zip(pairs[::2], pairs[1::2], strict=True):
                            steps[step] = steps.get(step, 0) + count
            assert sum(steps.values()) == measured["count"]
            for share, exact in ((0.5, measured["p50"]), (0.95, measured["p95"])):
                rank, passed = math.ceil(share * measured["count"]), 0
                for step in sorted(steps):
                    passed += steps[step]
                    if passed >= rank:
                        break
                # A step is 10 % wide, its middle is taken; the report itself is within 1 %.
                assert 2 * 1.1**step / 2.1 == pytest.approx(exact, rel=0.062, abs=0.001)


def test_the_tables_are_those_of_json(opened: Open, fixtures: Path) -> None:
    page, report, *_ = opened(fixtures / "16.0-w2-debug" / "odoo.log.gz")
    (database,) = report["databases"]
    article = page.locator("section[aria-labelledby=h-databases] article").first
    for word, count in database["events"].items():
        row = article.locator("tr", has=page.get_by_role("rowheader", name=word, exact=True)).first
        assert row.locator("td").first.inner_text() == ("–" if count is None else f"{count:,}")
    failures = page.locator("section[aria-labelledby=h-exceptions] td.big").all_inner_texts()
    assert sum(map(int, failures)) == database["events"]["failed"]
    by_class: dict[str, int] = {}
    for row in page.locator("section[aria-labelledby=h-exceptions] tbody tr").all():
        name = row.locator("b").inner_text()
        by_class[name] = by_class.get(name, 0) + int(row.locator("td.big").inner_text())
    assert by_class == {one["exception"]: one["count"] for one in database["exceptions"]}


def test_filter_by_database(opened: Open, fixtures: Path) -> None:
    page, report, *_ = opened(two_databases(fixtures))
    first, second = report["databases"]
    page.select_option("#db", f"={second['db']}")
    assert int(tile(page, "done")) == second["events"]["done"]
    hidden = page.locator(f"article[data-db='{first['db']}']")
    assert hidden.count() > 1
    assert not any(one.is_visible() for one in hidden.all())
    assert page.locator(f"article[data-db='{second['db']}']").first.is_visible()
    for database in (first, second):
        page.select_option("#db", f"={database['db']}")
        left = sum(one["jobs"] or 0 for one in database["open"] if one["state"] != "unsettled")
        assert int(tile(page, "open")) == left
    page.select_option("#db", "-")
    assert int(tile(page, "done")) == first["events"]["done"] + second["events"]["done"]


def test_what_is_open_at_the_end(opened: Open, fixtures: Path, tmp_path: Path) -> None:
    text = gzip.decompress((fixtures / "16.0-w2-debug" / "odoo.log.gz").read_bytes())
    log = tmp_path / "odoo.log"
    log.write_bytes(text[: len(text) // 2])
    page, report, *_ = opened(log)
    (database,) = report["databases"]
    left = sum(one["jobs"] for one in database["open"] if one["state"] != "unsettled")
    assert int(tile(page, "open")) == left > 0
    page.select_option("#channel", "=root.other")
    page.select_option("#channel", "-")
    assert int(tile(page, "open")) == left


def test_filter_by_channel(opened: Open, fixtures: Path) -> None:
    page, report, *_ = opened(fixtures / "16.0-w2-debug" / "odoo.log.gz")
    channels = [one for one in report["databases"][0]["channels"] if one["channel"]]
    assert len(channels) > 1
    for one in channels:
        page.select_option("#channel", f"={one['channel']}")
        assert int(tile(page, "ended")) == one["runs"]
        assert int(tile(page, "failed")) == one["events"].get("failed", 0)
        assert tile(page, "run95") == duration(one["duration"]["p95"])


def test_zoom_with_the_mouse(opened: Open, fixtures: Path) -> None:
    page, *_ = opened(two_databases(fixtures))
    everything, whole = int(tile(page, "ended")), shown(page)
    drag(page, 0.3, 0.5)
    start, end = shown(page)
    assert 0 < start < end < whole[1]
    part = page.evaluate(
        "logparse.data.lanes.reduce((n, l) => n + l.ended.slice(logparse.shown.from, logparse.shown.to)"
        ".reduce((a, b) => a + b, 0), 0)"
    )
    assert int(tile(page, "ended")) == part < everything
    assert page.locator("#approximate").is_visible()
    for key in TIMED:  # all of them show the same time
        scale = page.evaluate(SCALE, key)
        begin, width = page.evaluate("[logparse.data.start, logparse.data.width]")
        assert scale is None or scale == [(begin + start * width) / 1000, (begin + end * width) / 1000]
    page.locator(".u-over").first.dblclick()
    assert shown(page) == whole
    assert int(tile(page, "ended")) == everything


def test_zoom_and_values_with_the_keyboard(opened: Open, fixtures: Path) -> None:
    page, *_ = opened(two_databases(fixtures))
    whole = shown(page)
    page.locator("figure .plot").first.focus()
    page.keyboard.press("+")
    start, end = shown(page)
    assert end - start < whole[1]
    said = []
    for _ in range(8):
        page.keyboard.press("ArrowRight")
        said.append(page.locator("#said").inner_text())
    assert len(set(said)) > 3
    assert all(re.search(r"\d\d:\d\d:\d\d: done \d+, failed \d+", text) for text in said)
    page.keyboard.press("0")
    assert shown(page) == whole
    page.get_by_role("button", name="Zoom in").click()
    page.get_by_role("button", name="Later").click()
    assert shown(page) != whole
    page.get_by_role("button", name="All").click()
    assert shown(page) == whole


def test_values_below_the_mouse(opened: Open, fixtures: Path) -> None:
    page, *_ = opened(fixtures / "16.0-w2-info" / "odoo.log")
    interval, kind, _, notes = next(
        mark for mark in page.evaluate("logparse.data.marks") if mark[1] == "worker_killed"
    )
    assert (kind, notes) == ("worker_killed", ["limit_time_real"])
    box = page.locator(".u-over").first.bounding_box()
    assert box is not None
    length = page.evaluate("logparse.data.length")
    page.mouse.move(box["x"] + box["width"] * (interval + 0.2) / length, box["y"] + 40)
    assert page.locator(".tip").first.inner_text() == "worker killed: limit_time_real"
    busiest = page.evaluate("logparse.data.lanes[0].counts.done")
    at = busiest.index(max(busiest))
    page.mouse.move(box["x"] + box["width"] * (at + 0.2) / length, box["y"] + 40)
    legend = page.locator(".u-legend").first.inner_text()
    assert re.search(rf"done\s*{max(busiest)}failed", legend)


def test_the_values_of_a_chart_as_a_table(opened: Open, fixtures: Path) -> None:
    page, report, *_ = opened(two_databases(fixtures))
    page.locator("figure summary").first.click()
    rows = page.locator("figure").first.locator("details tbody tr")
    rows.first.wait_for()  # the table is filled after the click, when the browser tells of it
    done = [int(row.locator("td").first.inner_text()) for row in rows.all()]
    assert sum(done) == sum(one["events"]["done"] for one in report["databases"])


def test_a_link_opens_the_story(opened: Open, fixtures: Path) -> None:
    page, report, *_ = opened(fixtures / "16.0-w2-debug" / "odoo.log.gz")
    (database,) = report["databases"]
    lost = database["lost_jobs"][0]["uuid"]
    assert len(database["lost_jobs"]) == database["events"]["lost"]
    for uuid in (database["slowest"][0]["uuid"], lost):
        story = page.locator(f"details[id='job-{uuid}']")
        assert not story.evaluate("one => one.open")
        page.locator(f"a[href='#job-{uuid}']").first.click()
        assert story.evaluate("one => one.open")
        assert story.locator("tbody tr").count() >= 3
    assert "lost" in page.locator(f"details[id='job-{lost}']").inner_text()


def violations(page: Page) -> list[Any]:
    found: list[Any] = Axe().run(page).response["violations"]
    return [
        (one["id"], one["nodes"][0]["html"][:200], one["nodes"][0].get("failureSummary")) for one in found
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(opened: Open, fixtures: Path, scheme: str) -> None:
    page = opened(
        fixtures / "16.0-w2-debug" / "odoo.log.gz", options=("--with-text",), color_scheme=scheme
    ).page
    page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true; })")
    assert violations(page) == []


def test_light_dark_and_the_button(opened: Open, fixtures: Path) -> None:
    page = opened(two_databases(fixtures), color_scheme="dark").page
    ground = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(ground)
    page.get_by_role("button", name="Light").click()
    light = page.evaluate(ground)
    assert (
        sum(map(int, re.findall(r"\d+", dark)[:3])) < 150 < 600 < sum(map(int, re.findall(r"\d+", light)[:3]))
    )


def test_a_phone_needs_no_sideways_scrolling(opened: Open, fixtures: Path) -> None:
    page = opened(
        fixtures / "16.0-w2-debug" / "odoo.log.gz", viewport={"width": 360, "height": 740}, is_mobile=True
    ).page
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.locator("figure canvas").count() == 10


def test_on_paper(opened: Open, fixtures: Path, tmp_path: Path) -> None:
    page = opened(two_databases(fixtures), color_scheme="dark").page
    paper = page.pdf(format="A4")
    assert len(re.findall(rb"/Type\s*/Page\b", paper)) >= 3
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert not page.locator("#bar").is_visible()


def test_without_scripts_all_numbers_are_there(opened: Open, fixtures: Path) -> None:
    page, report, *_ = opened(two_databases(fixtures), java_script_enabled=False)
    assert int(tile(page, "done")) == sum(one["events"]["done"] for one in report["databases"])
    assert "The charts need JavaScript" in page.locator("main").inner_text()


@pytest.mark.parametrize("folder", ["16.0-werkzeug-silenced-info", "17.0-w2-warn", "17.0-w2-badport"])
def test_what_is_not_visible_is_said(opened: Open, fixtures: Path, folder: str) -> None:
    (log,) = (fixtures / folder).glob("odoo.log*")
    page, report, *_ = opened(log)
    hidden = page.locator("section[aria-labelledby=h-hidden]").inner_text()
    for item in report["visibility"]["items"]:
        assert (item["why"] in hidden) == (item["shown"] in ("no", "partly"))
    assert "Not visible" in page.locator("#charts").inner_text()


def test_an_empty_log(opened: Open, tmp_path: Path) -> None:
    log = tmp_path / "odoo.log"
    log.write_text("2026-11-24 02:59:20,896 17636 INFO prod odoo.modules.loading: Modules loaded. \n")
    page, *_ = opened(log)
    assert page.locator("h1").inner_text() == "No queue job in this log."
    assert page.locator("canvas").count() == 0


HOSTILE = {
    "qj16_w2_debug_a": "<svg/onload=hacked=1>",
    "root.sub.deep": "root.</script><script>hacked=1</script>",
    "root.other": "__proto__",
    "plain failure": "</script><img src=x onerror=hacked=1> \u202e \u2028 <!--<script>",
    "CustomBoom": "<b>Boom",
    "models/qj_lab.py": "models/<img src=x onerror=hacked=1>.py",
}


def test_nothing_in_a_log_becomes_html_or_script(opened: Open, fixtures: Path, tmp_path: Path) -> None:
    text = gzip.decompress((fixtures / "16.0-w2-debug" / "odoo.log.gz").read_bytes()).decode()
    for old, new in HOSTILE.items():
        assert old in text
        text = text.replace(old, new)
    log = tmp_path / "<img src=x onerror=hacked=1>.log"
    log.write_text(text)
    page, report, path, troubles = opened(log, options=("--with-text",))
    assert page.evaluate("typeof window.hacked") == "undefined"
    assert page.locator("img, svg, b > b, iframe, object, form [action]").count() == 0
    assert page.locator("script").count() == 2
    (database,) = report["databases"]
    assert database["db"] == "<svg/onload=hacked=1>"
    assert page.locator("article h3").first.inner_text() == database["db"]
    page.select_option("#channel", "=__proto__")
    assert int(tile(page, "ended")) == next(
        one["runs"] for one in database["channels"] if one["channel"] == "__proto__"
    )
    failures = page.locator("section[aria-labelledby=h-exceptions]").inner_text()
    assert "<img src=x onerror=hacked=1>.py:" in failures
    assert "</script><img src=x onerror=hacked=<n>> \\u202e" in failures
    # Even where something had slipped through, the page's own policy would not run it.
    page.evaluate(
        "document.body.append(document.createRange().createContextualFragment('<script>hacked=1</script>'))"
    )
    assert page.evaluate("typeof window.hacked") == "undefined"
    assert "Content Security Policy" in troubles.pop()
    assert path.read_text().count("</script>") == 2
