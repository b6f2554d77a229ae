"""What runs against what is meant."""

from pathlib import Path

import msgspec
import pytest

from opsconsole.clients.drift import compared, rule_files_not_found
from opsconsole.clients.prometheus import Loading, Rule
from opsconsole.clients.reference import Reference, ReferenceRule

MEANT = ReferenceRule(
    name="Failing",
    expr="failed > 1",
    for_seconds=60.0,
    keep_firing_for_seconds=0.0,
    labels={"severity": "critical"},
    annotations={},
    group="billing",
)
RECORDED = msgspec.structs.replace(MEANT, kind="recording")
RUNS = Rule(
    kind="alerting",
    name="Failing",
    expr="failed > 1",
    for_seconds=60.0,
    keep_firing_for_seconds=0.0,
    labels={"severity": "critical"},
    annotations={},
    state="inactive",
    health="ok",
    last_error="",
    last_evaluation=1.0,
    evaluation_seconds=0.1,
    group="billing",
    file="/etc/prometheus/billing.yml",
    interval_seconds=60.0,
    alerts=[],
)
HERE = Loading(rule_files=["/etc/prometheus/billing.yml"], interval_seconds=60.0)


def named(name: str) -> ReferenceRule:
    return msgspec.structs.replace(MEANT, name=name)


def annotated(text: str) -> ReferenceRule:
    return msgspec.structs.replace(MEANT, annotations={"runbook_url": text})


def running(**values: object) -> Rule:
    return msgspec.structs.replace(RUNS, **values)


def told(wanted: list[ReferenceRule], loaded: list[Rule], loading: Loading | None = HERE) -> list[str]:
    found = compared(wanted, loaded, loading, read_ago="3 d")
    return [f"{each.subject}: {each.summary}" for each in found]


@pytest.mark.parametrize(
    ("wanted", "loaded", "loading", "said"),
    [
        pytest.param([MEANT], [RUNS], HERE, [], id="the same"),
        pytest.param([MEANT], [running(interval_seconds=3600.0)], HERE,
                     ["group billing: is evaluated every 1 h, not every 1 min"], id="interval"),
        pytest.param([MEANT], [running(interval_seconds=3600.0)], None, [], id="interval not to be seen"),
        pytest.param([msgspec.structs.replace(MEANT, interval_seconds=3600.0)],
                     [running(interval_seconds=3600.0)], HERE, [], id="interval as meant"),
        pytest.param([MEANT, named("Other")], [running(limit=1), running(name="Other", limit=1)], HERE,
                     ["group billing: has the limit 1, and none in the reference"], id="limit, told once"),
        pytest.param([MEANT, named("Other"), named("Third")],
                     [running(for_seconds=0.0), running(name="Other")], HERE,
                     [": other rules run than those of the reference: of 3, 1 are missing and 1 differ",
                      "Third: is not loaded", "Failing: differs"], id="an old file"),
        pytest.param([MEANT], [running(expr="failed > 2"), RUNS], HERE,
                     ["Failing: is loaded once more"], id="the one that means the same is the first"),
        pytest.param([annotated("Look.")], [running(annotations={"runbook_url": " Look.\n"})], HERE, [],
                     id="annotations that differ at their ends"),
        pytest.param([annotated("Look.")], [RUNS], HERE, ["Failing: differs"], id="an annotation is gone"),
        pytest.param([MEANT], [running(annotations={"more": "Look."})], HERE, [],
                     id="a reference without annotations means none"),
        pytest.param([RECORDED], [running(kind="recording"), running(kind="recording")], HERE, [],
                     id="recording rules may share a name"),
    ],
)  # fmt: skip
def test_what_is_told(
    wanted: list[ReferenceRule], loaded: list[Rule], loading: Loading | None, said: list[str]
) -> None:
    found = told(wanted, loaded, loading)
    assert len(found) == len(said)
    assert all(each.startswith(beginning) for each, beginning in zip(found, said, strict=True))


def test_where_a_rule_runs_twice_both_places_are_told() -> None:
    copy = running(file="/etc/prometheus/copy.yml")
    (found,) = compared([MEANT], [RUNS, copy], HERE, read_ago="3 d")
    assert (
        found.detail
        == "/etc/prometheus/copy.yml, group billing and /etc/prometheus/billing.yml, group billing"
    )


def test_an_annotation_of_several_lines_is_shown_by_its_lines() -> None:
    meant, runs = annotated("Look.\nThen act."), running(annotations={"runbook_url": "Look.\nThen wait."})
    (found,) = compared([meant], [runs], HERE, read_ago="3 d")
    assert found.detail.splitlines()[-3:] == [" annotation runbook_url: Look.", "-Then act.", "+Then wait."]


@pytest.mark.parametrize(
    ("paths", "missing"),
    [
        (["/etc/prometheus/billing.yml"], ""),
        (["billing.yml"], ""),
        (["/etc/prometheus/*.yml"], ""),
        (["/etc/prometheus/*.yml", "/etc/rules/*.yml"], "/etc/rules/*.yml"),
        ([], ""),
    ],
)
def test_rule_files_from_which_nothing_comes(paths: list[str], missing: str) -> None:
    words = rule_files_not_found(Loading(rule_files=paths, interval_seconds=None), [RUNS])
    assert words.startswith(f"no rule comes from {missing}, which") if missing else not words


def test_recording_rules_and_what_groups_say_of_a_reference(tmp_path: Path) -> None:
    rules = "[{record: 'a:b', expr: up}, {alert: A, expr: up}]"
    text = f"groups: [{{name: g, interval: 2m, query_offset: 0s, limit: 5, rules: {rules}}}]"
    (tmp_path / "rules.yml").write_text(text)
    reference = Reference(tmp_path / "rules.yml")
    (recorded,), (alert,) = reference.recordings(), reference.rules()
    assert (recorded.name, recorded.kind, alert.name) == ("a:b", "recording", "A")
    assert (alert.interval_seconds, alert.query_offset_seconds, alert.limit) == (120.0, 0.0, 5)
