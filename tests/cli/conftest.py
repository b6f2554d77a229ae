"""A real lab for the commands that act, and a console that has it as an environment."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsconsole.lab import stack
from opsconsole.lab.servers import Pair
from opsconsole.lab.state import LabState
from tests.standins.console import Console


@pytest.fixture(scope="session")
def lab(pair: Pair) -> Iterator[LabState]:
    state = asyncio.run(stack.start("foreground", pair.prometheus, pair.alertmanager))
    try:
        yield state
    finally:
        stack.stop(state)


@pytest.fixture
def console(tmp_path: Path, lab: LabState) -> Console:
    return Console(tmp_path, lab)
