"""`opsconsole runs`, on real records."""

import json
import re
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from opsconsole.cli.runs import command
from opsconsole.errors import OpsconsoleError, RecordsError, UsageError
from opsconsole.model import Outcome
from opsconsole.store import open_records
from tests.sample_run import DRILL, HIGH, RUN, drill, ended, numbered, sample, started

LATER = "20261123-0900-abcd"
Runs = Callable[..., Result]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Records of two runs: the sample on staging, later one on the lab that passes."""
    path = tmp_path / "records.db"
    records = open_records(path)
    began = started("scraping", run=LATER, environment="lab")
    passed = numbered([began, ended("scraping", Outcome.PASS, "up"), sample()[-1].event], run=LATER)
    for entry in [*sample(), *passed]:
        records.append(entry)
    records.close()
    return path


@pytest.fixture
def runs(path: Path) -> Runs:
    """Calls `opsconsole runs` with those records; an error of ours passes through, as to the CLI's main."""

    def call(name: str, *arguments: str) -> Result:
        result = CliRunner().invoke(command, [name, *arguments, "--records", str(path)])
        if isinstance(result.exception, OpsconsoleError):
            raise result.exception
        return result

    return call


def test_list_is_newest_first_with_what_each_run_came_to(runs: Runs) -> None:
    lines = runs("list").output.splitlines()
    assert [line.split("  ")[0] for line in lines] == [LATER, RUN]
    assert "  lab      exit 0   ada  1 PASS" in lines[0]
    assert "  staging  exit 1   ada  1 PASS, 1 FAIL, 1 SKIP, 1 UNKNOWN, 1 SIGN-OFF, 1 BROKEN" in lines[1]


def test_list_by_environment_and_in_json(runs: Runs) -> None:
    (run,) = json.loads(runs("list", "--env", "staging", "--json").output)
    assert (run["run"], run["exit_code"], run["outcomes"]["FAIL"]) == (RUN, 1, 1)
    assert len(json.loads(runs("list", "--limit", "1", "--json").output)) == 1
    assert runs("list", "--env", "nowhere").output == ""


def test_show_prints_the_run_as_it_was_shown(runs: Runs) -> None:
    result = runs("show", RUN)
    assert result.exit_code == 0
    assert "\nFAIL      rules        1.20 s  no data\n" in result.output
    assert re.search(r"\nRecords: [0-9a-f]{64}\n.*something failed \(exit 1\)\n$", result.output)
    assert "curl" not in result.output
    assert "curl -sS" in runs("show", RUN, "--evidence").output


def test_show_in_json_is_the_events(runs: Runs) -> None:
    lines = runs("show", "last", "--json").output.splitlines()
    assert [json.loads(line)["number"] for line in lines] == [1, 2, 3]


def test_diff_of_the_same_and_of_different_runs(runs: Runs) -> None:
    same = runs("diff", RUN, RUN)
    assert (same.exit_code, same.output.splitlines()[-1]) == (0, "the same")
    different = runs("diff", RUN, "last")
    assert different.exit_code == 1
    assert "run: environment: staging -> lab\n" in different.output
    assert "rules: outcome: FAIL -> (none)\n" in different.output


def test_an_alert_test_is_listed_shown_and_compared_as_one(runs: Runs, path: Path) -> None:
    records = open_records(path)
    for run, slower in ((DRILL, 0.0), (f"{DRILL}-later", 4.0)):
        for entry in drill(run=run, slower=slower):
            records.append(entry)
    records.close()
    kinds = [line.split("  ")[2].strip() for line in runs("list").output.splitlines()]
    assert kinds == ["alert-test", "alert-test", "verify", "verify"]
    assert json.loads(runs("list", "--json").output)[0]["kind"] == "alert-test"
    shown = runs("show", DRILL)
    assert f"  +15 min 15 s  {HIGH}" in shown.output
    assert f"\nPASS      {HIGH}  " in shown.output
    later = runs("diff", DRILL, "last")
    assert (later.exit_code, later.output.splitlines()[-1]) == (0, "the same")
    assert f"{HIGH}: metric after the cause: 10.0 s -> 14.0 s, slower by 4.00 s\n" in later.output
    other = runs("diff", RUN, "last")
    assert other.exit_code == 1
    assert other.output.splitlines()[2:] == ["run: kind: verify -> alert-test"]


@pytest.mark.parametrize(
    ("format", "beginning"),
    [("json", '{"run":'), ("junit", "<?xml"), ("markdown", "# Billing"), ("html", "<!doctype html>")],
)
def test_export(runs: Runs, tmp_path: Path, format: str, beginning: str) -> None:
    printed = runs("export", RUN, "--format", format).output
    assert printed.startswith(beginning)
    file = tmp_path / "report"
    assert runs("export", RUN, "--format", format, "-o", str(file)).output == ""
    assert file.read_text(encoding="utf-8") == printed


def test_export_to_a_place_that_cannot_be_written(runs: Runs, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot be written"):
        runs("export", RUN, "--format", "html", "-o", str(tmp_path / "nowhere" / "report.html"))


def test_verify_prints_what_it_proved(runs: Runs) -> None:
    result = runs("verify")
    assert result.exit_code == 0
    assert re.match(r"30 entries of 2 runs, head [0-9a-f]{64}\nwhole: ", result.output)


def test_verify_finds_what_was_changed(runs: Runs, path: Path) -> None:
    with sqlite3.connect(path) as database:
        database.execute("DROP TRIGGER entry_is_never_changed")
        database.execute("UPDATE entry SET body = replace(body, 'FAIL', 'PASS') WHERE body LIKE '%no data%'")
    result = runs("verify")
    assert result.exit_code == 1
    assert f"BROKEN at entry 19 (run {RUN}, number 19): it does not follow" in result.output
    assert "whole" not in result.output


def test_verify_proves_that_a_reports_run_is_still_there(runs: Runs, path: Path) -> None:
    (head,) = re.findall("Records: (.*)", runs("show", "last").output)
    assert runs("verify", "--head", head).exit_code == 0
    with sqlite3.connect(path) as database:
        database.execute("DROP TRIGGER entry_is_never_removed")
        database.execute("DELETE FROM entry WHERE position = 30")
    assert runs("verify").exit_code == 0
    result = runs("verify", "--head", head)
    assert result.exit_code == 1
    assert f"MISSING: no entry has the hash {head}" in result.output


@pytest.mark.parametrize(
    "arguments", [("show", "2025"), ("diff", "last", "last~7"), ("export", "x", "--format", "json")]
)
def test_a_run_that_is_not_there(runs: Runs, arguments: tuple[str, ...]) -> None:
    with pytest.raises(RecordsError, match="there is no run"):
        runs(*arguments)


@pytest.mark.parametrize("arguments", [("list",), ("show", "last"), ("verify",)])
def test_records_that_are_not_there_are_not_made(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    nowhere = tmp_path / "nowhere.db"
    result = CliRunner().invoke(command, [*arguments, "--records", str(nowhere)])
    assert isinstance(result.exception, RecordsError)
    assert result.exception.where == str(nowhere)
    assert not nowhere.exists()
