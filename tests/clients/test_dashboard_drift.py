"""What a dashboard shows against what its reference says: what is drift, and what is none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsconsole.clients.dashboard_drift import compared_dashboard
from opsconsole.clients.dashboards import parse
from opsconsole.clients.reference_dashboard import read
from opsconsole.errors import ConfigError
from opsconsole.lab.stack import component
from opsconsole.model import Finding

Board = dict[str, Any]
Change = Callable[[Board], object]
SUBSCRIPTIONS, DURATION, CREDITS = (
    "Subscription Creation Rate", "Payment Processing Duration", "Credit System Overview",
)  # fmt: skip


def board() -> Board:
    made: Board = json.loads(component("billing_dashboard.json"))
    return made


def panel(board: Board, title: str = SUBSCRIPTIONS) -> Board:
    return next(one for one in board["panels"] if one["title"] == title)


def query(board: Board, title: str = SUBSCRIPTIONS) -> Board:
    found: Board = panel(board, title)["targets"][0]
    return found


def said(meant: Board, served: Board, folder: Path, told: tuple[str, ...] = ()) -> tuple[list[Finding], str]:
    """The findings, and what was seen in one text."""
    path = folder / "billing.json"
    path.write_text(json.dumps(meant), encoding="utf-8")
    found = list(compared_dashboard(path, parse(served, {}, "served"), told))
    findings = [one for one in found if isinstance(one, Finding)]
    return findings, "; ".join(one.text for one in found if not isinstance(one, Finding))


def in_words(findings: list[Finding]) -> str:
    return "\n".join(f"{one.subject}: {one.summary}\n{one.detail}\n{one.remedy}" for one in findings)


def changed(change: Change) -> Board:
    made = board()
    change(made)
    return made


def exported(made: Board) -> None:
    """As Grafana exports it to share: its data source is an input that the import fills in."""
    made["__inputs"] = [{"name": "DS_LAB", "type": "datasource", "pluginId": "prometheus"}]
    made["templating"]["list"] = made["templating"]["list"][1:]
    for one in made["panels"]:
        for part in (one, *one["targets"]):
            part["datasource"] = {"type": "prometheus", "uid": "${DS_LAB}"}


def looks(made: Board) -> None:
    made |= {"id": 7, "version": 42, "refresh": "", "tags": [], "uid": "other"}
    made["panels"].reverse()
    for one in made["panels"]:
        one["gridPos"] = {"x": 0, "y": 0, "w": 1, "h": 1}
        one["id"] += 100
        one["description"] = "x"
        one["fieldConfig"]["defaults"]["color"] = {"mode": "fixed"}
        one["fieldConfig"]["defaults"]["thresholds"]["steps"][0]["color"] = "blue"
        one["fieldConfig"]["overrides"] = [
            {"matcher": {"id": "byName", "options": "a"}, "properties": [{"id": "color", "value": {}}]}
        ]
        one["options"]["legend"] = {}
        for target in one["targets"]:
            target |= {
                "legendFormat": "x",
                "datasource": {"type": "prometheus", "uid": "y"},
                "exemplar": True,
            }


def another_format(made: Board) -> None:
    query(made)["expr"] = (
        'sum   by(plan)(\n  rate(rsolv_billing_subscription_created_total{plan=~"${plan}",status="success"}'
        "[${__rate_interval}]))  # as it was"
    )
    made["templating"]["list"][1]["query"]["query"] = "label_values( rsolv_billing_usage_tracked_total,plan )"


def hidden_beside(made: Board) -> None:
    panel(made)["targets"].append({**query(made), "refId": "Z", "expr": "up", "hide": True})


def in_a_row(made: Board) -> None:
    made["panels"] = [{"type": "row", "title": "All", "collapsed": True, "panels": made["panels"]}]


def copied(made: Board) -> None:
    made["panels"].append({**panel(made), "id": 99, "repeatPanelId": 1})


def with_a_text(made: Board) -> None:
    made["panels"].append({"type": "text", "title": "Read me", "targets": [{"refId": "A", "datasource": {}}]})


NO_DRIFT: dict[str, Change] = {
    "the same": lambda made: None,
    "looks": looks,
    "another format": another_format,
    "a hidden query beside": hidden_beside,
    "in a row": in_a_row,
    "copies of a repeated panel": copied,
    "a text beside": with_a_text,
}


@pytest.mark.parametrize("name", NO_DRIFT)
def test_no_drift(name: str, tmp_path: Path) -> None:
    findings, seen = said(board(), changed(NO_DRIFT[name]), tmp_path)
    assert (findings, seen) == ([], "10 panels compared with billing.json")


def test_an_export_with_inputs_is_no_drift(tmp_path: Path) -> None:
    assert said({"dashboard": changed(exported)}, board(), tmp_path)[0] == []


def test_a_panel_of_a_plugin_that_grafana_replaces(tmp_path: Path) -> None:
    """Grafana serves a graph as a time series, its unit where these have it."""

    def graph(made: Board) -> None:
        panel(made).pop("fieldConfig")
        panel(made).update(type="graph", yaxes=[{"format": "cps"}], options={})

    assert said(changed(graph), board(), tmp_path)[0] == []
    other = changed(lambda made: query(made).update(expr="up"))
    assert "in its queries" in in_words(said(changed(graph), other, tmp_path)[0])


def set_default(key: str, value: Any) -> Change:
    return lambda made: panel(made)["fieldConfig"]["defaults"].update({key: value})


def override(id: str, value: Any) -> Change:
    matcher = {"id": "byName", "options": "pro"}
    one = {"matcher": matcher, "properties": [{"id": id, "value": value}]}
    return lambda made: panel(made)["fieldConfig"]["overrides"].append(one)


def source_type(made: Board) -> None:
    query(made)["datasource"] = panel(made)["datasource"] = {"type": "loki", "uid": "x"}


DRIFT: dict[str, tuple[Change, str, str]] = {
    "up": (lambda made: query(made).update(expr="up"), "its queries", "+up"),
    "a constant": (lambda made: query(made).update(expr="vector(99)"), "its queries", "+vector(99)"),
    "an offset": (
        lambda made: query(made).update(expr=query(made)["expr"].replace("]", "] offset 1d")),
        "its queries", "[$__rate_interval] offset 1d",
    ),
    "another variable": (
        lambda made: query(made).update(expr=query(made)["expr"].replace("$plan", "$tier")),
        "its queries", 'plan=~"$tier"',
    ),
    "no longer a range": (
        lambda made: query(made).update(instant=True, range=False), "its queries", "+query, instant:",
    ),
    "a query hidden": (
        lambda made: query(made, CREDITS).update(hide=True), "its queries", "+hidden query, range: sum(rate(",
    ),
    "shifted": (lambda made: panel(made).update(timeShift="1d"), "its time", "+timeShift: 1d"),
    "its own time": (lambda made: panel(made).update(timeFrom="7d"), "its time", "+timeFrom: 7d"),
    "another unit": (set_default("unit", "percent"), "its unit", "+unit: percent"),
    "no value shown as 0": (set_default("noValue", "0"), "its words for values", "no value: 0"),
    "values mapped": (
        set_default("mappings", [{"type": "value", "options": {"0": {"text": "OK", "color": "green"}}}]),
        "its words for values", '{"0": {"text": "OK"}}',
    ),
    "fields hidden": (
        override("custom.hideFrom", {"viz": True}), "its overrides", "custom.hideFrom: {",
    ),
    "a transformation": (
        lambda made: panel(made).update(transformations=[{"id": "reduce", "options": {}}]),
        "its transformations", "+transformation: {",
    ),
    "another plugin": (lambda made: panel(made).update(type="stat"), "its kind of panel", "+stat"),
    "another type of data source": (source_type, "its type of data source", "+data source: loki"),
    "the largest value": (
        lambda made: panel(made).update(options={"reduceOptions": {"calcs": ["max"]}}),
        "its calculation", "+calculation: max",
    ),
    "two things": (
        lambda made: (query(made).update(expr="up"), panel(made).update(timeShift="1d")),
        "its queries and its time", "+timeShift: 1d",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DRIFT)
def test_drift(name: str, tmp_path: Path) -> None:
    change, aspect, line = DRIFT[name]
    ((finding,), _) = said(board(), changed(change), tmp_path)
    assert finding.subject in (SUBSCRIPTIONS, CREDITS)
    assert finding.summary == f"differs from the reference in {aspect}"
    assert line in finding.detail
    assert "import billing.json again" in finding.remedy


def test_a_few_differ(tmp_path: Path) -> None:
    def change(made: Board) -> None:
        made["panels"] = made["panels"][:-1]
        query(made)["expr"] = "up"
        panel(made, DURATION)["title"] = "Duration"

    findings, seen = said(board(), changed(change), tmp_path, told=(CREDITS,))
    assert [f"{one.subject}: {one.summary}" for one in findings] == [
        ": another dashboard than the reference: of 10 panels, 2 are missing and 1 differ",
        f"{SUBSCRIPTIONS}: differs from the reference in its queries",
        f"{DURATION}: is in the reference, and not in the dashboard",
    ]
    assert findings[0].detail == f"missing: {DURATION}, {CREDITS}\ndifferent: {SUBSCRIPTIONS}"
    assert findings[2].remedy == "the panel 'Duration' shows the same: was it renamed?"
    assert seen.endswith("not in billing.json: Duration")


def test_all_differ(tmp_path: Path) -> None:
    other = {**board(), "panels": [{**panel(board()), "title": "Something else"}]}
    ((finding,), _) = said(board(), other, tmp_path)
    assert "of 10 panels, 10 are missing and 0 differ" in finding.summary


def test_panels_of_one_title(tmp_path: Path) -> None:
    """Each is compared with the one that shows the same, whatever their order."""
    twin = {**panel(board(), DURATION), "title": SUBSCRIPTIONS}
    meant = changed(lambda made: made["panels"].insert(0, twin))
    assert said(meant, changed(lambda made: made["panels"].append(twin)), tmp_path)[0] == []
    ((finding,), _) = said(meant, board(), tmp_path)
    assert (finding.subject, finding.summary) == (
        SUBSCRIPTIONS,
        "is in the reference, and not in the dashboard",
    )


def test_the_time_that_it_opens_with(tmp_path: Path) -> None:
    ((finding,), _) = said(board(), {**board(), "time": {"from": "now-7d", "to": "now-6d"}}, tmp_path)
    assert finding.summary == (
        "it opens with the time from now-7d to now-6d, and in the reference from now-24h to now"
    )


@pytest.mark.parametrize("kept", [True, False], ids=["another query", "gone"])
def test_variables(kept: bool, tmp_path: Path) -> None:
    def change(made: Board) -> None:
        made["templating"]["list"][1]["query"]["query"] = "label_values(up, plan)"
        made["templating"]["list"] = made["templating"]["list"][: 2 if kept else 1]

    ((finding,), _) = said(board(), changed(change), tmp_path)
    assert finding.subject == "variable plan"
    assert ("+query: label_values(up, plan)" in finding.detail) is kept
    assert ("not in the dashboard" in finding.summary) is not kept


def test_what_could_not_be_compared_is_said(tmp_path: Path) -> None:
    def change(made: Board) -> None:
        panel(made)["libraryPanel"] = {"uid": "x", "name": "x"}
        panel(made).pop("targets")
        panel(made, DURATION)["targets"] = [{"refId": "A", "namespace": "AWS/SQS"}]

    served = changed(lambda made: panel(made, DURATION).update(targets=[{"refId": "A", "namespace": "x"}]))
    findings, seen = said(changed(change), served, tmp_path)
    assert findings == []
    assert f"without the queries of {SUBSCRIPTIONS}, {DURATION}:" in seen


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('{"panels": [\n', ":2", "it is not JSON"),
        ('{"groups": []}', "", "it holds no dashboard"),
        ("[]", "", "it holds no dashboard"),
        ('{"panels": [{"title": 1}]}', "", "it holds a dashboard that cannot be read"),
        ('{"panels": ' + "[" * 100_000, "", "it is nested too deeply"),
        ("\0\xff", "", "cannot be read"),
    ],
    ids=["cut", "rules", "a list", "types", "deep", "not text"],
)
def test_what_is_no_reference(text: str, line: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "billing.json"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ConfigError, match=message) as caught:
        read(path)
    assert caught.value.where == f"{path}{line}"
    assert "as Grafana exports it" in caught.value.hint
