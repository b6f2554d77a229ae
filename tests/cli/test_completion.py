"""A shell completes commands, environments, items and runs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from opsconsole.store import open_records


def completed(words: str, **environ: str) -> list[str]:
    """What bash would offer for the last of `words`."""
    parts = words.split(" ")
    run = subprocess.run(
        [sys.executable, "-c", "from opsconsole.cli import main; main()"],
        env={
            **os.environ,
            **environ,
            "_OPSCONSOLE_COMPLETE": "bash_complete",
            "COMP_WORDS": words,
            "COMP_CWORD": str(len(parts) - 1),
        },
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    return [line.partition(",")[2] for line in run.stdout.splitlines()]


def test_commands() -> None:
    assert completed("opsconsole ve") == ["verify"]


def test_items_of_the_checklist() -> None:
    assert completed("opsconsole verify -k th") == ["thresholds"]


def test_environments_of_the_configuration(tmp_path: Path) -> None:
    config = tmp_path / "opsconsole.toml"
    config.write_text('[env.staging]\nprometheus = "http://127.0.0.1:1"\n')
    assert completed(f"opsconsole verify --config {config} --env ") == ["lab", "staging"]


def test_runs(tmp_path: Path) -> None:
    open_records(tmp_path / "opsconsole/records.db").close()
    assert completed("opsconsole runs show la", XDG_STATE_HOME=str(tmp_path)) == ["last"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_script(shell: str) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "opsconsole", "completion", shell], capture_output=True, text=True, check=True
    )
    assert "_OPSCONSOLE_COMPLETE" in run.stdout
