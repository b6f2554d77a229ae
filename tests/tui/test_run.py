"""The screen of a run: what it shows while items run, and each thing that a user can ask of it."""

import asyncio

import pytest
from textual.pilot import Pilot
from textual.widgets import Markdown

from opsconsole.errors import LabError, RecordsError
from opsconsole.model import Entry, ItemFinished, ItemStarted, Outcome, SignedOff
from opsconsole.reports import wording
from opsconsole.runview import RunView
from opsconsole.tui.messages import State
from opsconsole.tui.picture import recorded_app
from opsconsole.tui.widgets.rows import RowList
from tests import sample_run
from tests.tui.conftest import Stage, eventually, shown


def outcomes(pilot: Pilot[int]) -> dict[str, Outcome | None]:
    return {id: item.outcome for id, item in pilot.app.run_screen.view.items.items()}  # type: ignore[attr-defined]


def recorded(stage: Stage) -> list[Entry]:
    """The entries of the first run."""
    return list(stage.records.entries("20261122-1701-test"))


async def until_done(pilot: Pilot[int]) -> None:
    await eventually(pilot, lambda: pilot.app.run_screen.state is State.IDLE)  # type: ignore[attr-defined]


async def on_screen(pilot: Pilot[int], *texts: str) -> None:
    await eventually(pilot, lambda: all(text in shown(pilot.app) for text in texts))


async def select(pilot: Pilot[int], item: str) -> None:
    pilot.app.screen.query_one("#checklist", RowList).select(item)
    await eventually(pilot, lambda: pilot.app.screen.item.summary.id == item)  # type: ignore[attr-defined]


async def test_items_run_side_by_side_and_show_as_they_change(stage: Stage) -> None:
    app = stage.app()
    async with app.run_test(size=(120, 30)) as pilot:
        await on_screen(
            pilot, "✓ PASS     Prometheus is scraping", "✗ FAIL     All rules", "running  Test email"
        )
        await on_screen(pilot, "3 of 4", "✎ 1 SIGN-OFF", " left")
        await select(pilot, "email")
        await on_screen(pilot, "waiting for the mail")
        stage.gate.set()
        await on_screen(pilot, "✓ PASS     Test email", "4 of 4", "exit 1", "something failed")


async def test_steps_of_the_opening_are_shown_first(stage: Stage) -> None:
    stage.before_opening = lambda progress: progress("starting Prometheus 2.53")
    app = stage.app(start=False)
    async with app.run_test() as pilot:
        screen = app.run_screen
        await eventually(pilot, lambda: screen._startup == ["starting Prometheus 2.53"])
        await on_screen(pilot, "Prometheus is scraping")


async def test_an_error_is_shown_with_what_to_do_and_ends_with_its_exit_code(stage: Stage) -> None:
    def fail(progress: object) -> None:
        raise LabError("Prometheus did not start", where="lab", hint="run opsconsole doctor")

    stage.before_opening = fail
    app = stage.app()
    async with app.run_test() as pilot:
        await on_screen(pilot, "Prometheus did not start", "run opsconsole doctor", "exit 2")
        await pilot.press("x")
    assert app.return_value == 2


async def test_the_result_tells_findings_diagnosis_and_what_was_seen(stage: Stage) -> None:
    stage.gate.set()
    async with stage.app().run_test(size=(140, 50)) as pilot:
        await until_done(pilot)
        await select(pilot, "rules")
        await on_screen(pilot, "HighRate: differs", "- 0.1", "+ 0.5", "→ reload")
        await on_screen(pilot, "HighRate: differs <- the last reload failed")
        await on_screen(pilot, "✓ 7 rules \\x1b[31mloaded")


async def test_an_exchange_opens_to_its_curl_line_and_body(stage: Stage) -> None:
    stage.gate.set()
    async with stage.app().run_test(size=(120, 30)) as pilot:
        await until_done(pilot)
        await select(pilot, "rules")
        await pilot.press("2", "enter")
        await on_screen(pilot, "GET /api/v1/rules?type=alert", "503")
        await pilot.press("enter")
        await on_screen(pilot, "curl ", '"status": "error"', "19 B")


async def test_copy_gives_the_curl_line_of_the_selected_exchange(stage: Stage) -> None:
    stage.gate.set()
    app = stage.app()
    async with app.run_test(size=(120, 30)) as pilot:
        await until_done(pilot)
        assert "c Curl" not in shown(app)
        await select(pilot, "rules")
        await on_screen(pilot, "c Curl")
        await pilot.press("c")
        await eventually(pilot, lambda: app.clipboard)
        assert app.clipboard.startswith("curl ")
        assert "/api/v1/rules?type=alert" in app.clipboard


async def test_what_to_do_is_the_runbook_page(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    from opsconsole import content

    pages = {"rules": "# Rules\n\nReload [Prometheus](other.md).", "other": "# The other page"}
    monkeypatch.setattr(content, "runbook", pages.get)
    stage.gate.set()
    async with stage.app().run_test(size=(120, 30)) as pilot:
        await until_done(pilot)
        await select(pilot, "rules")
        await on_screen(pilot, "press 3 for the runbook page")
        await pilot.press("3")
        await on_screen(pilot, "Reload Prometheus")
        page = pilot.app.screen.query_one(Markdown)
        page.post_message(Markdown.LinkClicked(page, "other.md"))
        await on_screen(pilot, "The other page")
        await pilot.press("3")
        await on_screen(pilot, "Reload Prometheus")
        await select(pilot, "email")
        await on_screen(pilot, "There is no runbook page for email")


async def test_history_tells_past_runs_and_opens_them(stage: Stage) -> None:
    stage.gate.set()
    async with stage.app().run_test() as pilot:
        await until_done(pilot)
        await pilot.press("q")
    async with stage.app().run_test(size=(150, 30)) as pilot:
        await until_done(pilot)
        await select(pilot, "scraping")
        await pilot.press("4", "enter")
        await on_screen(pilot, "5 of 5 families (this run)")
        await pilot.press("down", "enter")
        await on_screen(pilot, "PAST RUN 20261122-1701-test")
        await pilot.press("escape")
        await eventually(pilot, lambda: "PAST RUN" not in shown(pilot.app))


async def test_one_item_runs_again(stage: Stage) -> None:
    stage.gate.set()
    app = stage.app()
    async with app.run_test(size=(120, 30)) as pilot:
        await until_done(pilot)
        stage.rules_are_wrong = False
        await select(pilot, "rules")
        await pilot.press("r")
        await eventually(pilot, lambda: outcomes(pilot)["rules"] is Outcome.PASS)
        await until_done(pilot)
        started = [e.event.item for e in recorded(stage) if isinstance(e.event, ItemStarted)]
        assert sorted(started) == ["email", "rules", "rules", "scraping", "thresholds"]


async def test_all_items_run_again(stage: Stage) -> None:
    stage.gate.set()
    async with stage.app().run_test(size=(120, 30)) as pilot:
        await until_done(pilot)
        stage.gate.clear()
        await pilot.press("R")
        await on_screen(pilot, "running  Test email")
        stage.gate.set()
        await until_done(pilot)


async def test_nothing_runs_again_while_something_runs(stage: Stage) -> None:
    async with stage.app().run_test(size=(120, 30)) as pilot:
        await on_screen(pilot, "running  Test email", "3 of 4")
        assert "r Again" not in shown(pilot.app)
        stage.gate.set()
        await on_screen(pilot, "r Again")


async def test_filter_by_words_and_by_outcome(stage: Stage) -> None:
    stage.gate.set()
    async with stage.app().run_test(size=(120, 30)) as pilot:
        await until_done(pilot)
        await pilot.press("slash")
        await eventually(pilot, lambda: pilot.app.focused is not None and pilot.app.focused.id == "filter")
        await pilot.press(*"fail")
        await eventually(pilot, lambda: "Prometheus is scraping" not in shown(pilot.app))
        assert "All rules are loaded" in shown(pilot.app)
        await pilot.press(*"x")
        await on_screen(pilot, "no item matches 'failx'")
        await pilot.press("enter", "escape")
        await on_screen(pilot, "Prometheus is scraping", "Thresholds are right")


async def test_sign_off_needs_a_note_and_is_recorded(stage: Stage) -> None:
    stage.gate.set()
    stage.rules_are_wrong = False
    app = stage.app()
    async with app.run_test(size=(120, 30)) as pilot:
        await until_done(pilot)
        assert "s Sign off" not in shown(app)
        await select(pilot, "thresholds")
        await on_screen(pilot, "Are they right for production?", "s Sign off")
        await pilot.press("s")
        await on_screen(pilot, "Sign off · lab")
        await pilot.click("#pass")
        await on_screen(pilot, "A sign-off needs a note.")
        await pilot.press(*"fine")
        await pilot.click("#pass")
        await eventually(pilot, lambda: outcomes(pilot)["thresholds"] is Outcome.PASS)
        await pilot.press("q")
    assert app.return_value == 0
    [signed] = [e.event for e in recorded(stage) if isinstance(e.event, SignedOff)]
    assert (signed.item, signed.passed, signed.note, signed.by_person) == ("thresholds", True, "fine", True)


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (200, 60)])
async def test_all_of_the_sign_off_is_in_sight(stage: Stage, size: tuple[int, int]) -> None:
    stage.gate.set()
    async with stage.app().run_test(size=size) as pilot:
        await until_done(pilot)
        await select(pilot, "thresholds")
        pilot.app.screen.item.text = "7 alerts over 15 days, each looked at. " * 9  # type: ignore[attr-defined]
        await pilot.press("s")
        await on_screen(pilot, "Are they right for", "Note", "what you saw", "Name", "Pass", "Fail", "Cancel")
        await pilot.press("tab", "tab", "enter")
        await on_screen(pilot, "A sign-off needs a note.")


async def test_a_past_run_opens_read_only(stage: Stage) -> None:
    stage.gate.set()
    async with stage.app().run_test() as pilot:
        await until_done(pilot)
        await pilot.press("q")
    async with stage.app().run_test(size=(120, 30)) as pilot:
        await until_done(pilot)
        await pilot.press("o")
        await on_screen(pilot, "Open a past run", "exit 1", "✗ 1 FAIL")
        await pilot.press("enter")
        await on_screen(pilot, "PAST RUN 20261122-1701-test", "All rules are loaded")
        assert "r Again" not in shown(pilot.app)
        assert "s Sign off" not in shown(pilot.app)


async def test_a_past_run_that_was_cut_off_says_so_and_runs_no_clock(stage: Stage) -> None:
    async with stage.app().run_test() as pilot:
        await eventually(pilot, lambda: stage.in_waiting)
        await pilot.press("q")
    stage.gate.set()
    async with stage.app().run_test(size=(120, 30)) as pilot:
        await until_done(pilot)
        await pilot.press("o", "enter")
        await on_screen(pilot, "PAST RUN 20261122-1701-test", "3 of 4")
        await select(pilot, "email")
        await on_screen(pilot, "cut off  Test email", "it was waiting for the mail")
        assert "running" not in shown(pilot.app)
        assert " left" not in shown(pilot.app)


async def test_two_runs_compared(stage: Stage) -> None:
    stage.gate.set()
    async with stage.app().run_test() as pilot:
        await until_done(pilot)
        await pilot.press("q")
    stage.rules_are_wrong = False
    async with stage.app().run_test(size=(120, 40)) as pilot:
        await until_done(pilot)
        await pilot.press("d")
        await on_screen(pilot, "Compare with")
        await pilot.press("enter")
        await on_screen(pilot, "✗ FAIL → ✓ PASS", "- HighRate: differs", "The same in both")


async def test_help_lists_the_keys_that_are_valid_now(stage: Stage) -> None:
    stage.gate.set()
    async with stage.app().run_test(size=(120, 50)) as pilot:
        await until_done(pilot)
        await pilot.press("question_mark")
        await on_screen(pilot, "Run all items again", "waits for a person's judgement")
        assert "Judge the selected item" not in shown(pilot.app)
        await pilot.press("escape")
        await eventually(pilot, lambda: not pilot.app.screen.is_modal)


async def test_the_palette_offers_what_is_valid_now(stage: Stage) -> None:
    stage.gate.set()
    app = stage.app()
    async with app.run_test(size=(120, 40)) as pilot:
        await until_done(pilot)
        offered = {command.title for command in app.get_system_commands(app.screen)}
        assert {"Again", "All", "Filter", "Quit", "Theme"} <= offered
        assert "Sign off" not in offered
        await pilot.press("ctrl+p", *"compare")
        await on_screen(pilot, "Compare this run with another")
        await pilot.press("enter")
        await on_screen(pilot, "Compare with")


async def test_leaving_in_mid_run_cancels_cleans_up_and_returns_3(stage: Stage) -> None:
    app = stage.app()
    async with app.run_test() as pilot:
        await eventually(pilot, lambda: stage.in_waiting)
        await pilot.press("ctrl+c")
        await eventually(pilot, lambda: stage.closed)
    assert app.return_value == 3
    assert not stage.in_waiting
    assert not RunView.of(recorded(stage)).open_effects


async def test_while_it_closes_the_screen_says_so(stage: Stage) -> None:
    stage.may_close = asyncio.Event()
    app = stage.app()
    async with app.run_test(size=(100, 24)) as pilot:
        await eventually(pilot, lambda: stage.in_waiting)
        await pilot.press("q")
        await on_screen(pilot, "closing (Ctrl-C leaves at once): stopping what runs")
        stage.may_close.set()
        await eventually(pilot, lambda: stage.closed)
    assert app.return_value == 3


async def test_full_records_are_shown_and_end_the_console(stage: Stage) -> None:
    def full(entry: Entry) -> None:
        if isinstance(entry.event, ItemFinished):
            raise RecordsError("the disk is full", where="records.db", hint="free some space")

    stage.records_append = full
    app = stage.app()
    async with app.run_test() as pilot:
        await on_screen(pilot, "the disk is full", "free some space")
        await pilot.press("q")
    assert (app.return_value, stage.closed) == (2, 1)


async def test_text_from_servers_steers_no_terminal(stage: Stage) -> None:
    app = recorded_app(list(sample_run.sample()))
    async with app.run_test(size=(120, 40)) as pilot:
        await on_screen(pilot, "✗ FAIL")
        for _ in app.run_screen.view.items:
            for view in ("2", "1"):
                await pilot.press(view, "enter", "enter")
                assert not wording.CONTROL.search(shown(app).replace("\n", ""))
                await pilot.press("escape")
            await pilot.press("down")


async def test_leaving_after_the_run_returns_its_exit_code(stage: Stage) -> None:
    stage.gate.set()
    app = stage.app()
    async with app.run_test() as pilot:
        await until_done(pilot)
        await pilot.press("q")
    assert (app.return_value, stage.closed) == (1, 1)


async def test_a_small_terminal_gives_the_item_the_whole_screen_on_enter(stage: Stage) -> None:
    stage.gate.set()
    async with stage.app().run_test(size=(80, 18)) as pilot:
        await until_done(pilot)
        await select(pilot, "rules")
        assert "HighRate" not in shown(pilot.app)
        await pilot.press("enter")
        await on_screen(pilot, "HighRate: differs")
        assert "Thresholds are right" not in shown(pilot.app)
        await pilot.press("escape")
        await on_screen(pilot, "Thresholds are right")


async def test_too_small_a_terminal_is_told_so(stage: Stage) -> None:
    stage.gate.set()
    async with stage.app().run_test(size=(59, 24)) as pilot:
        await on_screen(pilot, "too small: 59 x 24", "needs 60 x 16")
        await pilot.resize_terminal(80, 24)
        await on_screen(pilot, "Prometheus is scraping", "4 of 4")
        await eventually(pilot, lambda: pilot.app.focused)
        await pilot.press("down")
        await eventually(pilot, lambda: outcomes(pilot) and pilot.app.screen.item.summary.id == "rules")  # type: ignore[attr-defined]


async def test_protected_cannot_be_mistaken(stage: Stage) -> None:
    stage.environment, stage.protected = "production", True
    stage.gate.set()
    async with stage.app().run_test(size=(80, 24)) as pilot:
        await on_screen(pilot, "PROTECTED: PRODUCTION", "nothing is changed")
        await until_done(pilot)
        await select(pilot, "thresholds")
        await pilot.press("s")
        await on_screen(pilot, "Sign off · PROTECTED: PRODUCTION")


async def test_the_theme_changes(stage: Stage) -> None:
    app = stage.app()
    async with app.run_test() as pilot:
        assert app.current_theme.dark
        await pilot.press("t")
        assert not app.current_theme.dark
