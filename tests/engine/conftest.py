"""An engine with small checks and an in-memory record."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsconsole.engine import checklist
from opsconsole.engine.discover import discover
from opsconsole.engine.record import Recorder
from opsconsole.engine.schedule import Verification
from opsconsole.errors import RecordsError
from opsconsole.model import Entry
from opsconsole.runview import RunView


class Kept:
    """A sink that keeps entries in a list."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self.full = False

    def append(self, entry: Entry) -> None:
        if self.full:
            raise RecordsError("disk full")
        self.entries.append(entry)

    @property
    def view(self) -> RunView:
        return RunView.of(self.entries)


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def write_check(tmp_path: Path) -> Callable[..., Path]:
    """Writes `checks/<name>.py` whose body is the given lines of `check`."""

    def write(name: str, body: str, *, signature: str = "", head: str = "") -> Path:
        folder = tmp_path / "checks"
        folder.mkdir(exist_ok=True)
        indented = "\n".join(f"    {line}" for line in body.splitlines())
        (folder / f"{name}.py").write_text(
            f'"""The check {name}."""\n'
            "import asyncio\n"
            "from opsconsole.checkkit import Finding, Seen, SignOff, Skip, Unseen, until\n"
            f"{head}\n"
            f"async def check({signature}):\n{indented}\n"
            "    if False: yield\n"
        )
        return folder

    return write


@pytest.fixture
def verification(tmp_path: Path, kept: Kept) -> Callable[..., Verification]:
    """A Verification with one item for each check in the folder, or for those named."""

    def make(*names: str, clients: dict[str, Any] | None = None, **options: Any) -> Verification:
        checks = discover(tmp_path / "checks")
        path = tmp_path / "list.toml"
        path.write_text(
            "".join(
                f'[[item]]\nid = "{name}"\ntitle = "{name}"\n[[item.check]]\nuse = "{name}"\n'
                for name in names or checks
            )
        )
        made = Verification(
            checklist=checklist.load(path, checks),
            checks=checks,
            clients=clients or {},
            recorder=Recorder("run-1", kept),
            environment="here",
            check_timeout_seconds=options.pop("timeout", 60.0),
            **options,
        )
        made.start(who="somebody", host="somewhere", protected=False, versions={})
        return made

    return make
