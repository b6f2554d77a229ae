"""Witnesses as files of the user's: which rules they rest on, and that they pass from anywhere."""

import asyncio
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from opsconsole.errors import UsageError
from opsconsole.lab.servers import PROMETHEUS, Servers, cached
from opsconsole.rehearse.load import load_rules
from opsconsole.rehearse.model import Candidate, Reason, Rule, Verdict, Witness, Word
from opsconsole.rehearse.packing import observe
from opsconsole.rehearse.promtool import Promtool
from opsconsole.rehearse.proof import prove, write_tests
from tests.rehearse.payments import incident

USERS = """
groups:
  - name: payments
    interval: 30s
    rules:
      - record: failed:share
        expr: sum by (job) (rate(paid{status="failed"}[5m])) / sum by (job) (rate(paid[5m]))
  - name: alerts
    rules:
      - alert: Payments Fail/now
        expr: failed:share > 0.1
        for: 15m
        annotations: {summary: "{{ $value }}"}
      - alert: payments_fail_now
        expr: rate(paid{status="failed"}[5m]) > 0
        labels: {severity: page}
"""


@pytest.fixture(scope="module")
def promtool(servers: Servers) -> Promtool:
    return Promtool(servers.promtool)


@pytest.fixture(scope="module")
def witnesses(promtool: Promtool, tmp_path_factory: pytest.TempPathFactory) -> list[Witness]:
    """Those of the two alerts, the first of which rests on the rule that records."""
    recording, *alerts = users_rules(tmp_path_factory.mktemp("first"))
    found = [
        Candidate(rule=rule, incident=incident(), rests_on=(recording,) if "share" in rule.expr else ())
        for rule in alerts
    ]

    async def proofs() -> list[Witness | str]:
        return await prove(promtool, list(zip(found, await observe(promtool, found), strict=True)))

    made = [each for each in asyncio.run(proofs()) if isinstance(each, Witness)]
    assert len(made) == 2
    return made


def verdicts(witnesses: Sequence[Witness], rules: Sequence[Rule]) -> list[Verdict]:
    """Both alerts are alive; `rules` are theirs, as they were read from somewhere."""
    recording, *alerts = rules[:3]
    with_rules = [replace(each, rests_on=(recording,) if each.rests_on else ()) for each in witnesses]
    return [alive(rule, witness) for rule, witness in zip(alerts, with_rules, strict=False)]


def alive(rule: Rule, witness: Witness) -> Verdict:
    return Verdict(
        subject=rule.alert, kind="alert", word=Word.ALIVE, expr=rule.expr, witness=witness, file=rule.file,
        rule=rule,
    )  # fmt: skip


def users_rules(folder: Path, text: str = USERS) -> list[Rule]:
    (folder / "users").mkdir(exist_ok=True)
    (folder / "users" / "billing.yml").write_text(text)
    return load_rules([folder / "users" / "billing.yml"])


def rule_files(test: Path) -> list[str]:
    return list(yaml.safe_load(test.read_text())["rule_files"])


def assert_all_pass(tests: Path, cwd: Path, programs: Sequence[Path]) -> None:
    for program in programs:
        command: list[str | Path] = [program, "test", "rules", *sorted(tests.glob("*.yml"))]
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{program}: {done.stdout}{done.stderr}"


def test_tests_rest_on_the_users_rules_and_pass_from_anywhere(
    promtool: Promtool, witnesses: list[Witness], tmp_path: Path
) -> None:
    found = verdicts(witnesses, users_rules(tmp_path))
    folder = tmp_path / "a" / "tests"
    written = write_tests(folder, found, promtool)
    assert [path.name for path in written] == ["Payments_Fail_now_test.yml", "payments_fail_now_2_test.yml"]
    assert [rule_files(path) for path in written] == [["../../users/billing.yml"]] * 2
    assert sorted(path.name for path in folder.iterdir()) == sorted(path.name for path in written)
    assert_all_pass(folder, Path("/"), [promtool.program, *(each.tool for each in cached(PROMETHEUS))])
    assert write_tests(folder, found, promtool) == written, "our own files are written anew"


def test_a_test_guards_the_users_rule(promtool: Promtool, witnesses: list[Witness], tmp_path: Path) -> None:
    write_tests(tmp_path / "tests", verdicts(witnesses, users_rules(tmp_path)))
    users_rules(tmp_path, USERS.replace("> 0.1", "> 0.9"))
    assert promtool.passing([tmp_path / "tests" / "Payments_Fail_now_test.yml"]) == [False]


SAME_NAME = """
      - alert: Payments Fail/now
        expr: paid > 3
        labels: {severity: page}
"""
OWN_SERIES = """
      - record: paid
        expr: vector(1)
"""
NOT_PROMTOOLS = "\n    partial_response_strategy: warn\n"
DISTURBED = {
    "changed since": (USERS, USERS.replace("15m", "10m")),
    "gone": (USERS, ""),
    "no YAML any more": (USERS, "groups: ["),
    "an alert of the same name": (USERS + SAME_NAME, None),
    "its series are recorded": (USERS + OWN_SERIES, None),
    "not for promtool": (USERS.rstrip() + NOT_PROMTOOLS, None),
    "wrapped": ("spec:" + USERS.replace("\n", "\n  "), None),
    "two documents": (USERS + "---" + USERS.replace("Fail", "Faint"), None),
}


@pytest.mark.parametrize(("before", "after"), DISTURBED.values(), ids=list(DISTURBED))
def test_rules_of_its_own_where_the_users_would_not_do(
    promtool: Promtool, witnesses: list[Witness], tmp_path: Path, before: str, after: str | None
) -> None:
    first, *_ = verdicts(witnesses, users_rules(tmp_path, before)[:2])
    if after is not None:
        (tmp_path / "users" / "billing.yml").write_text(after)
    (test,) = write_tests(tmp_path, [first])
    assert rule_files(test) == ["rules/Payments_Fail_now.yml"]
    assert_all_pass(tmp_path, tmp_path, [promtool.program])


def test_rules_that_no_file_holds(promtool: Promtool, witnesses: list[Witness], tmp_path: Path) -> None:
    """Such as those of a server, or from standard input."""
    for nth, file in enumerate(("", "<stdin>", str(tmp_path))):
        served = [replace(rule, file=file) for rule in users_rules(tmp_path)]
        written = write_tests(tmp_path / str(nth), verdicts(witnesses, served[:2]))
        assert [rule_files(path) for path in written] == [["rules/Payments_Fail_now.yml"]]


FAILS = """
      - alert: Fails
        expr: paid * on (job) paid
"""


def test_a_rule_beside_it_that_fails(promtool: Promtool, witnesses: list[Witness], tmp_path: Path) -> None:
    """promtool fails a test if any rule of the file fails; known by its verdict, or by running it."""
    rules = users_rules(tmp_path, USERS + FAILS)
    (found,) = verdicts(witnesses, rules[:2])
    reason = Reason(kind="never-fires-by-rule", summary="it fails")
    fails = replace(found, word=Word.DEAD, witness=None, rule=rules[-1], reasons=(reason,))
    for nth, (given, asked) in enumerate((([found], promtool), ([found, fails], None))):
        (test,) = write_tests(tmp_path / str(nth), given, asked)
        assert rule_files(test) == ["rules/Payments_Fail_now.yml"]
        assert promtool.passing([test]) == [True]


def test_only_what_is_alive_is_written(promtool: Promtool, witnesses: list[Witness], tmp_path: Path) -> None:
    found, _ = verdicts(witnesses, users_rules(tmp_path))
    dead = replace(found, word=Word.DEAD, witness=None)
    assert write_tests(tmp_path / "none", [dead]) == []


@pytest.mark.parametrize("theirs", ["Payments_Fail_now_test.yml", "rules/Payments_Fail_now.yml"])
def test_files_of_others_are_not_overwritten(
    promtool: Promtool, witnesses: list[Witness], tmp_path: Path, theirs: str
) -> None:
    found = verdicts(witnesses, users_rules(tmp_path))
    folder = tmp_path / "tests"
    (folder / "rules").mkdir(parents=True)
    (folder / theirs).write_text("tests: []\n")
    with pytest.raises(UsageError, match="did not write") as raised:
        write_tests(folder, found)
    assert raised.value.where == str(folder / theirs)
    assert [path for path in folder.rglob("*") if path.is_file()] == [folder / theirs]
    assert (folder / theirs).read_text() == "tests: []\n"
