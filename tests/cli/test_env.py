"""`opsconsole env`: every value in force, with its place, and never a secret."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from opsconsole.cli.env import command
from opsconsole.errors import ConfigError

TEXT = """[env.staging]
prometheus = "http://localhost:9090"
rules = "rules.yml"
request_timeout_seconds = 7
grafana = { url = "https://g", dashboard = "d", token = "env:OPSCONSOLE_TEST_TOKEN" }
[env.staging.service]
url = "https://s"
job = "app"
api_key = "env:OPSCONSOLE_TEST_UNSET"
[env.staging.settings]
days = 3
[env.staging.slack]
token = "env:OPSCONSOLE_TEST_TOKEN"
channel = "#alerts"
[env.production]
protected = true
"""


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPSCONSOLE_TEST_TOKEN", "PLANTED-SECRET")
    monkeypatch.delenv("OPSCONSOLE_TEST_UNSET", raising=False)
    path = tmp_path / "opsconsole.toml"
    path.write_text(TEXT, encoding="utf-8")
    return path


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(command, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    assert "PLANTED" not in result.output
    return result


def settings(path: Path, name: str = "staging") -> dict[str, dict[str, object]]:
    shown = json.loads(run("show", name, "--config", path, "--json").output)
    return {setting["key"]: setting for setting in shown["settings"]}


def test_each_value_comes_with_its_place(path: Path) -> None:
    shown = settings(path)
    for key, value, origin in [
        ("prometheus.url", "http://localhost:9090", f"{path}:2"),
        ("prometheus.user", "", "default"),
        ("prometheus.timeout_seconds", 7.0, "request_timeout_seconds"),
        ("grafana.dashboard", "d", f"{path}:5"),
        ("service.job", "app", f"{path}:8"),
        ("settings.days", 3, f"{path}:11"),
        ("slack.channel", "#alerts", f"{path}:14"),
        ("slack.url", "https://slack.com/api", "default"),
        ("pagerduty", None, "default"),
        ("alertmanager", None, "default"),
        ("check_timeout_seconds", 60.0, "default"),
        ("protected", False, "default"),
    ]:
        assert (shown[key]["value"], shown[key]["origin"]) == (value, origin), key


def test_a_secret_is_its_reference_and_whether_it_resolves(path: Path) -> None:
    shown = settings(path)
    assert shown["grafana.token"]["value"] == "env:OPSCONSOLE_TEST_TOKEN"
    assert shown["grafana.token"]["state"] == "resolves"
    assert shown["service.api_key"]["state"] == "does not resolve: the variable is not set"


def test_a_file_that_is_not_there_is_told(path: Path) -> None:
    assert settings(path)["rules"]["state"] == "there is no such file"
    (path.parent / "rules.yml").touch()
    assert settings(path)["rules"]["state"] == ""


def test_the_text_says_the_same(path: Path) -> None:
    lines = run("show", "staging", "--config", path).output.splitlines()
    assert lines[0] == f"staging  {path}:1"
    words = {line.split()[0]: line.split()[1:] for line in lines[1:]}
    assert words["grafana.token"] == ["env:OPSCONSOLE_TEST_TOKEN", "(resolves)", "[opsconsole.toml:5]"]
    assert words["alertmanager"] == ["-", "[default]"]
    assert words["settings.days"] == ["3", "[opsconsole.toml:11]"]


def test_protected_is_loud(path: Path) -> None:
    assert run("show", "production", "--config", path).output.startswith(f"production  {path}:15  PROTECTED")


def test_the_list_has_the_lab_and_the_files_environments(path: Path) -> None:
    assert [line.split() for line in run("list", "--config", path).output.splitlines()] == [
        ["lab", "open", "embedded"],
        ["staging", "open", f"{path}:1"],
        ["production", "protected", f"{path}:15"],
    ]
    assert [row["name"] for row in json.loads(run("list", "--config", path, "--json").output)] == [
        "lab",
        "staging",
        "production",
    ]


def test_without_a_file_there_is_the_lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert "opsconsole init" in run("list").output
    assert "embedded" in run("show", "lab").output


def test_an_unknown_environment_names_the_nearest(path: Path) -> None:
    with pytest.raises(ConfigError, match="did you mean 'production'"):
        command.main(["show", "prodution", "--config", str(path)], standalone_mode=False)
