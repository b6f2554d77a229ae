"""A real drill lab for each module, and the sight that an alert test has of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from opsconsole import content, session
from opsconsole.clients.inbox import make_all
from opsconsole.config import Environment
from opsconsole.engine.checklist import load
from opsconsole.engine.discover import discover
from opsconsole.engine.record import Recorder
from opsconsole.lab import stack
from opsconsole.lab.environment import environment
from opsconsole.lab.servers import Pair
from opsconsole.lab.state import LabState
from opsconsole.model import Entry
from opsconsole.runview import RunView
from opsconsole.store import new_run_id, open_records
from opsconsole.walkthrough import follow, trial
from opsconsole.walkthrough.session import open_drill
from opsconsole.walkthrough.sight import Sight
from tests.checks.breaking import ask, eventually, first_scrape, queried, rules
from tests.checks.conftest import changed

SeenIn = Callable[[Environment], Awaitable[Sight]]
Drilled = Callable[..., Awaitable[RunView]]


@pytest.fixture(scope="module")
def lab(pair: Pair) -> Iterator[LabState]:
    """A drill lab of the module's own, so that no two modules break the same."""
    state = asyncio.run(stack.start("foreground", pair.prometheus, pair.alertmanager, drill=True))
    try:
        first_scrape(state)
        yield state
    finally:
        stack.stop(state)


@pytest.fixture
def here(lab: LabState) -> Environment:
    """The lab as an environment, with patience for a machine that has much to do."""
    return changed(environment(lab), request_timeout_seconds=30.0)


class Forgotten:
    """A sink that keeps nothing."""

    def append(self, entry: Entry) -> None:
        pass


@pytest.fixture
async def seen_in() -> AsyncIterator[SeenIn]:
    """What an alert test sees in an environment; connections are closed at the end."""
    async with AsyncExitStack() as opened:

        async def seen(environment: Environment) -> Sight:
            return await opened.enter_async_context(_sight(environment))

        yield seen


@pytest.fixture
async def sight(here: Environment, seen_in: SeenIn) -> Sight:
    """What an alert test sees in the lab."""
    return await seen_in(here)


@asynccontextmanager
async def _sight(environment: Environment) -> AsyncIterator[Sight]:
    recorder = Recorder("20261122-test", Forgotten())
    clients = session.open_clients(environment, recorder, None)
    inboxes = make_all(environment, recorder.exchange)
    checks = discover(content.folder("checks"))
    checklist = load(content.folder("checks") / "billing.toml", checks, {}, overridden_in="")
    try:
        yield Sight(
            environment=environment,
            prometheus=clients.by_name["prometheus"],
            alertmanager=clients.by_name["alertmanager"],
            service=clients.by_name["service"],
            inboxes=inboxes,
            drills=checklist.drills,
        )
    finally:
        for inbox in {id(inbox): inbox for inbox in inboxes.values()}.values():
            await inbox.close()
        await clients.close()


@pytest.fixture
def drilled(tmp_path: Path) -> Drilled:
    """Test these alerts in an environment; `on` is called with each entry as it is recorded."""

    async def run(
        environment: Environment,
        *alerts: str,
        on: Callable[[Entry], None] = lambda entry: None,
        watch_seconds: float | None = None,
    ) -> RunView:
        records = open_records(tmp_path / "records.db")
        recorder = Recorder(new_run_id(), records)
        recorder.add_reader(on)
        try:
            checklist = session.plan(environment).checklist
            async with open_drill(
                environment, checklist, records, recorder, alerts=alerts, watch_seconds=watch_seconds
            ) as opened:
                await opened.verification.prepare()
                await opened.verification.run()
        finally:
            view = RunView.of(records.entries(recorder.run))
            records.close()
        return view

    return run


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less long for what will never come."""
    monkeypatch.setattr(trial, "_SLACK_SECONDS", 8.0)
    monkeypatch.setattr(follow, "_GRACE_SECONDS", 5.0)


@pytest.fixture
def calm(lab: LabState) -> None:
    """Nothing of an earlier test is left: no alert, no scrape that failed in the longest window of a rule,
    and Prometheus has found its Alertmanager again."""
    whole = 'min_over_time(up{job="rsolv-platform"}[8s]) == 1 and count_over_time(up[8s]) > 20'

    def sends_here() -> bool:
        found = ask(f"{lab.prometheus_url}/api/v1/alertmanagers")["data"]["activeAlertmanagers"]
        return [one["url"] for one in found] == [f"{lab.alertmanager_url}/api/v2/alerts"]

    eventually(sends_here, "Prometheus sends to the lab's Alertmanager")
    eventually(lambda: queried(lab, whole), "the longest window holds no scrape that failed")
    eventually(lambda: not any(rule["alerts"] for rule in rules(lab)), "all alerts are inactive")
    eventually(lambda: not ask(f"{lab.alertmanager_url}/api/v2/alerts"), "Alertmanager holds none")
