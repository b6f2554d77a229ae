"""A real lab for each worker, and the real engine to look at it with."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from opsconsole import session
from opsconsole.config import Environment
from opsconsole.lab import stack
from opsconsole.lab.environment import environment
from opsconsole.lab.servers import Pair
from opsconsole.lab.state import LabState
from opsconsole.runview import ItemView, RunView
from opsconsole.store import open_records
from tests.checks.breaking import first_scrape

Verify = Callable[..., Awaitable[ItemView]]


@pytest.fixture(scope="session")
def lab(pair: Pair) -> Iterator[LabState]:
    """A lab with history that has been scraped: one for each worker, so that no two tests break the same."""
    state = asyncio.run(stack.start("foreground", pair.prometheus, pair.alertmanager))
    try:
        first_scrape(state)
        yield state
    finally:
        stack.stop(state)


@pytest.fixture
def here(lab: LabState) -> Environment:
    """The lab as an environment, without settings: a checklist of one check need not have them."""
    return replace(environment(lab), settings={})


@pytest.fixture
def verify(tmp_path: Path) -> Verify:
    """Verify one item of a checklist in an environment; with `check` the item has this check alone.

    `settings` are those that the item gives its check, in TOML. `effects` as for `open_session`.
    """

    async def verified(
        environment: Environment, item: str = "", *, check: str = "", settings: str = "", effects: bool = True
    ) -> ItemView:
        if check:
            item, path = check, tmp_path / f"{check}.toml"
            head = f'[[item]]\nid = "{item}"\ntitle = "{item}"\n[[item.check]]\nuse = "{check}"\n'
            path.write_text(head + settings)
            environment = changed(environment, checklist=str(path), sign_offs={})
        records = open_records(tmp_path / "records.db")
        try:
            plan = session.plan(environment, [item])
            async with session.open_session(plan, records, effects=effects) as opened:
                await opened.verification.run()
            return RunView.of(records.entries(opened.recorder.run)).items[item]
        finally:
            records.close()

    return verified


def changed(environment: Environment, **values: Any) -> Environment:
    """The environment with these values; `prometheus_url` and the like change one server's."""
    direct = {name: value for name, value in values.items() if hasattr(environment, name)}
    for name, value in values.items():
        if name not in direct:
            server, _, key = name.partition("_")
            direct[server] = replace(direct.get(server, getattr(environment, server)), **{key: value})
    return replace(environment, **direct)
