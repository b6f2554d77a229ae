"""A session whose checks are tiny and real: the engine performs them, SQLite keeps what they say."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from textual.app import App
from textual.pilot import Pilot

from opsconsole.checkkit import SignOff, until
from opsconsole.config import Environment
from opsconsole.engine.checklist import Checklist, Item, Use
from opsconsole.engine.discover import Check
from opsconsole.engine.record import Recorder
from opsconsole.engine.schedule import Verification
from opsconsole.model import EffectBegun, EffectEnded, Entry, Exchange, Finding, Seen
from opsconsole.store import Records, open_records
from opsconsole.tui.app import ConsoleApp

BROKEN_RULES = Exchange(
    id="x1",
    server="prometheus",
    method="GET",
    url="http://127.0.0.1:9090/api/v1/rules?type=alert",
    status=503,
    response_type="application/json",
    response_body='{"status": "error"}',
    response_bytes=19,
    response_sha256="ab" * 32,
    seconds=0.25,
)


@dataclass
class Session:
    environment: Environment
    verification: Verification
    recorder: Recorder
    records: Records


@dataclass
class Stage:
    """What the tiny checks do, and what became of the sessions that were opened."""

    records: Records
    environment: str = "lab"
    protected: bool = False
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    rules_are_wrong: bool = True
    runs: Iterator[int] = field(default_factory=lambda: iter(range(1, 100)))
    closed: int = 0
    before_opening: Callable[[Callable[[str], None]], None] = lambda progress: None
    in_waiting: bool = False
    may_close: asyncio.Event | None = None
    records_append: Callable[[Entry], None] = lambda entry: None

    def app(self, *, start: bool = True) -> ConsoleApp:
        return ConsoleApp(
            open_session=self.open,
            environment=self.environment,
            protected=self.protected,
            effects=not self.protected,
            start=start,
        )

    @asynccontextmanager
    async def open(self, progress: Callable[[str], None]) -> AsyncIterator[Session]:
        self.before_opening(progress)
        recorder = Recorder(f"20261122-170{next(self.runs)}-test", self.records)
        verification = self.verification(recorder)
        recorder.add_reader(self.records_append)
        verification.start(who="ada", host="console", protected=self.protected, versions={})
        try:
            yield Session(Environment(name=self.environment), verification, recorder, self.records)
        finally:
            if self.may_close is not None:
                await self.may_close.wait()
            self.closed += 1

    def verification(self, recorder: Recorder) -> Verification:
        async def scraping() -> AsyncIterator[Seen]:
            yield Seen("5 of 5 families")

        async def rules() -> AsyncIterator[Finding | Seen]:
            recorder.exchange(BROKEN_RULES)
            yield Seen("7 rules \x1b[31mloaded")
            if self.rules_are_wrong:
                yield Finding(summary="differs", subject="HighRate", detail="- 0.1\n+ 0.5", remedy="reload")

        async def loading() -> AsyncIterator[Finding]:
            yield Finding(summary="the last reload failed")

        async def email() -> AsyncIterator[Seen]:
            recorder.emit(EffectBegun(item="email", effect="e1", what="test alert", undo="resolve it"))
            self.in_waiting = True
            try:
                await until(self._opened, within_seconds=120, what="the mail")
                yield Seen("mail after 0.9 s")
            finally:
                self.in_waiting = False
                recorder.emit(EffectEnded(item="email", effect="e1", how="resolved"))

        async def thresholds() -> AsyncIterator[Seen]:
            yield Seen("15 days looked at")
            raise SignOff("Are they right for production?")

        checks = {
            run.__name__: _check(run, diagnosis=("loading",) if run is rules else ())
            for run in (scraping, rules, loading, email, thresholds)
        }
        items = (
            Item("scraping", "Prometheus is scraping", "Metrics", (Use(checks["scraping"], {}),)),
            Item("rules", "All rules are loaded", "Alerts", (Use(checks["rules"], {}),)),
            Item("email", "Test email delivered", "Alerts", (Use(checks["email"], {}),)),
            Item("thresholds", "Thresholds are right", "Alerts", (Use(checks["thresholds"], {}),)),
        )
        return Verification(
            checklist=Checklist("Billing", items, {}, "ab" * 32),
            checks=checks,
            clients={"effects": None if self.protected else object()},
            recorder=recorder,
            environment=self.environment,
            check_timeout_seconds=120,
        )

    async def _opened(self) -> bool:
        return self.gate.is_set()


def _check(run: Callable[..., AsyncIterator[Finding | Seen]], diagnosis: tuple[str, ...]) -> Check:
    return Check(run.__name__, run.__name__.title(), Path(__file__), run, (), (), {}, diagnosis)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    records = open_records(tmp_path / "records.db")
    yield Stage(records)
    records.close()


async def eventually(pilot: Pilot[int], condition: Callable[[], object]) -> None:
    """Wait until the condition holds; it is looked at when the application has nothing more to do."""
    for _ in range(6000):
        await pilot.pause(0.01)
        if condition():
            return
    raise AssertionError(f"never came:\n{shown(pilot.app)}")


def shown(app: App[int]) -> str:
    """What is on the screen, as text."""
    width, _ = app.size
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip).ljust(width) for strip in lines)
