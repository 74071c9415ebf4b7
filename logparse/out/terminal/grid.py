"""Shows a table of plain values, and a comparison."""

from rich.console import Console, Group, RenderableType
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from logparse.out.compare import Comparison
from logparse.out.difference import sentence, table, when
from logparse.out.table import Table, heading, shown
from logparse.out.terminal.layout import columns
from logparse.out.terminal.room import ENDLESS, fold
from logparse.out.units import plural

_MOST = 8
# What is left out first where there is no room for all; and texts that are short.
_SPARE = (
    *("delay_p95", "run_max", "lost", "requeued", "failed_share", "run_p50", "done", "retried"),
    *("ratio", "chance"),
)
_SHORT = ("verdict", "before", "after", "hour", "day", "minute", "clock", "weekday", "worker", "job")
_NARROWEST = 16
_STYLES = {"worse": "red", "new": "red", "better": "green", "gone": "green"}


def grid(one: Table, console: Console, title: str = "") -> RenderableType:
    """The rows below their headings; everything that comes from the log is escaped.

    What has no room is left out, column by column, the least needed first; that is said. Where that is not
    enough, what is left is folded.
    """
    left_out: list[str] = []
    while True:
        found = _grid(one, title, left_out)
        roomy = console.options.update(max_width=ENDLESS)
        width = Measurement.get(console, roomy, found).maximum
        names = [column.name for column in one.columns if column.name not in left_out]
        spare = next((name for name in _SPARE if name in names), None)
        if width <= console.width:
            break
        if spare is None:
            fold(found)
            break
        left_out.append(spare)
    notes = []
    if one.left_out:
        notes.append(f"{one.left_out:,} more: --top NUMBER, or --format csv for all")
    if left_out:
        names = [name.replace("_", " ") for name in reversed(left_out)]
        notes.append(f"no room for {', '.join(names)}: a wider terminal, or --format csv")
    return Group(found, *(Text(note, "dim") for note in notes)) if notes else found


def _grid(one: Table, title: str, left_out: list[str]) -> Grid:
    kept = [index for index, column in enumerate(one.columns) if column.name not in left_out]
    chosen = [one.columns[index] for index in kept]
    kinds = ["*" if column.kind == "text" and column.name not in _SHORT else "<" for column in chosen]
    kinds = [">" if column.kind != "text" else kind for column, kind in zip(chosen, kinds, strict=True)]
    found = columns(title, *zip(map(heading, chosen), kinds, strict=True))
    if not title:
        found.title = None
    for made, kind in zip(found.columns, kinds, strict=True):
        if kind == "*":
            made.min_width = _NARROWEST
    for row in one.rows:
        cells = []
        for index, column in zip(kept, chosen, strict=True):
            value = row[index]
            word = str(value).partition(" ")[0] if column.name == "verdict" else ""
            style = _STYLES.get(word, "") if value == word else "" if value else "dim"
            cells.append(Text(shown(value, column), style))
        found.add_row(*cells)
    return found


def show_comparison(comparison: Comparison, console: Console, most: int = 20) -> None:
    """What changed for certain, in sentences; then what was compared. most: rows of that."""
    changed = [one for one in comparison.differences if one.certain and one.verdict != "same"]
    worse = [one for one in changed if one.verdict in ("worse", "new")]
    heads = Grid.grid(padding=(0, 2))
    heads.add_column(style="dim", no_wrap=True)
    heads.add_column(style="dim", overflow="fold")
    heads.add_row("before", when(comparison.before))
    heads.add_row("after", when(comparison.after))
    console.print(heads)
    tests = f"of {plural(comparison.tests, 'comparison')}"
    if not comparison.tests:
        console.print(Text("There is too little on one side to compare.", "bold"))
    elif not changed:
        console.print(Text(f"Nothing changed by more than chance, {tests}.", "bold"))
    else:
        better = len(changed) - len(worse)
        console.print(Text(f"{len(worse)} got worse and {better} got better, {tests}.", "bold"))
    if changed:
        points = Grid.grid(padding=(0, 1))
        points.add_column(no_wrap=True)
        points.add_column()
        for one in changed[:_MOST]:
            points.add_row(Text("▸", _STYLES[one.verdict]), Text(sentence(one) + "."))
        if len(changed) > _MOST:
            points.add_row("", Text(f"and {len(changed) - _MOST} more", "dim"))
        console.print(Padding(points, (1, 0, 0, 0)))
    if comparison.tests:
        console.print()
        console.print(grid(table(comparison, most), console, "What was compared"))
