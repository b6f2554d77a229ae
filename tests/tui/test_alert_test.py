"""The screen of an alert test: its plan first, then every hop, live and as it was recorded."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from textual.pilot import Pilot

from opsconsole.config import Environment
from opsconsole.engine.record import Recorder
from opsconsole.model import HOPS, EffectEnded, Event, Hop
from opsconsole.runview import RunView
from opsconsole.store import Records, open_records
from opsconsole.tui.app import ConsoleApp
from opsconsole.tui.messages import State
from opsconsole.tui.picture import picture, recorded_app
from opsconsole.tui.widgets.rows import RowList
from opsconsole.tui.widgets.ticking import clock
from tests.tui import sample, sample_alert_test
from tests.tui.conftest import eventually, shown
from tests.tui.sample_alert_test import (
    CREDITS,
    ENDED,
    HIGH,
    PLANNED,
    STALLED,
    STARTED,
    WEBHOOKS,
)

Compare = Callable[..., bool]

DONE = sample.entries((0.0, sample_alert_test.start()), *PLANNED, *STARTED, *ENDED, run=sample_alert_test.RUN)


@dataclass
class Drill:
    """Tells the sample as a real drill would: it stops in the middle until `gate` opens; cancelled, it ends
    its effects when `may_stop` lets it."""

    recorder: Recorder
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    may_stop: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[Collection[str] | None] = field(default_factory=list)

    async def prepare(self) -> None:
        self._tell(PLANNED)

    async def run(self, ids: Collection[str] | None = None) -> int:
        self.asked.append(ids)
        try:
            self._tell(STARTED, ids)
            await self.gate.wait()
        except asyncio.CancelledError:
            await self.may_stop.wait()
            self.recorder.emit(EffectEnded(item=HIGH, effect="f1", how="the test objects are gone"))
            raise
        self._tell(ENDED, ids)
        return 1

    def sign_off(self, item: str, *, who: str, passed: bool, note: str) -> None:
        raise AssertionError("not in these tests")

    def _tell(self, events: Sequence[tuple[float, Event]], ids: Collection[str] | None = None) -> None:
        for _, event in events:
            if ids is None or getattr(event, "item", None) in (None, *ids):
                self.recorder.emit(event)


@dataclass
class Session:
    environment: Environment
    verification: Drill
    recorder: Recorder
    records: Records


@dataclass
class Stage:
    """An environment in which the sample is told."""

    records: Records
    environment: str = "staging"
    protected: bool = False
    runs: int = 0
    drill: Drill | None = None

    def app(self, *, start: bool = False) -> ConsoleApp:
        return ConsoleApp(
            open_session=self.open,
            environment=self.environment,
            protected=self.protected,
            effects=True,
            kind="alert-test",
            start=start,
            clock=lambda: sample.BEGAN + 3.7,
        )

    @asynccontextmanager
    async def open(self, progress: Callable[[str], None]) -> AsyncIterator[Session]:
        self.runs += 1
        run = f"20261122-170{self.runs}-test"
        recorder = Recorder(run, self.records)
        self.drill = Drill(recorder)
        recorder.emit(
            sample_alert_test.start(run=run, environment=self.environment, protected=self.protected)
        )
        yield Session(Environment(name=self.environment), self.drill, recorder, self.records)

    @property
    def asked(self) -> list[Collection[str] | None]:
        return self.drill.asked if self.drill else []


@pytest.fixture
def stage(tmp_path: Any) -> Any:
    records = open_records(tmp_path / "records.db")
    yield Stage(records)
    records.close()


@pytest.fixture(autouse=True)
def a_terminal_with_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


async def on_screen(pilot: Pilot[int], *texts: str) -> None:
    await eventually(pilot, lambda: all(text in shown(pilot.app) for text in texts))


async def in_state(pilot: Pilot[int], state: State) -> None:
    await eventually(pilot, lambda: cast(ConsoleApp, pilot.app).run_screen.state is state)


async def select(pilot: Pilot[int], alert: str) -> None:
    pilot.app.screen.query_one("#checklist", RowList).select(alert)
    await eventually(pilot, lambda: cast(ConsoleApp, pilot.app).run_screen.item.summary.id == alert)  # type: ignore[union-attr]


async def settle(pilot: Pilot[int], *, alert: str, keys: Sequence[str] = ()) -> None:
    """Select the alert and wait until the screen stands still with all that belongs on it."""
    screen = cast(ConsoleApp, pilot.app).run_screen
    await eventually(pilot, lambda: screen.view.items and screen.is_complete)
    await select(pilot, alert)
    await pilot.press(*keys)
    before = ""
    while not screen.is_complete or before != (before := shown(pilot.app)):
        await pilot.pause(0.2)


async def test_the_plan_is_shown_and_nothing_is_sent_before_go(stage: Stage) -> None:
    async with stage.app().run_test(size=(120, 36)) as pilot:
        await in_state(pilot, State.PLANNED)
        await on_screen(pilot, "planned, and nothing has been sent: g begins", "✗ 2 cannot succeed", "g Go")
        await on_screen(
            pilot, "not tested yet: nothing has been sent", "0.021; fires > 0.1", "held below 0.25"
        )
        await on_screen(pilot, "admin@rsolv.dev, alerts@rsolv.dev", "? cannot   StripeWebhooksStalled")
        await select(pilot, STALLED)
        await on_screen(
            pilot, "? UNKNOWN nothing here can pause the webhooks", "→ name the service's test hooks"
        )
        assert not stage.asked


async def test_go_asks_with_all_that_will_be_sent_and_begins_at_a_yes(stage: Stage) -> None:
    async with stage.app().run_test(size=(100, 40)) as pilot:
        await in_state(pilot, State.PLANNED)
        await pilot.press("g")
        await on_screen(
            pilot, "Inject the faults · staging", "7 alerts, about 286 requests", "12 test objects"
        )
        await on_screen(
            pilot,
            "sends POST http://127.0.0.1:4000/api/v1/webhooks/stripe",
            "notifies admin@rsolv.dev, alerts@rsolv.dev, billing-onc",
        )
        await on_screen(pilot, "✗ cannot succeed: StripeWebhooksStalled")
        await pilot.press("escape")
        await eventually(pilot, lambda: not pilot.app.screen.is_modal)
        assert not stage.asked
        await pilot.press("g", "g", "enter")
        await in_state(pilot, State.RUNNING)
        assert stage.asked == [None]
        assert "g Go" not in shown(pilot.app)


async def test_in_a_protected_environment_enter_alone_injects_nothing(stage: Stage) -> None:
    stage.environment, stage.protected = "production", True
    async with stage.app().run_test(size=(80, 24)) as pilot:
        await in_state(pilot, State.PLANNED)
        await on_screen(pilot, "PROTECTED: PRODUCTION", "EFFECTS ALLOWED")
        await pilot.press("g")
        await on_screen(pilot, "Inject the faults · PROTECTED: PRODUCTION")
        await pilot.press("enter")
        await eventually(pilot, lambda: not pilot.app.screen.is_modal)
        assert not stage.asked
        await pilot.press("g", "left", "shift+tab", "enter")
        await in_state(pilot, State.RUNNING)


async def test_a_g_in_the_filter_is_a_letter(stage: Stage) -> None:
    async with stage.app().run_test(size=(100, 30)) as pilot:
        await in_state(pilot, State.PLANNED)
        await pilot.press("slash")
        await eventually(pilot, lambda: pilot.app.focused is not None and pilot.app.focused.id == "filter")
        await pilot.press(*"high")
        await eventually(pilot, lambda: CREDITS not in shown(pilot.app))
        assert not pilot.app.screen.is_modal


async def test_in_the_lab_it_begins_by_itself_and_tells_each_hop(stage: Stage) -> None:
    stage.environment = "lab"
    async with stage.app(start=True).run_test(size=(120, 40)) as pilot:
        await on_screen(pilot, "pending  BillingPaymentFailureRateHigh", "cause    StripeWebhookProcessing")
        await select(pilot, HIGH)
        await on_screen(pilot, "✓ metric         +1.2 s  0.104 > 0.1", "✓ pending        +1.3 s")
        await on_screen(pilot, " left: the alert", "~4.2 s")
        await on_screen(pilot, "· alertmanager", HOPS[Hop.CLEAN])
        await on_screen(pilot, "value 0.", "fires > 0.1 for 3 s", "max 0.25", "for 3 s")
        cast(Drill, stage.drill).gate.set()
        await on_screen(
            pilot, "✓ PASS     BillingPaymentFailureRateHigh", "✓ clean          +6.6 s", "exit 1"
        )


async def test_where_it_stopped_is_told_with_what_was_looked_at(stage: Stage) -> None:
    app = recorded_app(DONE)
    async with app.run_test(size=(120, 50)) as pilot:
        await settle(pilot, alert=WEBHOOKS)
        await on_screen(pilot, "✗ receiver     FAIL", "stopped here, because Alertmanager could not")
        await on_screen(
            pilot, "looked at its log:", "→ start the mail server", "not reached: delivered, notice"
        )
        await on_screen(pilot, "at receiver", "at steady")
        await select(pilot, CREDITS)
        await on_screen(pilot, "Did the alert and its resolved notice come", "press s to sign off")


async def test_a_hop_opens_to_all_of_its_evidence() -> None:
    async with recorded_app(DONE).run_test(size=(80, 24)) as pilot:
        await settle(pilot, alert=HIGH, keys=["enter"])
        assert "inbox answer" not in shown(pilot.app)
        await pilot.press("enter")
        await on_screen(pilot, "inbox answer")


def test_a_wait_that_is_over_says_how_late_it_is() -> None:
    waits = sample.entries((0.0, sample_alert_test.start()), *PLANNED, *STARTED, run=sample_alert_test.RUN)
    item = RunView.of(waits).items[HIGH]
    assert clock(item, sample.BEGAN + 3.3) == "2.0 s left"
    assert clock(item, sample.BEGAN + 7.3) == "2.0 s late"


async def test_the_numbers_are_those_of_the_views(stage: Stage) -> None:
    async with recorded_app(DONE).run_test(size=(120, 36)) as pilot:
        await settle(pilot, alert=HIGH)
        await on_screen(pilot, "1 Trace", "2 Result", "3 Evidence", "4 What to do", "5 History")
        for key, text in (
            ("2", "✓ PASS"),
            ("3", "no requests"),
            ("5", "has finished this item"),
            ("1", "highest 0.12"),
        ):
            await pilot.press(key)
            await on_screen(pilot, text)


async def test_one_alert_or_all_are_tested_again_after_a_yes(stage: Stage) -> None:
    app = stage.app()
    async with app.run_test(size=(100, 40)) as pilot:
        await in_state(pilot, State.PLANNED)
        cast(Drill, stage.drill).gate.set()
        await pilot.press("g", "enter")
        await in_state(pilot, State.IDLE)
        await select(pilot, HIGH)
        await pilot.press("r")
        await on_screen(pilot, "1 alert, about 40 requests")
        await pilot.press("enter")
        await eventually(pilot, lambda: stage.asked == [None, [HIGH]])
        await in_state(pilot, State.IDLE)
        await pilot.press("question_mark")
        await on_screen(pilot, "Test all alerts again", "Test the selected alert again")
        await pilot.press("escape", "q")
    assert app.return_value == 1


async def test_leaving_stops_the_faults_and_waits_for_it(stage: Stage) -> None:
    app = stage.app(start=True)
    async with app.run_test(size=(110, 30)) as pilot:
        await on_screen(pilot, "pending  BillingPaymentFailure")
        await pilot.press("ctrl+c")
        await on_screen(pilot, "stopping the faults and cleaning up (remove the test objects)")
        cast(Drill, stage.drill).may_stop.set()
    assert app.return_value == 3
    assert not RunView.of(stage.records.entries("20261122-1701-test")).open_effects


async def test_leaving_the_plan_is_no_success(stage: Stage) -> None:
    app = stage.app()
    async with app.run_test() as pilot:
        await in_state(pilot, State.PLANNED)
        await pilot.press("q")
    assert app.return_value == 3


async def test_a_past_alert_test_opens_with_its_trace_and_compares(stage: Stage) -> None:
    stage.environment = "lab"
    for _ in range(2):
        app = stage.app(start=True)
        async with app.run_test(size=(140, 44)) as pilot:
            await on_screen(pilot, "pending  BillingPaymentFailureRateHigh")
            cast(Drill, stage.drill).gate.set()
            await in_state(pilot, State.IDLE)
            if stage.runs == 2:
                await pilot.press("o", "enter")
                await on_screen(pilot, "PAST RUN 20261122-1701-test", "1 Trace", "✓ delivered      +4.5 s")
                await pilot.press("escape", "d")
                await on_screen(pilot, "Compare with")
                await pilot.press("enter")
                await on_screen(pilot, "Compare two runs", "The same in both")
            await pilot.press("escape", "q")


def test_the_screen_loads_no_chart_before_there_is_one_to_show() -> None:
    code = "import sys, opsconsole.tui.app, opsconsole.tui.widgets.trace; print('plotext' in sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert run.stdout.strip() == "False"


async def test_the_same_alert_test_gives_the_same_picture_with_its_chart() -> None:
    first = await picture(DONE, size=(120, 36))
    assert first == await picture(DONE, size=(120, 36))
    assert "highest" in first


@pytest.mark.parametrize(
    "size", [(60, 16), (80, 24), (120, 36), (200, 60)], ids=lambda size: f"{size[0]}x{size[1]}"
)
def test_a_trace_in_every_size(snap_compare: Compare, size: tuple[int, int]) -> None:
    keys = ["enter"] if size[0] < 100 else []
    prepare = lambda pilot: settle(pilot, alert=WEBHOOKS, keys=keys)  # noqa: E731
    assert snap_compare(recorded_app(DONE), terminal_size=size, run_before=prepare)


def test_a_trace_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    prepare = lambda pilot: settle(pilot, alert=HIGH, keys=["enter"])  # noqa: E731
    assert snap_compare(recorded_app(DONE), terminal_size=(80, 24), run_before=prepare)


def test_a_trace_in_the_light(snap_compare: Compare) -> None:
    prepare = lambda pilot: settle(pilot, alert=HIGH, keys=["t"])  # noqa: E731
    assert snap_compare(recorded_app(DONE), terminal_size=(120, 30), run_before=prepare)
