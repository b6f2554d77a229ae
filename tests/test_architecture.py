"""Who imports whom, seen from outside: what a check may name, and what a command really loads."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from opsconsole import content
from opsconsole.cli import COMMANDS

HEAVY = (
    "textual",
    "rich",
    "httpx",
    "kubernetes",
    "prometheus_api_client",
    "keyring",
    "stripe",
    "aiosmtpd",
    "yaml",
)


def loaded_by(code: str) -> set[str]:
    """The top-level modules that a fresh Python has loaded after `code`."""
    told = "print('\\n' + json.dumps(sorted(sys.modules)))"
    script = f"import sys, json\ntry:\n    {code}\nexcept SystemExit: pass\n{told}"
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120
    )
    return {name.partition(".")[0] for name in json.loads(run.stdout.splitlines()[-1])}


def test_help_loads_nothing_heavy() -> None:
    loaded = loaded_by("from opsconsole.cli import main; main(['--help'])")
    assert "click" in loaded
    assert not loaded & {*HEAVY, "asyncio", "sqlite3", "msgspec"}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_help_of_a_command_loads_nothing_heavy(command: str) -> None:
    assert not loaded_by(f"from opsconsole.cli import main; main(['{command}', '--help'])") & set(HEAVY)


def test_preparing_a_run_loads_no_screen_and_no_cluster() -> None:
    loaded = loaded_by("import opsconsole.cli.job")
    assert not loaded & {
        "textual",
        "rich",
        "kubernetes",
        "keyring",
        "stripe",
        "aiosmtpd",
        "prometheus_api_client",
    }


@pytest.mark.parametrize("path", sorted(content.folder("checks").glob("*.py")), ids=lambda path: path.stem)
def test_a_check_imports_the_standard_library_and_checkkit_alone(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        else:
            continue
        for name in names:
            assert name == "opsconsole.checkkit" or name.partition(".")[0] in sys.stdlib_module_names


@pytest.mark.parametrize(
    ("library", "room"),
    [("textual", "tui"), ("kubernetes", "clients/cluster"), ("httpx", "clients"), ("sqlite3", "store")],
)
def test_a_library_is_used_in_its_room_alone(library: str, room: str) -> None:
    package = Path(content.__file__).parent
    for path in package.rglob("*.py"):
        where = path.relative_to(package).as_posix()
        if where.startswith(room):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert library not in {name.partition(".")[0] for name in names}, where
