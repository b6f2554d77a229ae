"""A protected environment, from its file: nothing is changed unless it is named once more."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from opsconsole.lab.environment import reference_rules
from opsconsole.lab.state import LabState

CONFIG = """
[env.production]
protected = true
prometheus = "{prometheus}"
alertmanager = "{alertmanager}"
rules = "{rules}"
inbox = {{ kind = "lab", url = "{inbox}" }}
[env.production.service]
url = "{service}"
metrics = "{service}/metrics"
job = "rsolv-platform"
api_key = "env:API_KEY"
"""
ACTING = ("webhook-metrics", "test-email")


def verified(
    lab: LabState, folder: Path, *arguments: str, key: str = "sk_test_51Zx9"
) -> subprocess.CompletedProcess[str]:
    config = folder / "opsconsole.toml"
    config.write_text(
        CONFIG.format(
            prometheus=lab.prometheus_url, alertmanager=lab.alertmanager_url, service=lab.service_url,
            inbox=lab.inbox_url, rules=reference_rules(),
        )
    )  # fmt: skip
    items = [part for item in ACTING for part in ("-k", item)]
    argv = [sys.executable, "-m", "opsconsole", "verify", "--plain", "--env", "production", *items]
    return subprocess.run(
        [*argv, "--config", str(config), "--records", str(folder / "records.db"), *arguments],
        env={**os.environ, "API_KEY": key}, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip


def outcomes(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    lines = [line.split() for line in done.stdout.splitlines()]
    return {line[1]: line[0] for line in lines if len(line) > 1 and line[1] in ACTING}


def test_effects_are_not_handed_out(lab: LabState, tmp_path: Path) -> None:
    done = verified(lab, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert outcomes(done) == dict.fromkeys(ACTING, "SKIP")
    assert "--allow-effects production" in done.stdout


def test_naming_it_once_more_hands_them_out(lab: LabState, tmp_path: Path) -> None:
    done = verified(lab, tmp_path, "--allow-effects", "production")
    assert done.returncode == 0, done.stdout + done.stderr
    assert outcomes(done) == dict.fromkeys(ACTING, "PASS")


def test_naming_another_is_no_consent(lab: LabState, tmp_path: Path) -> None:
    done = verified(lab, tmp_path, "--allow-effects", "staging")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert outcomes(done) == {}


@pytest.mark.parametrize("prefix", ["sk_live_", "rk_live_"])
def test_a_live_key_is_refused_always(prefix: str, lab: LabState, tmp_path: Path) -> None:
    done = verified(lab, tmp_path, "--allow-effects", "production", key=f"{prefix}{'a1' * 12}")
    assert done.returncode != 0
    assert "PASS" not in outcomes(done).values()
    assert "live Stripe key" in done.stdout + done.stderr
    assert "a1a1a1" not in done.stdout + done.stderr
