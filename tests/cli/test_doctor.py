"""`opsconsole doctor` tells what is there, what is not, and downloads nothing."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from opsconsole.cli.doctor import command
from opsconsole.lab import debian

STAGING = """
[env.staging]
grafana = { url = "https://grafana.test", dashboard = "billing-metrics", token = "keyring:grafana/me" }
cluster = { namespace = "staging", deployment = "platform" }
"""


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who has nothing yet."""

    def never(*_: object) -> None:
        pytest.fail("the doctor must not download")

    (tmp_path / "bin").mkdir()
    for name in ("CACHE", "CONFIG", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
    monkeypatch.setattr(debian.Apt, "update", never)
    monkeypatch.chdir(tmp_path)


def install(folder: Path, **versions: str) -> None:
    for name, version in versions.items():
        (folder / name).write_text(f"#!/bin/sh\necho {name}, version {version}\n")
        (folder / name).chmod(0o755)


def diagnose() -> tuple[Result, dict[str, list[str]]]:
    """The result, and by name of what was looked for: the state and the rest of the line."""
    result = CliRunner().invoke(command)
    rows = {}
    for line in result.output.splitlines()[:-1]:
        state, name, *rest = line.split(maxsplit=2)
        rows[name] = [state, *rest]
    return result, rows


def test_nothing_there_is_exit_2_with_what_to_do() -> None:
    result, rows = diagnose()
    assert result.exit_code == 2
    assert [rows[name][0] for name in ("Prometheus", "promtool", "Alertmanager", "amtool")] == ["MISSING"] * 4
    assert "install the package prometheus-alertmanager" in rows["Alertmanager"][1]
    assert result.output.endswith("The lab cannot run yet: no Prometheus, promtool, Alertmanager, amtool.\n")
    assert rows["records"][1].endswith("state/opsconsole/records.db (none yet)")
    assert rows["configuration"][0] == "-"
    assert "kubectl" not in rows
    assert "keyring" not in rows


def test_all_there_is_exit_0(tmp_path: Path) -> None:
    install(tmp_path / "bin", prometheus="2.42.0", promtool="2.42.0", alertmanager="0.25.0", amtool="0.25.0")
    result, rows = diagnose()
    assert result.exit_code == 0
    assert rows["promtool"] == ["found", f"2.42.0 from the PATH ({tmp_path}/bin/promtool)"]
    assert result.output.endswith("The lab can run.\n")


def test_a_tool_of_another_version_is_remarked(tmp_path: Path) -> None:
    install(tmp_path / "bin", prometheus="3.5.3", promtool="2.42.0", alertmanager="0.25.0", amtool="0.25.0")
    assert "not the version of Prometheus" in diagnose()[0].output


def test_a_tool_that_does_not_run_is_missing(tmp_path: Path) -> None:
    install(tmp_path / "bin", prometheus="3.5.3", promtool="3.5.3", alertmanager="0.25.0", amtool="0.25.0")
    (tmp_path / "bin/amtool").write_text("#!/no/such/interpreter\n")
    result, rows = diagnose()
    assert result.exit_code == 2
    assert rows["amtool"] == ["MISSING", f"{tmp_path}/bin/amtool does not run"]


def test_helpers_are_looked_for_where_an_environment_uses_them(tmp_path: Path) -> None:
    (tmp_path / "opsconsole.toml").write_text(STAGING)
    _, rows = diagnose()
    assert rows["configuration"] == ["found", f"{tmp_path}/opsconsole.toml (staging)"]
    assert rows["kubeconfig"] == ["-", f"for the cluster of staging: {tmp_path}/.kube/config"]
    assert rows["kubectl"][0] == "-"
    assert rows["keyring"][0] == "-"


def test_a_wrong_configuration_is_told_and_the_rest_still_looked_for(tmp_path: Path) -> None:
    (tmp_path / "opsconsole.toml").write_text("[env.staging]\nprometeus = 1\n")
    _, rows = diagnose()
    assert rows["configuration"][0] == "WRONG"
    assert "opsconsole.toml:2" in rows["configuration"][1]
    assert rows["records"][0] == "found"
