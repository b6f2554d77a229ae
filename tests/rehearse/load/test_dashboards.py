"""Dashboards in the forms in which people keep them, and their variables filled in."""

import json
from pathlib import Path
from typing import Any

import pytest

from opsconsole.errors import ConfigError
from opsconsole.rehearse.load import load_dashboards, refill
from opsconsole.rehearse.model import Panel
from opsconsole.rehearse.schema import Metric, Schema

UP = {"refId": "A", "expr": "up"}


def board(*panels: dict[str, Any], variables: tuple[dict[str, Any], ...] = (), **more: Any) -> dict[str, Any]:
    return {"title": "Board", "panels": [*panels], "templating": {"list": [*variables]}, **more}


def loaded(folder: Path, value: object, **given: Any) -> list[Panel]:
    file = folder / "board.json"
    file.write_text(value if isinstance(value, str) else json.dumps(value, indent=1), encoding="utf-8")
    return load_dashboards([file], **given)


def query(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "query", "query": f"label_values(up, {name})", "current": {}, **more}


def known(**values: list[str]) -> Schema:
    """An environment in which `up` has these labels, each with several values."""
    series = tuple({name: value} for name, each in values.items() for value in each)
    return Schema(
        origin="environment", metrics={"up": Metric(name="up", series=series)}, scrape_interval_seconds=60.0
    )


def test_the_lab_s_own_dashboard() -> None:
    panels = load_dashboards(["opsconsole/lab/components/billing_dashboard.json"])
    lines = Path(panels[0].file).read_text().splitlines()
    assert len(panels) == 10
    assert not any(panel.unfilled for panel in panels)
    assert all('"expr"' in lines[panel.line - 1] for panel in panels)
    assert any('plan=~".*"' in query for panel in panels for query in panel.queries)


@pytest.mark.parametrize(
    "wrap",
    [
        pytest.param(lambda model: model, id="bare"),
        pytest.param(lambda model: {"dashboard": model, "meta": {}}, id="of-the-api"),
        pytest.param(lambda model: [{"kind": "Dashboard", "spec": model}], id="objects"),
        pytest.param(lambda model: "\ufeff" + json.dumps(model), id="utf-8-with-mark"),
    ],
)
def test_envelopes(tmp_path: Path, wrap: Any) -> None:
    (panel,) = loaded(tmp_path, wrap(board({"id": 1, "title": "P", "targets": [UP]})))
    assert (panel.title, panel.queries, panel.dashboard) == ("P", ("up",), "Board")


def test_in_a_config_map_it_keeps_its_lines(tmp_path: Path) -> None:
    model = json.dumps(board({"title": "P", "targets": [UP]}), indent=1)
    inner = "".join(f"    {line}\n" for line in model.splitlines())
    text = f"---\nkind: ConfigMap\ndata:\n  other: a\n  board.json: |\n{inner}"
    (panel,) = loaded(tmp_path, text)
    assert text.splitlines()[panel.line - 1].strip() == '"expr": "up"'


def test_rows_hidden_queries_and_library_panels(tmp_path: Path) -> None:
    model = board(
        {"type": "row", "title": "R", "collapsed": True, "panels": [{"title": "in row", "targets": [UP]}]},
        {"type": "text", "title": "words"},
        {"title": "hidden", "targets": [{**UP, "hide": True}]},
        {"title": "lib", "libraryPanel": {"uid": "l", "name": "L"}},
        {"id": 7, "targets": [{"refId": "A", "expr": 'rate(a{b="c"}[5m])'}, {"refId": "B", "expr": "b > 1"}]},
        __elements={"l": {"uid": "l", "kind": 1, "model": {"targets": [UP], "type": "stat"}}},
    )
    text = json.dumps({**model, "rows": [{"panels": [{"title": "old", "targets": [UP]}]}]}, indent=1)
    panels = loaded(tmp_path, text.replace(">", "\\u003e"))
    assert [panel.title for panel in panels] == ["old", "in row", "lib", "panel 7"]
    assert panels[3].queries == ('rate(a{b="c"}[5m])', "b > 1")
    assert "rate(a" in text.splitlines()[panels[3].line - 1]


def test_other_data_sources_are_left_out_and_told(tmp_path: Path) -> None:
    told: list[str] = []
    logs = {"refId": "A", "expr": '{a="b"} |= "x"', "datasource": {"type": "loki", "uid": "l"}}
    model = board(
        {"title": "logs", "targets": [logs]},
        {"title": "old logs", "datasource": "Loki", "targets": [{"expr": '{a="b"}'}]},
        {"title": "search", "datasource": {"type": "elasticsearch"}, "targets": [{"query": "*"}]},
        {"title": "sum", "targets": [{"datasource": {"type": "__expr__"}, "expression": "$A"}, UP]},
        {"title": "mixed", "datasource": {"type": "datasource", "uid": "-- Mixed --"}, "targets": [UP, logs]},
        {"title": "input", "datasource": {"uid": "${DS_P}"}, "targets": [UP]},
        __inputs=[{"name": "DS_P", "type": "datasource", "pluginId": "prometheus"}],
    )
    assert [panel.title for panel in loaded(tmp_path, model, left_out=told.append)] == [
        "sum",
        "mixed",
        "input",
    ]
    assert told == [
        f"{tmp_path}/board.json: panels without PromQL are left out: 3 of loki, 1 of elasticsearch"
    ]


def test_variables_by_what_is_saved(tmp_path: Path) -> None:
    (panel,) = loaded(
        tmp_path,
        board(
            {
                "targets": [
                    {"expr": 'rate(up{job="$job",pod=~"$pod",zone="$zone"}[$__rate_interval]) > $most'}
                ]
            },
            variables=(query("job", current={"value": "a"}), query("pod", includeAll=True), query("zone")),
        ),
    )
    assert panel.queries == ('rate(up{job="a",pod=~".*",zone="zone"}[60s]) > $most',)
    assert panel.unfilled == ("most",)


def test_variables_by_the_series_that_are_there(tmp_path: Path) -> None:
    panels = loaded(
        tmp_path,
        board(
            {"targets": [{"expr": 'rate(up{job="$job",pod=~"$pod",zone="$zone"}[$__rate_interval])'}]},
            variables=(
                query("job", refresh=1, current={"value": "gone"}),
                query("pod", includeAll=True, regex="/^p-(.*)$/"),
                query("zone", current={"value": "kept"}),
                query("other", query="query_result(up)"),
            ),
        ),
    )
    schema = known(job=["b", "a"], pod=["p-1", "p-2", "q"], zone=["z"])
    (panel,) = refill([*panels], schema)
    assert panel.queries == ('rate(up{job="a",pod=~"(1|2)",zone="kept"}[240s])',)
    assert (panel.title, panel.line, panel.unfilled) == (panels[0].title, panels[0].line, ())
    other = Panel(title="made by hand", queries=("$job",))
    assert refill([other], schema) == [other]


def test_one_variable_s_query_may_rest_on_another(tmp_path: Path) -> None:
    panels = loaded(
        tmp_path,
        board(
            {"targets": [{"expr": 'up{pod="$pod"}'}]},
            variables=(
                query("job", current={"value": "b"}),
                query("pod", query='label_values(up{job="$job"}, pod)'),
            ),
        ),
    )
    series = ({"job": "a", "pod": "1"}, {"job": "b", "pod": "2"})
    schema = Schema(origin="environment", metrics={"up": Metric(name="up", series=series)})
    assert refill(panels, schema)[0].queries == ('up{pod="2"}',)


def test_the_second_schema(tmp_path: Path) -> None:
    source = {"kind": "prometheus", "spec": {"expr": 'up{job="$job"}'}}
    panel = {
        "id": 3,
        "title": "P",
        "data": {"kind": "QueryGroup", "spec": {"queries": [
            {"kind": "PanelQuery", "spec": {"refId": "A", "hidden": False, "query": source}},
            {"kind": "PanelQuery", "spec": {"refId": "B", "hidden": True, "query": source}},
        ]}},
    }  # fmt: skip
    variable = {
        "name": "job",
        "current": {"value": "a"},
        "query": {"kind": "prometheus", "spec": {"query": "x"}},
    }
    spec = {
        "title": "Board",
        "elements": {"panel-3": {"kind": "Panel", "spec": panel}},
        "variables": [{"kind": "QueryVariable", "spec": variable}],
        "timeSettings": {"from": "now-1h", "to": "now"},
    }
    (found,) = loaded(tmp_path, {"apiVersion": "dashboard.grafana.app/v2", "kind": "Dashboard", "spec": spec})
    assert (found.title, found.queries) == ("P", ('up{job="a"}',))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param('{"panels": [\n{,}]}', "board.json:2: it is not JSON", id="no-json"),
        pytest.param('{"a": 1}', "board.json: it holds no dashboard", id="no-dashboard"),
        pytest.param("", "board.json: it holds no dashboard", id="empty"),
        pytest.param('{"panels": [1]}', "it holds a dashboard that cannot be read", id="shape"),
        pytest.param("a: [", "neither JSON nor YAML", id="no-yaml"),
        pytest.param('{"panels": ' + "[" * 100_000, "nested too deeply|not JSON", id="deep"),
    ],
)
def test_what_is_no_dashboard(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        loaded(tmp_path, text)
    errors: list[ConfigError] = []
    assert loaded(tmp_path, text, tell=errors.append) == []
    assert len(errors) == 1


def test_a_folder_means_the_dashboards_beneath_it(tmp_path: Path) -> None:
    (tmp_path / "package.json").write_text("{,")
    loaded(tmp_path, board({"title": "P", "targets": [UP]}))
    assert [panel.title for panel in load_dashboards([tmp_path])] == ["P"]
