"""Expositions as targets serve them."""

import io
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, Summary, generate_latest
from prometheus_client.openmetrics.exposition import generate_latest as generate_openmetrics
from prometheus_client.parser import text_string_to_metric_families

from opsconsole.errors import ConfigError
from opsconsole.rehearse.load import from_exposition
from opsconsole.rehearse.model import Panel, Rule

TARGET = {"job": "service", "instance": "127.0.0.1:9090"}


def exposed(folder: Path, text: str | bytes, name: str = "metrics.prom") -> Path:
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def service() -> CollectorRegistry:
    """A service with a metric of each kind, one of them without samples yet."""
    registry = CollectorRegistry()
    Counter("paid", "Payments.", ["status"], registry=registry).labels('a"b\\c\nd}').inc(
        1, exemplar={"trace": "} 1"}
    )
    Counter("failed", "Not yet.", ["code"], registry=registry)
    Gauge("queue", "Waiting.", ["pod"], registry=registry).labels("p").set(float("nan"))
    Histogram("seconds", "Took.", ["pod"], buckets=(0.1, 1), registry=registry).labels("p").observe(1)
    Histogram("late_seconds", "Not yet.", ["pod"], registry=registry)
    Summary("size", "Sizes.", registry=registry).observe(2)
    Info("build", "Version.", registry=registry).info({"version": "1"})
    return registry


@pytest.mark.parametrize("write", [generate_latest, generate_openmetrics], ids=["text", "openmetrics"])
def test_a_service_in_both_formats(tmp_path: Path, write: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "prometheus_client.metrics._use_created", True
    )  # others switch it off for the process
    assert callable(write)
    schema = from_exposition(exposed(tmp_path, write(service())), [Rule(record="a:b", expr="paid_total")])
    kinds = {name: schema.kind(name) for name in schema.metrics if not name.endswith("_created")}
    assert kinds == {
        "paid_total": "counter",
        "failed_total": "counter",
        "queue": "gauge",
        "build_info": "gauge",
        "size_count": "summary",
        "size_sum": "summary",
        **{f"seconds_{part}": "histogram" for part in ("bucket", "sum", "count")},
        **{f"late_seconds_{part}": "histogram" for part in ("bucket", "sum", "count")},
        "up": "gauge",
        "scrape_duration_seconds": "gauge",
        "scrape_samples_scraped": "gauge",
        "scrape_samples_post_metric_relabeling": "gauge",
        "scrape_series_added": "gauge",
    }
    assert {name for name, metric in schema.metrics.items() if metric.declared} == {
        "failed_total",
        "late_seconds_bucket",
        "late_seconds_sum",
        "late_seconds_count",
    }
    assert "paid_created" in schema.metrics
    assert schema.metrics["paid_total"].series == ({"status": 'a"b\\c\nd}', **TARGET},)
    assert [series["le"] for series in schema.metrics["seconds_bucket"].series] == ["0.1", "1.0", "+Inf"]
    assert schema.metrics["seconds_bucket"].always == {"le", "pod", "job", "instance"}
    assert schema.families["seconds"] == "histogram"
    assert (schema.origin, schema.scrape_interval_seconds) == ("exposition", None)
    assert schema.recorded == {"a:b"}


def test_labels_that_a_scrape_may_add(tmp_path: Path) -> None:
    schema = from_exposition(exposed(tmp_path, 'a{pod="x",plan="y\u2028z",node=""} 1\n'))
    assert {"job", "instance", "namespace", "node", "exported_pod"} <= schema.added
    assert "pod" in schema.added, "another target may get it, though this one has it by itself"
    assert not {"plan", "exported_job", "exported_plan"} & schema.added
    assert schema.metrics["a"].possible == {"pod", "plan", "job", "instance", "node"}
    assert schema.metrics["a"].always == schema.metrics["a"].series[0].keys() == {"pod", "plan", *TARGET}
    assert {"pod", "namespace"} <= schema.metrics["up"].possible


def test_a_counter_is_not_declared_where_its_total_is_exposed(tmp_path: Path) -> None:
    schema = from_exposition(exposed(tmp_path, "# TYPE reqs counter\nreqs_total 1\n"))
    assert "reqs" not in schema.metrics


def test_labels_of_a_scrape_that_are_there_already_stay(tmp_path: Path) -> None:
    schema = from_exposition(exposed(tmp_path, 'a{job="batch"} 1 1700000000\n'))
    assert schema.metrics["a"].series == ({"job": "batch", "instance": "127.0.0.1:9090"},)
    assert "exported_job" in schema.added


def test_several_files_are_one_truth(tmp_path: Path) -> None:
    one = exposed(tmp_path, "# TYPE a counter\na 1\na 1\n", "a.prom")
    two = exposed(tmp_path, '# TYPE b gauge\nb 1\na{x="y"} 2\n', "b.prom")
    schema = from_exposition([one, two])
    assert schema.metrics["a"].possible - schema.metrics["a"].always == {"x"}
    assert (schema.kind("a"), len(schema.metrics["a"].series), schema.kind("b")) == ("counter", 2, "gauge")


def test_what_only_looks_like_a_part_of_a_family(tmp_path: Path) -> None:
    schema = from_exposition(
        exposed(tmp_path, "# TYPE a gauge\na 1\na_bucket 1\n# TYPE b summary\nb_total 1\n")
    )
    assert (schema.metrics["a_bucket"].kind, schema.metrics["b_total"].kind) == ("unknown", "unknown")


def test_names_in_utf_8(tmp_path: Path) -> None:
    schema = from_exposition(exposed(tmp_path, '# TYPE "my.a" counter\n{"my.a","a.b"="c", d="e",} 1\n'))
    assert schema.kind("my.a") == "counter"
    assert schema.metrics["my.a"].series == ({"a.b": "c", "d": "e", **TARGET},)


def test_of_very_many_series_those_that_are_asked_for_are_kept(tmp_path: Path) -> None:
    lines = [f'a_bucket{{user="{user}",le="{le}"}} 1\n' for user in range(1000) for le in ("1", "2", "+Inf")]
    lines.append('a_bucket{odd="1",user="x",le="+Inf"} 1\n')
    file = exposed(tmp_path, "".join(lines))
    rules = [Rule(alert="A", expr='a_bucket{user="999"} > 1'), Rule(alert="B", expr="broken(")]
    metric = from_exposition(file, rules, [Panel(title="p", queries=('a_bucket{user=~"99[78]"}',))]).metrics[
        "a_bucket"
    ]
    assert len(metric.series) < 500
    assert metric.possible - metric.always == {"odd"}
    users = {series["user"] for series in metric.series} - {"x"}
    assert {"0", "997", "998", "999"} <= users
    for user in users:
        assert [one["le"] for one in metric.series if one["user"] == user] == ["1", "2", "+Inf"]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("a 1\n<html>", 2, id="rubbish"),
        pytest.param("<html>", 1, id="html"),
        pytest.param("a 1\n\na{x=1} 2\n", 3, id="unquoted"),
        pytest.param('a{x="1" 2\n', 1, id="unclosed"),
        pytest.param("a many\n", 1, id="no-number"),
        pytest.param('{x="y"} 1\n', 1, id="nameless"),
    ],
)
def test_what_is_no_exposition_has_its_line(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(ConfigError) as wrong:
        from_exposition(exposed(tmp_path, text))
    assert wrong.value.where == f"{tmp_path}/metrics.prom:{line}"


def test_standard_input_and_a_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"a 1\n")))
    assert from_exposition("-").metrics["a"].series == (TARGET,)
    with pytest.raises(ConfigError, match="cannot be read"):
        from_exposition("none.prom")


def test_the_series_are_those_that_the_official_parser_reads(tmp_path: Path) -> None:
    text = generate_latest(service())
    metrics = from_exposition(exposed(tmp_path, text)).metrics
    for family in text_string_to_metric_families(text.decode()):
        for sample in family.samples:
            assert {**sample.labels, **TARGET} in metrics[sample.name].series
