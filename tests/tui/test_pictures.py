"""What a user sees, kept as pictures: `pytest tests/tui --snapshot-update` after a wanted change."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from textual.color import Color
from textual.pilot import Pilot

from opsconsole.errors import UsageError
from opsconsole.model import Entry
from opsconsole.tui import themes
from opsconsole.tui.app import ConsoleApp
from opsconsole.tui.messages import State
from opsconsole.tui.picture import recorded_app, save_picture, stored_session
from opsconsole.tui.widgets.rows import RowList
from tests.tui import sample
from tests.tui.conftest import eventually, shown

Compare = Callable[..., bool]

DONE = sample.entries((0.0, sample.start()), *sample.RUNNING, *sample.ENDED)


@pytest.fixture(autouse=True)
def a_terminal_with_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def running_app() -> ConsoleApp:
    """Cut in the middle of a run that never ends; its clock stands still."""
    entries = sample.entries((0.0, sample.start()), *sample.RUNNING)

    async def run(ids: list[str] | None) -> int:
        await asyncio.Event().wait()
        return 0

    @asynccontextmanager
    async def open_session(progress: Callable[[str], None]) -> AsyncIterator[Any]:
        async with stored_session(entries) as session:
            yield SimpleNamespace(**{**vars(session), "verification": SimpleNamespace(run=run)})

    return ConsoleApp(
        open_session=open_session,
        environment="lab",
        protected=False,
        effects=True,
        clock=lambda: sample.BEGAN + 2.0,
    )


def settled(state: State, *keys: str, item: str = "rules") -> Callable[[Pilot[int]], Any]:
    """Wait until the screen is in this state and stands still, with the item selected."""

    async def prepare(pilot: Pilot[int]) -> None:
        screen = pilot.app.run_screen  # type: ignore[attr-defined]
        await eventually(pilot, lambda: screen.state is state and screen.view.items and screen.is_complete)
        screen.query_one("#checklist").select(item)
        await pilot.press(*keys)
        await eventually(pilot, lambda: screen.item.summary.id == item)
        before = ""
        while before != (before := shown(pilot.app)):
            await pilot.pause(0.2)

    return prepare


def test_running_in_a_small_terminal(snap_compare: Compare) -> None:
    prepare = settled(State.RUNNING, item="email")
    assert snap_compare(running_app(), terminal_size=(80, 24), run_before=prepare)


def test_done_with_failures_in_a_small_terminal(snap_compare: Compare) -> None:
    assert snap_compare(recorded_app(DONE), terminal_size=(80, 24), run_before=settled(State.IDLE))


def test_done_in_a_large_terminal_with_its_evidence_open(snap_compare: Compare) -> None:
    prepare = settled(State.IDLE, "2", "enter", "enter")
    assert snap_compare(recorded_app(DONE), terminal_size=(200, 60), run_before=prepare)


def test_light(snap_compare: Compare) -> None:
    prepare = settled(State.IDLE, "t", item="thresholds")
    assert snap_compare(recorded_app(DONE), terminal_size=(120, 30), run_before=prepare)


async def test_rows_are_drawn_in_the_theme_of_the_screen() -> None:
    app = recorded_app(DONE)
    async with app.run_test() as pilot:
        await settled(State.IDLE)(pilot)
        rows = app.screen.query_one("#checklist", RowList)
        for palette in (themes.LIGHT, themes.DARK):
            await pilot.press("t")
            cursor = Color.parse(palette.variables["cursor"]).rich_color
            await eventually(pilot, lambda colour=cursor: colour in backgrounds(rows))  # type: ignore[misc]


def backgrounds(rows: RowList) -> set[object]:
    strips = [rows.render_line(y) for y in range(rows.size.height)]
    return {segment.style.bgcolor for strip in strips for segment in strip if segment.style}


def test_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert snap_compare(recorded_app(DONE), terminal_size=(80, 24), run_before=settled(State.IDLE))


def test_protected(snap_compare: Compare) -> None:
    start = sample.start(environment="production", protected=True, effects=False)
    app = recorded_app(sample.entries((0.0, start), *sample.RUNNING, *sample.ENDED))
    assert snap_compare(app, terminal_size=(120, 36), run_before=settled(State.IDLE))


def test_a_dumb_terminal_gets_no_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    assert recorded_app(DONE).no_color


def test_the_same_entries_give_the_same_picture(tmp_path: Path) -> None:
    first, second = tmp_path / "first.svg", tmp_path / "second.svg"
    save_picture(first, DONE)
    save_picture(second, iter(DONE))
    assert first.read_bytes() == second.read_bytes()
    text = first.read_text(encoding="utf-8")
    assert "FAIL" in text
    assert "https://cdn" not in text
    assert not re.search(r"terminal-\d", text)


def test_a_picture_needs_the_beginning_of_a_run(tmp_path: Path) -> None:
    entries: list[Entry] = DONE[1:]
    with pytest.raises(UsageError, match="begin with a run's start"):
        save_picture(tmp_path / "x.svg", entries)
