"""The screen of a rehearsal: verdicts as they come, what is guilty, the witness, and how it is left."""

import asyncio
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

import pytest
from textual.pilot import Pilot

from opsconsole.errors import Nonsense, Unreachable
from opsconsole.rehearse.model import Reason
from opsconsole.tui.rehearsal import RehearsalApp
from opsconsole.tui.widgets.expression import excerpt, marked_rows, plain_rows
from opsconsole.tui.widgets.rows import Row, RowList
from opsconsole.tui.widgets.verdict import detail_rows
from tests.tui.conftest import eventually, shown
from tests.tui.sample_rehearsal import ALIVE, DEAD, UNDECIDED, Work, alive, dead
from tests.tui.test_leaving import _read

Compare = Callable[..., bool]


@pytest.fixture(autouse=True)
def a_terminal_with_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def app_of(work: Work) -> RehearsalApp:
    return RehearsalApp(work, environment="staging", clock=lambda: 0.0)


async def on_screen(pilot: Pilot[int], *texts: str) -> None:
    await eventually(pilot, lambda: all(text in shown(pilot.app) for text in texts))


def selected(pilot: Pilot[int]) -> str:
    verdict = cast(RehearsalApp, pilot.app).rehearse_screen.verdict
    return verdict.subject if verdict else ""


async def settled(pilot: Pilot[int]) -> None:
    """Wait until the screen stands still with all that belongs on it."""
    screen, before = cast(RehearsalApp, pilot.app).rehearse_screen, ""
    while not screen.is_complete or before != (before := shown(pilot.app)):
        await pilot.pause(0.1)


async def test_verdicts_are_shown_as_they_come_and_end_in_their_order() -> None:
    work = Work(first=(DEAD, UNDECIDED), waits=True)
    async with app_of(work).run_test(size=(120, 36)) as pilot:
        await on_screen(pilot, "2 of 5", "✗ dead      CreditGrantAnomaly", "3 alerts, 2 panels")
        assert "exit" not in shown(pilot.app)
        await pilot.press("j")
        work.go_on()
        await on_screen(pilot, "5 · 1.2 s · exit 1  ✗ 1 dead  ✗ 1 never  ? 1 undecided  ✓ 1 alive  ✓ 1 data")
        names = [row.spans[1][0] for row in pilot.app.screen.query_one("#verdicts", RowList).rows if row.key]
        assert names == [
            "PaymentFailureRateHigh",
            "CreditGrantAnomaly",
            "Odd",
            "Revenue\\x1b[31m by Plan",
            "Cancellations",
        ]
        assert selected(pilot) == "Odd"
        await pilot.press("q")
    assert pilot.app.return_code == 0
    assert pilot.app.return_value == 1


async def test_the_guilty_part_is_marked_by_signs_with_reason_and_correction() -> None:
    async with app_of(Work(verdicts=(DEAD,))).run_test(size=(140, 30)) as pilot:
        await on_screen(
            pilot, "billing.yml:12 · group billing", "instead: histogram_quantile(", "It rests on a guess"
        )
        lines = shown(pilot.app).splitlines()
        at = next(n for n, line in enumerate(lines) if " Expression " in line) + 1
        assert lines[at + 1].index("^") == lines[at].index("histogram_quantile")


async def test_a_witness_is_told_drawn_and_shown_as_a_test() -> None:
    async with app_of(Work(verdicts=(ALIVE,))).run_test(size=(140, 40)) as pilot:
        await on_screen(pilot, "11 of 100 payments_total", 'not seen yet: payments_total{status="failed"}')
        await on_screen(pilot, "fires > 0.1 for 10 min", "firing 21 min", "resolved 33 min", "░░░████")
        await pilot.press("t")
        await on_screen(pilot, "Unit test of PaymentFailureRateHigh", "- alertname: PaymentFailureRateHigh")
        await pilot.press("t")
        await eventually(pilot, lambda: not pilot.app.screen.is_modal)


@pytest.mark.parametrize(
    ("folder", "told"),
    [("", "to keep it, call with --write-tests DIR"), ("rules/tests", "written to rules/tests at the end")],
    ids=["nowhere", "folder"],
)
async def test_it_is_told_where_unit_tests_are_written(folder: str, told: str) -> None:
    async with app_of(Work(verdicts=(ALIVE,), tests_folder=folder)).run_test(size=(140, 40)) as pilot:
        await on_screen(pilot, "exit 0")
        await pilot.press("t")
        await on_screen(pilot, told)


async def test_a_chart_is_asked_for_once_and_left_off_where_another_is_selected() -> None:
    work = Work(verdicts=(alive("One"), alive("Two")), draws=asyncio.Event())
    async with app_of(work).run_test(size=(120, 36)) as pilot:
        await on_screen(pilot, "drawing …")
        await eventually(pilot, lambda: work.asked == ["One"])
        await pilot.press("j")
        await eventually(pilot, lambda: work.left_off == ["One"] and work.asked == ["One", "Two"])
        cast(asyncio.Event, work.draws).set()
        await on_screen(pilot, "Two", "firing 21 min")
        await pilot.press("k")
        await eventually(pilot, lambda: len(work.asked) == 3)
        await settled(pilot)
        await pilot.press("j")
        await settled(pilot)
        assert work.asked == ["One", "Two", "One"]


async def test_a_chart_that_cannot_be_drawn_is_no_end() -> None:
    work = Work(verdicts=(ALIVE,), curve_error=Nonsense("promtool gave up"))
    async with app_of(work).run_test(size=(100, 30)) as pilot:
        await on_screen(pilot, "could not be drawn: promtool gave up", "exit 0")


async def test_n_goes_from_one_bad_one_to_the_next_and_round() -> None:
    async with app_of(Work()).run_test(size=(100, 30)) as pilot:
        await on_screen(pilot, "exit 1", "n Next bad")
        pilot.app.screen.query_one("#verdicts", RowList).action_edge(0)
        seen = []
        for key in "nnnnN":
            await pilot.press(key)
            await pilot.pause()
            seen.append(selected(pilot))
        assert seen == ["CreditGrantAnomaly", "Odd", "Cancellations", "CreditGrantAnomaly", "Cancellations"]


async def test_the_filter_takes_words_and_verdicts_and_gets_every_key() -> None:
    async with app_of(Work()).run_test(size=(100, 30)) as pilot:
        await on_screen(pilot, "exit 1")
        await pilot.press("slash", *"never")
        await eventually(pilot, lambda: "Cancellations" in shown(pilot.app) and "Odd" not in shown(pilot.app))
        await pilot.press("enter", "escape")
        await on_screen(pilot, "Odd", "PaymentFailureRateHigh")


async def test_left_before_its_end_the_work_is_cancelled_and_the_code_is_3() -> None:
    work = Work(first=(DEAD,), waits=True)
    app = app_of(work)
    async with app.run_test(size=(100, 30)) as pilot:
        await on_screen(pilot, "1 of 5")
        await pilot.press("q")
        await eventually(pilot, lambda: work.cancelled)
    assert app.return_value == 3
    assert app.was_left


async def test_an_error_of_the_work_is_shown_and_its_code_is_the_end() -> None:
    app = app_of(Work(error=Unreachable("connection refused", where="prometheus", hint="start it")))
    async with app.run_test(size=(100, 30)) as pilot:
        await on_screen(pilot, "This cannot go on", "connection refused", "→ start it")
        await pilot.press("x")
    assert app.return_value == 3
    assert not app.was_left


async def test_in_a_small_window_the_list_is_first_and_enter_reads() -> None:
    async with app_of(Work()).run_test(size=(60, 15)) as pilot:
        await on_screen(pilot, "exit 1", "✓ alive     PaymentFailureRateHigh", "Cancellations")
        pilot.app.screen.query_one("#verdicts", RowList).action_edge(0)
        await pilot.press("enter")
        await on_screen(pilot, "billing.yml:7", "firing 21 min")
        await pilot.press("escape")
        await on_screen(pilot, "Cancellations")
        await pilot.resize_terminal(59, 15)
        await on_screen(pilot, "This terminal is too small: 59 x 15.")


async def test_a_thousand_alerts_and_a_long_expression() -> None:
    long = " or ".join(f'rate(http_requests_total{{handler="/api/v1/{n}"}}[5m]) > {n}' for n in range(90))
    reason = Reason(kind="contradiction", summary="never", guilty='http_requests_total{handler="/api/v1/70"}')
    verdicts = (dead("Long", long, reason), *(alive(f"Alert{n:04}") for n in range(1000)))
    async with app_of(Work(verdicts=verdicts)).run_test(size=(100, 30)) as pilot:
        await on_screen(pilot, "1001 · 1.2 s · exit 1", "✗ dead      Long")
        await on_screen(pilot, "/api/v1/0")
        under = [
            line for line in text_of(pilot.app.screen.query_one("#verdict", RowList).rows) if "^" in line
        ]
        assert 1 <= len(under) <= 2
        await pilot.press("end")
        await eventually(pilot, lambda: selected(pilot) == "Alert0999")


def text_of(rows: Sequence[Row]) -> list[str]:
    return ["".join(text for text, _ in row.spans) for row in rows]


def test_a_guilty_part_over_many_lines_has_a_bar_at_its_left() -> None:
    rows = text_of(marked_rows(("a + ", " + ".join("b" * 20 for _ in range(9)), " > 1"), 30, "guilty"))
    assert all(row.startswith("┃ ") for row in rows)
    assert not any("^" in row for row in rows)


def test_a_long_expression_is_laid_out_with_the_mark_below_its_line() -> None:
    expr = "sum(rate(failed_requests_total[5m])) / sum(rate(requests_total[5m])) > 0.1 and on () hour() > 25"
    before, guilty, after = expr.partition("hour() > 25")
    assert text_of(marked_rows((before, guilty, after), 50, "guilty", expr)) == [
        "      sum(rate(failed_requests_total[5m]))",
        "      / sum(rate(requests_total[5m]))",
        "    > 0.1",
        "  and on () hour() > 25",
        "            ^^^^^^^^^^^",
    ]


def test_a_secret_in_an_expression_is_not_shown() -> None:
    key = "sk_live_" + "a1B2" * 8
    expr = f'charges{{key="{key}"}} > 5 and hour() > 25'
    verdict = dead("Leak", expr, Reason(kind="out-of-range", summary="never", guilty="hour() > 25"))
    rows = "".join(text_of(detail_rows(verdict, 80)))
    assert "hour() > 25" in rows
    assert key not in rows


def test_an_expression_that_fits_is_shown_as_it_is_written() -> None:
    written = "sum(rate(a[1500ms]))\n  / on () b{}"
    assert text_of(plain_rows(written, 40)) == ["  sum(rate(a[1500ms]))", "    / on () b{}"]


def test_no_millisecond_is_lost_where_an_expression_is_laid_out() -> None:
    written = "rate(requests_total[1500ms]) > 5 and rate(failed_requests_total[1500ms]) > 6"
    assert "[1500ms]" in "".join(text_of(plain_rows(written, 40)))


def test_the_marks_stand_below_wide_characters() -> None:
    [line, under] = text_of(marked_rows(('x{a="日本"} > ', "5", ""), 40, "guilty"))
    assert (line, under) == ('  x{a="日本"} > 5', f"{' ' * 16}^")


def test_an_excerpt_has_a_little_of_what_is_around() -> None:
    assert excerpt(("a" * 99, "guilty", "b" * 99)) == (f"…{'a' * 28}", "guilty", f"{'b' * 28}…")


@pytest.mark.parametrize("keys", [[], ["n"]], ids=["alive", "dead"])
def test_the_screen_is_as_it_was(snap_compare: Compare, keys: list[str]) -> None:
    async def stand_still(pilot: Pilot[int]) -> None:
        await on_screen(pilot, "exit 1")
        pilot.app.screen.query_one("#verdicts", RowList).action_edge(0)
        await pilot.press(*keys)
        await settled(pilot)

    assert snap_compare(app_of(Work()), terminal_size=(120, 36), run_before=stand_still)


WAITS = "from tests.tui.test_rehearse import *; sys.exit(app_of(Work(first=(DEAD,), waits=True)).run())"


def test_a_window_that_is_closed_ends_it() -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", f"import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY); {WAITS}"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
        cwd=Path(__file__).parents[2],
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "30"},
    )
    os.close(theirs)
    try:
        written = b""
        while b"CreditGrantAnomaly" not in written and (chunk := _read(ours)):
            written += chunk
        os.close(ours)
        assert process.wait(30) == 3
    finally:
        process.kill()
        process.wait()
