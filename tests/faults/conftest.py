"""The lab's billing service alone, without its background traffic, and what a fault on it needs."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from opsconsole import config
from opsconsole.clients.exposition import families
from opsconsole.clients.http import Endpoint, Http
from opsconsole.faults import Means
from opsconsole.lab import processes
from opsconsole.model import Exchange
from opsconsole.secrets import MadeUp

KEY, SECRET = "a-key-of-a-test", "whsec_of_a_test_0123456789"
RUN = "20261122-faults"
WITHIN_SECONDS = 120.0

Series = tuple[str, frozenset[tuple[str, str]]]


class Happened:
    """What was journalled and what went over the wire, in one order."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, Any]] = []

    def effect_begun(self, effect: str, what: str, undo: str, data: dict[str, str]) -> None:
        self.lines.append(("begun", data))

    def effect_ended(self, effect: str, how: str) -> None:
        self.lines.append(("ended", how))

    def exchanged(self, exchange: Exchange) -> None:
        self.lines.append((exchange.method, exchange))

    @property
    def words(self) -> list[str]:
        return [word for word, _ in self.lines]

    @property
    def journal(self) -> list[str]:
        return [word for word in self.words if word in ("begun", "ended")]

    def of(self, word: str) -> list[Any]:
        return [told for each, told in self.lines if each == word]


MakeMeans = Callable[..., Means]


@pytest.fixture(scope="session")
def service_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real billing service whose counters only tests move."""
    log = tmp_path_factory.mktemp("service") / "log"
    secrets = {"OPSCONSOLE_LAB_API_KEY": KEY, "OPSCONSOLE_LAB_WEBHOOK_SECRET": SECRET}
    with processes.free_ports(1) as (port,):
        process = processes.spawn(
            [sys.executable, "-m", "opsconsole.lab.service", "--port", str(port)],
            log=log,
            die_with_parent=True,
            env={**os.environ, **secrets},
        )
        url = f"http://127.0.0.1:{port}"
        asyncio.run(processes.wait_ready(f"{url}/health/billing", process, within_seconds=WITHIN_SECONDS))
    httpx.post(f"{url}/lab/state", json={"traffic": False}, headers=opened(), timeout=60).raise_for_status()
    yield url
    process.stop()


def opened() -> dict[str, str]:
    return {"Authorization": f"Bearer {KEY}"}


@pytest.fixture
def happened() -> Happened:
    return Happened()


@pytest.fixture
async def means_on(happened: Happened) -> AsyncIterator[MakeMeans]:
    """What a fault on the service at a URL works with; everything is set, but for what is changed."""
    doors = []

    def made(url: str, *, timeout_seconds: float = 60.0, **changes: Any) -> Means:
        door = Http("service", Endpoint(url, timeout_seconds=timeout_seconds), happened.exchanged)
        doors.append(door)
        return Means(RUN, door, replace(everything(url), **changes), happened)

    yield made
    for door in doors:
        await door.close()


@pytest.fixture
def means(means_on: MakeMeans, service_url: str) -> Means:
    """On the real service."""
    return means_on(service_url)


def everything(url: str) -> config.Service:
    return config.Service(
        url=url,
        job="rsolv-platform",
        api_key=MadeUp("lab:FAULTS_KEY", KEY),
        webhook_secret=MadeUp("lab:FAULTS_SECRET", SECRET),
        declining_payment_method="pm_card_visa_chargeDeclined",
        passing_payment_method="pm_card_visa",
        test_hooks="/lab",
    )


async def series(url: str) -> dict[Series, float]:
    """Every sample that the service exports now."""
    async with httpx.AsyncClient(timeout=60) as client:
        answer = await client.get(f"{url}/metrics")
    exported = families(answer.text, answer.headers["content-type"], url).values()
    return {
        (name, frozenset(labels.items())): value
        for family in exported
        for name, labels, value in family.samples
    }


async def left_over(url: str, run: str = RUN) -> list[str]:
    """The payment methods that a run has left attached."""
    async with httpx.AsyncClient(timeout=60) as client:
        answer = await client.get(
            f"{url}/api/v1/billing/payment-methods", params={"opsconsole_run": run}, headers=opened()
        )
    return [one["id"] for one in answer.json()["data"]]


async def state(url: str, **changes: Any) -> dict[str, Any]:
    """The service's state, changed before where changes are given."""
    async with httpx.AsyncClient(timeout=60, headers=opened()) as client:
        if changes:
            (await client.post(f"{url}/lab/state", json=changes)).raise_for_status()
        told: dict[str, Any] = (await client.get(f"{url}/lab/state")).json()
    return told
