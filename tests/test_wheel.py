"""The wheel, in an empty environment, is the same product as the checkout."""

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

HOME = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)],
        cwd=HOME, check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    (made,) = folder.glob("*.whl")
    return made


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `opsconsole` of an environment that holds the wheel and what it declares, and nothing else."""
    folder = tmp_path_factory.mktemp("empty")
    pins = re.findall(r"^([\w.-]+==[^ ;\\]+)", (HOME / "requirements.lock").read_text(), re.MULTILINE)
    (folder / "pins.txt").write_text("\n".join(pins))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "env"], check=True, timeout=300)
    subprocess.run(
        [
            sys.executable, "-m", "pip", "--python", str(folder / "env/bin/python"), "install", "--quiet",
            "--no-compile", "--disable-pip-version-check", "-c", str(folder / "pins.txt"), str(wheel),
        ],
        check=True, timeout=600,
    )  # fmt: skip
    return folder / "env/bin/opsconsole"


def said(*argv: str | Path) -> str:
    return subprocess.run(argv, cwd="/", capture_output=True, text=True, check=True, timeout=120).stdout


def test_the_wheel_lists_the_same_checks_as_the_checkout(installed: Path) -> None:
    ours = said(sys.executable, "-m", "opsconsole", "checks", "--json")
    assert said(installed, "checks", "--json") == ours
    assert ours.count('"id"') == len(list((HOME / "checks").glob("*.py")))


def test_the_wheel_holds_every_page_every_style_and_every_component(wheel: Path) -> None:
    inside = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("checks", "runbooks"):
        for path in (HOME / folder).glob("*.*"):
            assert f"opsconsole/_content/{folder}/{path.name}" in inside
    for pattern in ("*.tcss", "*.yml", "*.json", "*.sql", "*.toml"):
        for path in (HOME / "opsconsole").rglob(pattern):
            assert path.relative_to(HOME).as_posix() in inside


def test_the_wheel_knows_its_version(installed: Path) -> None:
    assert said(installed, "--version") == said(sys.executable, "-m", "opsconsole", "--version")
