"""Witnesses: unit tests that promtool passes, of the rule as it stands."""

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from opsconsole.lab.servers import PROMETHEUS, Servers, cached
from opsconsole.rehearse.model import Candidate, Course, Fired, Phase, Rule, Witness
from opsconsole.rehearse.packing import observe
from opsconsole.rehearse.promtool import Promtool
from opsconsole.rehearse.proof import prove
from tests.rehearse.payments import FAILING, candidate, incident, key, rising

STILL = Course(Phase(1), Phase(1), Phase(1))
MANY_LINES = """
sum by (job) (rate(paid{status="failed"}[5m]))   # those that fail
  /
sum by (job) (rate(paid[5m])) > 0.1
"""
CANDIDATES = {
    "for": candidate(MANY_LINES, for_seconds=900.0, labels={"severity": "page", "of": "{{ $labels.job }}"}),
    "at once": candidate(keep_firing_for_seconds=300.0),
    "odd": candidate(
        "up == 1", {key("up", odd="it's \"1\"\n, {\\}"): STILL}, alert="it's: #1 \"odd\"", group="a: b"
    ),
    "number": candidate("up == 1", {key("up", code="200"): STILL}, alert="yes", labels={"level": "1"}),
    "from the start": candidate("absent(nothing)", {}, for_seconds=300.0),
    "several": candidate("up == 0", {key("up", at=at): Course(Phase(1), Phase(0), Phase(1)) for at in "cab"}),
    "one after another": candidate(
        "x > 100", {key("x", at="a"): rising(0, 20), key("x", at="b"): rising(0, 10)}, for_seconds=120.0
    ),
    "a sample less in Prometheus 3": candidate(
        "delta(x[10m]) > 1000", {key("x"): rising(0, 108)}, for_seconds=60.0
    ),
    "short": candidate("x > 2", {key("x"): Course(Phase(0), Phase(1), Phase(3))}, for_seconds=60.0),
    "by pattern": candidate('{__name__=~"pai.",status="failed"} > 300', for_seconds=60.0),
    "groups": candidate(
        "share > 0.1", group="z",
        rests_on=(Rule(record="all", expr="rate(paid[5m])", labels={"by": "us"}, group="b"),
                  Rule(record="share", expr='sum(all{status="failed"}) / sum(all)', group="a")),
    ),
}  # fmt: skip


@pytest.fixture
def promtool(servers: Servers) -> Promtool:
    return Promtool(servers.promtool)


async def proofs(promtool: Promtool, candidates: list[Candidate]) -> list[Witness | str]:
    return await prove(promtool, list(zip(candidates, await observe(promtool, candidates), strict=True)))


async def test_witnesses_pass_in_every_version(promtool: Promtool, servers: Servers, tmp_path: Path) -> None:
    """In the version that they were made with, and in all others there are."""
    found = await proofs(promtool, list(CANDIDATES.values()))
    tests = []
    for place, witness in enumerate(found):
        assert isinstance(witness, Witness), witness
        assert witness.promtool_version == servers.prometheus_version
        folder = tmp_path / str(place)
        folder.mkdir()
        (folder / "rules.yml").write_text(witness.rules_file)
        (folder / "test.yml").write_text(witness.test)
        tests.append(f"{place}/test.yml")
    for program in {servers.promtool, *(installed.tool for installed in cached(PROMETHEUS))}:
        assert_pass(program, tests, tmp_path)


def assert_pass(program: Path, tests: Sequence[str], folder: Path) -> None:
    command: list[str | Path] = [program, "test", "rules", *tests]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"


async def test_a_witness_is_readable(promtool: Promtool) -> None:
    story = "28 of 100 payments fail,\nwhich is\u2028too many: " + "very " * 40
    one = replace(CANDIDATES["for"], incident=incident(story=story, brought=('status="failed"',)))
    (witness,) = await proofs(promtool, [one])
    assert isinstance(witness, Witness)
    told, _, rest = witness.test.partition("rule_files:")
    lines = told.splitlines()
    assert lines[:2] == ["# PaymentsFail", "#"]
    assert lines[2].startswith("# What happens: 28 of 100 payments fail, which is too many: very very")
    assert '# It brings what was not seen yet: status="failed"' in lines
    assert "# Calm for 10m, the incident for 30m, calm again." in lines
    assert all(line.startswith("#") and len(line) <= 110 for line in lines)
    assert rest.replace("eval_time: 46m", "eval_time: 45m") == EXPECTED, "46 in Prometheus 2"
    assert witness.rules_file == RULES


EXPECTED = """
  - rules.yml

evaluation_interval: 1m

tests:
  - interval: 1m
    input_series:
      - series: 'paid{job="a",status="failed"}'
        values: '0x9 0+28x29 840x20'
      - series: 'paid{job="a",status="success"}'
        values: '0+100x9 1000+72x29 3160+100x20'
    promql_expr_test:
      # all is calm
      - expr: 'ALERTS{alertname="PaymentsFail", severity="page"}'
        eval_time: 10m
        exp_samples: []
      # true, and not for long enough yet
      - expr: 'ALERTS{alertname="PaymentsFail", severity="page", alertstate="pending"}'
        eval_time: 14m
        exp_samples:
          - labels: 'ALERTS{alertname="PaymentsFail",alertstate="pending",job="a",of="a",severity="page"}'
            value: 1
      # it fires
      - expr: 'ALERTS{alertname="PaymentsFail", severity="page", alertstate="firing"}'
        eval_time: 29m
        exp_samples:
          - labels: 'ALERTS{alertname="PaymentsFail",alertstate="firing",job="a",of="a",severity="page"}'
            value: 1
      # it is over
      - expr: 'ALERTS{alertname="PaymentsFail", severity="page", alertstate="firing"}'
        eval_time: 45m
        exp_samples: []
"""
RULES = """groups:
  - name: rehearsed
    rules:
      - alert: PaymentsFail
        expr: |-
          sum by (job) (rate(paid{status="failed"}[5m]))   # those that fail
            /
          sum by (job) (rate(paid[5m])) > 0.1
        for: 15m
        labels:
          severity: page
          of: '{{ $labels.job }}'
"""


async def test_all_alerts_that_fire_are_expected(promtool: Promtool) -> None:
    (witness,) = await proofs(promtool, [CANDIDATES["several"]])
    assert isinstance(witness, Witness)
    checks = yaml.safe_load(witness.test)["tests"][0]["promql_expr_test"]
    expected = [[sample["labels"] for sample in check["exp_samples"]] for check in checks]
    three = [f'ALERTS{{alertname="PaymentsFail",alertstate="firing",at="{at}"}}' for at in "abc"]
    assert [len(labels) for labels in expected] == [0, 3, 0]
    assert sorted(expected[1]) == three


async def test_groups_are_evaluated_in_the_order_that_they_rest_on_each_other(promtool: Promtool) -> None:
    (witness,) = await proofs(promtool, [CANDIDATES["groups"]])
    assert isinstance(witness, Witness)
    assert yaml.safe_load(witness.test)["group_eval_order"] == ["b", "a", "z"]
    assert [group["name"] for group in yaml.safe_load(witness.rules_file)["groups"]] == ["b", "a", "z"]
    assert witness.rests_on == CANDIDATES["groups"].rests_on


async def test_what_does_not_hold_is_no_witness(promtool: Promtool) -> None:
    """A claim that is wrong fails by itself, with the reason."""
    never = candidate("paid > 1e9", alert="Never")
    refused = candidate("nosuch(paid)", alert="Refused")
    claims = [
        (never, Fired(firing_at=1200.0)),
        (candidate(), Fired(firing_at=2400.0)),
        (candidate(), Fired(firing_at=720.0, resolved_at=1200.0)),
        (never, Fired()),
        (refused, Fired(error="it cannot be read")),
        (refused, Fired(firing_at=720.0)),
        (candidate(for_seconds=900.0), Fired(pending_at=720.0, firing_at=1620.0, labels={"job": "a"})),
    ]
    *failed, sound = await prove(promtool, claims)
    assert failed == [
        "unrenamed and alone it behaves otherwise: at 1200 s nothing where it should be: it fires",
        "unrenamed and alone it behaves otherwise: at 2340 s an alert where it should be: all is calm",
        "unrenamed and alone it behaves otherwise: at 1200 s an alert where it should be: it is over",
        "it did not fire",
        "it cannot be read",
        'could not parse expression: 1:1: parse error: unknown function with name "nosuch"',
    ]
    assert isinstance(sound, Witness)


async def test_one_that_makes_promtool_crash_harms_itself_alone(servers: Servers, tmp_path: Path) -> None:
    program = tmp_path / "promtool"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = test ] && grep -q poison *.yml && kill -9 $$\nexec {servers.promtool} "$@"\n'
    )
    program.chmod(0o755)
    sound = (candidate(), Fired(firing_at=720.0, labels={"job": "a"}))
    poisoned = (candidate(courses=FAILING | {key("poison"): STILL}), sound[1])
    before, bad, after = await prove(Promtool(program), [sound, poisoned, sound])
    assert isinstance(before, Witness)
    assert before == after
    assert isinstance(bad, str)
    assert "ended with -9" in bad
