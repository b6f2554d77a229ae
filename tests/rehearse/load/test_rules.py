"""Rule files in the forms in which people keep them."""

import io
import sys
from pathlib import Path

import pytest

from opsconsole.errors import ConfigError
from opsconsole.rehearse.load import load_rules
from opsconsole.rehearse.model import Rule

PLAIN = """\
groups:
- name: g
  interval: 30s
  limit: 10
  query_offset: 1m
  partial_response_strategy: warn
  source_tenants: [a]
  labels: {team: payments, severity: info}
  rules:
  - alert: A
    expr: |

      up == 0
        and on(job) other
    for: 0
    keep_firing_for: 1h30m
    labels: {severity: yes, version: 1.10, gone: ~}
    annotations: {summary: "{{ $labels.job }} is down"}
    unknown: {a: 1}
  - record: a:b
    expr:
      sum(up)
"""

OBJECT = """\
apiVersion: v1
kind: List
items:
- apiVersion: apps/v1
  kind: Deployment
  spec: {rules: [{host: a}], groups: [admins]}
- apiVersion: monitoring.coreos.com/v1
  kind: PrometheusRule
  spec:
    groups:
    - name: k
      rules:
      - {alert: K, expr: 'up == 0'}
"""


def written(folder: Path, text: str, name: str = "rules.yml") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


def told(folder: Path, text: str) -> tuple[list[Rule], list[str]]:
    """The rules that could be read, and what was told of the others, without the folder's name."""
    errors: list[ConfigError] = []
    rules = load_rules([written(folder, text)], errors.append)
    return rules, [str(error).splitlines()[0].removeprefix(f"{folder}/") for error in errors]


def test_a_rule_as_prometheus_reads_it(tmp_path: Path) -> None:
    file = written(tmp_path, PLAIN)
    alert, record = load_rules([file])
    assert alert == Rule(
        alert="A",
        expr="up == 0\n  and on(job) other",
        for_seconds=0.0,
        keep_firing_for_seconds=5400.0,
        labels={"team": "payments", "severity": "yes", "version": "1.10", "gone": ""},
        annotations={"summary": "{{ $labels.job }} is down"},
        group="g",
        interval_seconds=30.0,
        file=str(file),
        line=13,
    )
    assert (record.record, record.expr, record.line) == ("a:b", "sum(up)", 22)


def test_the_lab_s_own_rules() -> None:
    rules = load_rules(["opsconsole/lab/components/billing-alerts.yml"])
    lines = Path(rules[0].file).read_text().splitlines()
    assert len(rules) == 7
    assert all(rule.expr.splitlines()[0] == lines[rule.line - 1].strip() for rule in rules)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        pytest.param(OBJECT, ["K"], id="list-of-objects"),
        pytest.param(f"{PLAIN}---\n{OBJECT}---\n", ["A", "a:b", "K"], id="several-documents"),
        pytest.param("groups: null\n", [], id="no-groups"),
        pytest.param("groups:\n- name: g\n- {name: h, rules: }\n", [], id="groups-without-rules"),
        pytest.param(
            "serverFiles:\n  alerting_rules.yml:\n    groups: [{name: g, rules: [{alert: V, expr: a}]}]",
            ["V"],
            id="values-of-a-chart",
        ),
        pytest.param(
            "services:\n- name: S\n  exporters:\n  - rules:\n    - {name: Host down, query: up == 0}\n",
            ["Host down"],
            id="awesome-prometheus-alerts",
        ),
        pytest.param('{"groups": [{"name": "g", "rules": [{"alert": "J", "expr": "a"}]}]}', ["J"], id="json"),
        pytest.param("\ufeffgroups: [{name: é, rules: [{alert: É, expr: a}]}]", ["É"], id="utf-8-with-mark"),
        pytest.param(
            "groups:\n- name: g\n  rules:\n  - &a {alert: A, expr: a}\n  - {<<: *a, alert: B}\n"
            "  - {<<: [*a], alert: B}\n",
            ["A", "B", "B"],
            id="anchors-and-duplicates",
        ),
    ],
)
def test_forms(tmp_path: Path, text: str, names: list[str]) -> None:
    rules = load_rules([written(tmp_path, text)])
    assert [rule.name for rule in rules] == names


def test_a_rule_file_in_a_config_map_keeps_its_lines(tmp_path: Path) -> None:
    inner = "".join(f"    {line}\n" if line else "\n" for line in PLAIN.splitlines())
    rules = load_rules([written(tmp_path, f"kind: ConfigMap\ndata:\n  other: 1\n  a.yml: |\n{inner}")])
    assert [(rule.name, rule.line) for rule in rules] == [("A", 17), ("a:b", 26)]


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        pytest.param("{alert: B, for: 5m}", "4: B has no `expr`", id="no-expr"),
        pytest.param(
            "{alert: B, expr: [1]}", "4: `expr` is a list where a text was expected", id="expr-list"
        ),
        pytest.param("{expr: a}", "4: the rule has no `alert`", id="no-name"),
        pytest.param("{alert: B, record: B, expr: a}", "both `alert` and `record`", id="both-names"),
        pytest.param("{alert: B, expr: a, for: 300}", "4: `for`: '300' is no duration", id="for-unit"),
        pytest.param("{alert: B, expr: a, labels: [x]}", "4: `labels` is not a mapping", id="labels"),
        pytest.param("{alert: B, expr: a, expr: b}", "the rule has `expr` twice", id="twice"),
        pytest.param("{alert: B, expr: 'up{x=\"{{ .Values.x }}\"}'}", "is not final", id="template"),
        pytest.param("{alert: B, expr: a, annotations: {a: {{ $value }}}}", "`a` is a mapping", id="quotes"),
        pytest.param("{uid: x, title: B, condition: C, data: []}", "Grafana evaluates", id="of-grafana"),
        pytest.param("- text", "a rule is not a mapping", id="no-mapping"),
    ],
)
def test_one_broken_rule_is_told_and_the_others_are_read(tmp_path: Path, broken: str, message: str) -> None:
    text = f"groups:\n- name: g\n  rules:\n  - {broken}\n  - {{alert: A, expr: a}}\n"
    rules, errors = told(tmp_path, text)
    assert [rule.name for rule in rules] == ["A"]
    assert len(errors) == 1
    assert message in errors[0]
    assert errors[0].startswith("rules.yml:4: ")
    with pytest.raises(ConfigError, match=r"rules\.yml:4"):
        load_rules([tmp_path / "rules.yml"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("groups: 7\n", "rules.yml:1: `groups` is not a list", id="groups"),
        pytest.param("groups: [a]\n", "rules.yml:1: a group is not a mapping", id="group"),
        pytest.param("groups: [{name: g, rules: 1}]\n", "rules.yml:1: `rules` is not a list", id="rules"),
        pytest.param("groups: [{name: g, interval: x, rules: []}]", "`interval`: 'x'", id="interval"),
        pytest.param("global: {}\n", "rules.yml: it holds no rules", id="no-rules"),
        pytest.param("", "rules.yml: it holds no rules", id="empty"),
        pytest.param("groups:\n  - name: g\n bad\n", "rules.yml:3: it is not YAML", id="no-yaml"),
        pytest.param("a: &a {b: *a}\n", "rules.yml: it holds no rules", id="wrapped-in-itself"),
        pytest.param("groups: &a [*a]\n", "a group is not a mapping", id="within-itself"),
    ],
)
def test_what_is_no_rule_file_has_its_line(tmp_path: Path, text: str, message: str) -> None:
    rules, errors = told(tmp_path, text)
    assert (rules, len(errors)) == ([], 1)
    assert message in errors[0]


@pytest.mark.parametrize(
    "text",
    [
        "groups:\n{{- range .Values.groups }}\n- name: {{ .name }}\n{{- end }}\n",
        "{% for g in groups %}\n- name: x\n{% endfor %}\n",
        'groups:\n- name: g\n  rules:\n{{ include "rules" . | indent 2 }}\n',
    ],
    ids=["helm", "jinja", "include"],
)
def test_a_template_is_called_one(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match=r"helm template CHART \| opsconsole rehearse --rules -"):
        load_rules([written(tmp_path, text)])


def test_templates_within_annotations_are_no_template_of_the_file(tmp_path: Path) -> None:
    text = 'groups:\n- name: g\n  rules:\n  - alert: A\n    annotations: {a: "{{ $value }}"}\n   expr: a\n'
    with pytest.raises(ConfigError, match="not YAML") as wrong:
        load_rules([written(tmp_path, text)])
    assert "helm" not in str(wrong.value)


def test_a_folder_means_what_holds_rules_beneath_it(tmp_path: Path) -> None:
    first = written(tmp_path, PLAIN, "a/deep/rules.yaml")
    written(tmp_path, "global: {}\n", "a/prometheus.yml")
    written(tmp_path, "{{ not yaml", "a/values.yml")
    written(tmp_path, PLAIN, "a/.hidden/rules.yml")
    written(tmp_path, PLAIN, "a/rules.txt")
    errors: list[ConfigError] = []
    assert [rule.file for rule in load_rules([tmp_path / "a", first], errors.append)] == [str(first)] * 2
    assert not errors
    broken = written(tmp_path, "groups:\n{{ x }}\n- a\n", "a/broken.yml")
    assert len(load_rules([tmp_path / "a"], errors.append)) == 2
    assert [error.where.partition(":")[0] for error in errors] == [str(broken)]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.yml").write_bytes(b"groups: \xe9")
    (tmp_path / "empty").mkdir()
    errors: list[ConfigError] = []
    named = [tmp_path / name for name in ("none.yml", "latin.yml", "empty")]
    assert load_rules(named, errors.append) == []
    assert [error.where for error in errors] == list(map(str, named))
    assert "No such file" in errors[0].message
    assert "UTF-8" in errors[1].message


def test_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PLAIN.encode())))
    assert [(rule.file, rule.line) for rule in load_rules(["-"])] == [("<stdin>", 13), ("<stdin>", 22)]
