"""The text that is scraped: the same, byte for byte, as prometheus_client writes of the same samples."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from logparse.lifecycle.event import Output
from logparse.out.exposition import END, Buckets, Row, buckets, heading, samples
from logparse.out.families import FAMILIES
from logparse.out.family import Family, exposed
from tests.out.test_collector import Open, collector, everything, registry

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ['a"b', "\\", "\n", "\\n", "{}", "%s", "%", "}", "le"]
)
NUMBER = (
    st.integers(-(10**18), 10**18)
    | st.sampled_from([0, 999_999, 1_000_000, 1_000_001, -1_000_000, 2**53])
    | st.floats()
    | st.booleans()
)
LABELS = st.lists(
    st.sampled_from(["db", "channel", "server", "method", "route", "status", "kind", "le_", "a"]),
    max_size=4,
    unique=True,
).map(tuple)


class Given(Collector):
    def __init__(self, *metrics: Metric) -> None:
        self.metrics = metrics

    def collect(self) -> tuple[Metric, ...]:
        return self.metrics


def both(metric: Metric) -> tuple[str, str]:
    return generate_latest(Given(metric)).decode(), generate_openmetrics(Given(metric)).decode()


@given(LABELS, st.data(), st.sampled_from(["counter", "gauge", "info"]), TEXT)
def test_samples(labels: tuple[str, ...], data: st.DataObject, kind: str, text: str) -> None:
    row = st.tuples(st.tuples(*[TEXT] * len(labels)), NUMBER)
    rows: list[Row] = data.draw(st.lists(row, max_size=1 if not labels else 5))
    family = Family("x_total" if kind == "counter" else "x", kind, labels, text)  # type: ignore[arg-type]
    metric = Metric("x", text, kind)
    for values, number in rows:
        metric.add_sample(exposed(family), dict(zip(labels, values, strict=True)), number)
    written = samples(family, rows)
    expected, in_openmetrics = both(metric)
    assert heading(family, openmetrics=False) + written == expected
    assert heading(family, openmetrics=True) + written + END == in_openmetrics


@given(
    LABELS.filter(bool),
    st.data(),
    st.lists(st.floats(0.001, 1e6), unique=True, max_size=6).map(sorted),
)
def test_buckets(labels: tuple[str, ...], data: st.DataObject, bounds: list[float]) -> None:
    counts = st.lists(st.integers(0, 10**7), min_size=len(bounds) + 1, max_size=len(bounds) + 1)
    row = st.tuples(st.tuples(*[TEXT] * len(labels)), counts, st.floats(0, 1e12))
    rows: list[Buckets] = data.draw(st.lists(row, max_size=4))
    family = Family("x_seconds", "histogram", labels, "Help.", unit="seconds")
    metric = Metric("x_seconds", "Help.", "histogram", "seconds")
    for values, numbers, total in rows:
        own = dict(zip(labels, values, strict=True))
        so_far = 0
        for bound, number in zip([*map(repr, bounds), "+Inf"], numbers, strict=True):
            so_far += number
            metric.samples.append(Sample("x_seconds_bucket", {**own, "le": bound}, so_far))
        metric.samples.append(Sample("x_seconds_count", own, so_far))
        metric.samples.append(Sample("x_seconds_sum", own, total))
    written = buckets(family, bounds, rows)
    expected, in_openmetrics = both(metric)
    assert heading(family, openmetrics=False) + written == expected
    assert heading(family, openmetrics=True) + written + END == in_openmetrics


def test_all_families_with_and_without_values() -> None:
    outputs: list[list[Output]] = [[], everything()]
    for told in outputs:
        made = collector(told, Open())
        assert made.text(openmetrics=False) == generate_latest(registry(made)).decode()
        assert made.text(openmetrics=True) + END == generate_openmetrics(registry(made)).decode()
        assert all(exposed(family) in made.text(openmetrics=False) for family in FAMILIES)
