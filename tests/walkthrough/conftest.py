"""A real drill lab for each module, and the sight that an alert test has of it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

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
from opsconsole.walkthrough.sight import Sight
from tests.checks.breaking import first_scrape
from tests.checks.conftest import changed

SeenIn = Callable[[Environment], Awaitable[Sight]]


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
