"""`opsconsole rehearse`: its lines, its exit codes, its documents, and what it says to a wrong call."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from opsconsole.cli import main
from opsconsole.lab.environment import reference_rules
from opsconsole.lab.servers import PAIRS, Pair, Servers
from tests.standins.console import NAME, Console

HOME = Path(__file__).parent.parent.parent
RULES = """groups:
- name: payments
  rules:
  - alert: FailuresHigh
    expr: sum(rate(payments_total{status="failed"}[5m])) / sum(rate(payments_total[5m])) > 0.1
    for: 15m
    labels: {severity: warning}
  - alert: ShareOverOne
    expr: |
      histogram_quantile(0.99, sum by (le) (rate(grant_bucket[5m]))) > 1000
"""
METRICS = """# TYPE payments_total counter
payments_total{status="success",plan="pro"} 90
payments_total{status="failed",plan="pro"} 3
# TYPE grant histogram
grant_bucket{le="10"} 1
grant_bucket{le="100"} 2
grant_bucket{le="+Inf"} 2
grant_sum 14
grant_count 2
"""
DASHBOARD = {
    "title": "Payments",
    "panels": [
        {"type": "timeseries", "title": "By plan", "targets": [{"expr": "sum by (plan) (payments_total)"}]}
    ],
}


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with rules, what the target serves, and a dashboard; the working folder."""
    (tmp_path / "rules.yml").write_text(RULES)
    (tmp_path / "metrics.prom").write_text(METRICS)
    (tmp_path / "dashboard.json").write_text(json.dumps(DASHBOARD))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return tmp_path


def called(*arguments: str) -> int:
    with pytest.raises(SystemExit) as leave:
        main(["rehearse", *arguments])
    return int(leave.value.code or 0)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("--metrics metrics.prom", "--metrics alone names nothing to rehearse"),
        ("--rules rules.yml --metrics metrics.prom --env lab", "name one of them"),
        ("--rules rules.yml --backtest", "--backtest needs the history of an environment"),
        ("--backtest --junit out.xml", "--junit does not go with --backtest"),
        ("--backtest --env lab --dashboard dashboard.json", "--dashboard does not go with --backtest"),
        ("--rules", "requires at least one value"),
        ("rules.yml", "unexpected extra argument"),
        ("--rules missing.yml", "missing.yml"),
        ("--rules binary.yml", "binary.yml"),
        ("--rules empty.yml", "empty.yml"),
        ("--rules list.yml", "list.yml"),
        ("--dashboard list.yml", "list.yml"),
        ("--dashboard notes.json", "notes.json"),
        ("--dashboard missing.json", "missing.json"),
        ("--rules rules.yml --metrics page.html", "HTML"),
        ("--rules rules.yml --metrics missing.prom", "missing.prom"),
        ("--env nowhere", "nowhere"),
        ("--rules rules.yml -k Failurs", "did you mean 'FailuresHigh'?"),
        ("--rules rules.yml --sarif sub/out.sarif", "sub/out.sarif: the report cannot be written"),
        ("--rules rules.yml --junit .", "is a directory"),
        ("--rules rules.yml --sarif rules.yml", "--sarif would overwrite a file that is rehearsed"),
        ("--rules rules.yml --write-tests rules.yml", "is a file, and the tests go into a folder"),
        ("--rules rules.yml --write-tests rules.yml/sub", "is a file, and the tests go into a folder"),
    ],
    ids=str,
)
def test_a_wrong_call_is_told_in_a_clear_line(
    files: Path, line: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "binary.yml").write_bytes(b"\x00\x01\xff")
    (files / "empty.yml").write_text("groups: []\n")
    (files / "list.yml").write_text("- a\n- b\n")
    (files / "notes.json").write_text('{"a": 1}')
    (files / "page.html").write_text("<!doctype html><html><body>Sign in</body></html>")
    assert called(*line.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert says in err
    assert "Traceback" not in err


def test_a_server_that_cannot_be_seen_is_no_verdict(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    (files / "opsconsole.toml").write_text(f'[env.here]\nprometheus = "http://127.0.0.1:{port}"\n')
    assert called("--env", "here") == 3
    assert f"127.0.0.1:{port}" in capsys.readouterr().err


def test_an_environment_without_a_prometheus_is_told(files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (files / "opsconsole.toml").write_text("[env.here]\n")
    assert called("--env", "here") == 2
    assert "names no prometheus" in capsys.readouterr().err


def test_without_promtool_it_says_what_to_install(
    files: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (files / "bin").mkdir()
    monkeypatch.setenv("PATH", str(files / "bin"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(files / "cache"))
    assert called("--rules", "rules.yml") == 2
    err = capsys.readouterr().err
    assert "no promtool to be had: not on the PATH" in err
    assert "apt-get install prometheus" in err


class Rehearsed:
    """opsconsole as a process, in a folder, with one version's promtool and lab."""

    def __init__(self, folder: Path, pair: Pair) -> None:
        self.folder = folder
        self.version = ["--prometheus-version", pair.prometheus]

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "opsconsole", "rehearse", *arguments, *self.version],
            cwd=self.folder, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip


@pytest.fixture
def rehearsed(files: Path) -> Rehearsed:
    return Rehearsed(files, PAIRS[-1])


@pytest.fixture
def rehearsed_in_pair(files: Path, pair: Pair) -> Rehearsed:
    return Rehearsed(files, pair)


@pytest.mark.servers
def test_files_are_rehearsed_and_every_document_says_the_same(
    rehearsed_in_pair: Rehearsed, servers: Servers
) -> None:
    run = rehearsed_in_pair(
        *shlex.split("--rules rules.yml --dashboard dashboard.json --metrics metrics.prom --plain"),
        *shlex.split("--junit out.xml --sarif out.sarif --write-tests kept"),
    )
    assert run.returncode == 1, run.stderr
    alive, dead, panel = run.stdout.splitlines()
    assert alive.startswith("alive FailuresHigh  ")
    assert dead.startswith("dead ShareOverOne  ")
    assert dead.endswith(" | at rules.yml:10")
    assert panel.startswith("quiet By plan")
    assert "1 alive, 1 dead, 1 quiet" in run.stderr.splitlines()[-1]
    (sarif,) = json.loads((rehearsed_in_pair.folder / "out.sarif").read_text())["runs"]
    assert ["above-highest-bucket", "error"] in [[one["ruleId"], one["level"]] for one in sarif["results"]]
    assert 'failures="1"' in (rehearsed_in_pair.folder / "out.xml").read_text()
    (kept,) = (rehearsed_in_pair.folder / "kept").glob("*.yml")
    subprocess.run([servers.promtool, "test", "rules", kept], check=True, capture_output=True)


@pytest.mark.servers
def test_json_is_one_document_and_a_part_of_the_alerts_can_be_chosen(rehearsed: Rehearsed) -> None:
    run = rehearsed("--rules", "rules.yml", "--json", "-k", "failureshigh")
    assert run.returncode == 0, run.stderr
    (verdict,) = json.loads(run.stdout)["verdicts"]
    assert (verdict["name"], verdict["verdict"]) == ("FailuresHigh", "alive")
    assert verdict["guess"]
    assert verdict["witness"]["test"]


@pytest.mark.servers
def test_what_cannot_be_read_is_left_out_and_told(rehearsed: Rehearsed) -> None:
    (rehearsed.folder / "broken.yml").write_text("groups: [{name: a, rules: [{alert: A, expr: 'up\n")
    run = rehearsed("--plain", "--rules", "rules.yml", "broken.yml", "-k", "FailuresHigh")
    assert run.returncode == 2
    assert run.stdout.startswith("alive FailuresHigh")
    assert "left out: broken.yml" in run.stderr


@pytest.mark.servers
def test_the_hook_of_pre_commit_is_one_call(rehearsed: Rehearsed) -> None:
    (hook,) = yaml.safe_load((HOME / ".pre-commit-hooks.yaml").read_text())
    assert re.search(hook["files"], "monitoring/billing-alerts.yml")
    assert not re.search(hook["files"], "docker-compose.yml")
    assert re.search(hook["exclude"], "monitoring/alertmanager.yml")
    called = [*shlex.split(hook["entry"]), *map(str, hook["args"]), "rules.yml"]
    assert called[:2] == ["opsconsole", "rehearse"]
    run = rehearsed(*called[2:])
    assert run.returncode == 0, run.stderr
    verdicts = [line.split()[:2] for line in run.stdout.splitlines()]
    assert verdicts == [["alive", "FailuresHigh"], ["alive", "ShareOverOne"]]


@pytest.mark.servers
def test_the_lab_is_rehearsed_where_nothing_is_named(rehearsed_in_pair: Rehearsed) -> None:
    run = rehearsed_in_pair()
    assert run.returncode == 0, run.stderr
    words = [line.split()[0] for line in run.stdout.splitlines()]
    assert words == ["alive"] * 7 + ["data"] * 10
    assert "7 alerts, 10 panels" in run.stderr


@pytest.mark.servers
def test_files_are_rehearsed_with_an_environment_as_the_truth(
    rehearsed_in_pair: Rehearsed, console: Console
) -> None:
    rules = yaml.safe_load(reference_rules().read_text())
    rule = rules["groups"][0]["rules"][0]
    rule["expr"] = rule["expr"].replace("status=", "state=")
    (rehearsed_in_pair.folder / "rules.yml").write_text(yaml.safe_dump(rules))
    run = rehearsed_in_pair("--env", NAME, "--rules", "rules.yml", "--plain", "-k", rule["alert"])
    assert run.returncode == 1, run.stderr
    assert run.stdout.startswith(f"dead {rule['alert']}  ")


@pytest.mark.servers
def test_a_back_test_shows_what_the_proposed_rules_would_have_changed(
    rehearsed_in_pair: Rehearsed, console: Console
) -> None:
    rules = reference_rules().read_text()
    (rehearsed_in_pair.folder / "new.yml").write_text(rules.replace("> 0.25", "> 0.05"))
    run = rehearsed_in_pair("--backtest", "--env", NAME, "--rules", "new.yml", "-k", "FailureRateCritical")
    assert run.returncode == 0, run.stderr
    assert "with the proposed rules\n  BillingPaymentFailureRateCritical: " in run.stdout
    assert " new" in run.stdout
    assert "agreement with the server's own ALERTS" in run.stdout


@pytest.fixture
def silent_server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


@pytest.mark.servers
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_who_is_told_to_end_ends(rehearsed: Rehearsed, silent_server: socket.socket, number: int) -> None:
    port = silent_server.getsockname()[1]
    toml = f'[env.here]\nprometheus = {{ url = "http://127.0.0.1:{port}", timeout_seconds = 500 }}\n'
    (rehearsed.folder / "opsconsole.toml").write_text(toml)
    argv = [sys.executable, "-m", "opsconsole", "rehearse", "--env", "here", *rehearsed.version]
    with subprocess.Popen(
        argv, cwd=rehearsed.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        silent_server.settimeout(120)
        connection, _ = silent_server.accept()
        process.send_signal(number)
        out, errors = process.communicate(timeout=120)
        connection.close()
    assert (process.returncode, out) == (130, "")
    assert "interrupted" in errors
    assert "Traceback" not in errors


@pytest.mark.servers
def test_a_full_output_is_told(rehearsed: Rehearsed) -> None:
    argv = [sys.executable, "-m", "opsconsole", "rehearse", "--rules", "rules.yml", *rehearsed.version]
    with Path("/dev/full").open("w") as full:
        run = subprocess.run(argv, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120, check=False)
    assert run.returncode == 2
    assert "standard output cannot be written" in run.stderr


@pytest.mark.servers
def test_a_reader_that_goes_away_does_not_change_the_exit_code(rehearsed: Rehearsed) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    argv = [sys.executable, "-m", "opsconsole", "rehearse", "--rules", "rules.yml", "-k", "FailuresHigh"]
    run = subprocess.run(
        [*argv, *rehearsed.version],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
        check=False,
    )
    os.close(writing)
    assert run.returncode == 0, run.stderr
