"""The door to changes: what is journalled, and that what was begun is ended, however the block ends."""

import asyncio
import json
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from opsconsole import alive, config
from opsconsole.checkkit import until
from opsconsole.clients import effects as effects_module
from opsconsole.clients.alertmanager import Alertmanager
from opsconsole.clients.effects import Effects, SentAlert
from opsconsole.clients.http import Http
from opsconsole.clients.inbox import make
from opsconsole.errors import EffectRefused, TimedOut, Unseen
from opsconsole.lab.stack import LabState
from opsconsole.model import Exchange
from opsconsole.secrets import MadeUp
from tests.clients.conftest import OpenDoor
from tests.standins.raw import http, raw_server

WITHIN_SECONDS = 120.0
LABELS = {"alertname": "DrillAlert", "component": "billing", "severity": "warning", "path": 'a "b" \\c'}


class Journal:
    """What was journalled, in order."""

    def __init__(self) -> None:
        self.lines: list[tuple[Any, ...]] = []

    def begin(self, effect: str, what: str, undo: str, data: dict[str, str]) -> None:
        self.lines.append(("begin", effect, data))

    def end(self, effect: str, how: str) -> None:
        self.lines.append(("end", effect, how))

    @property
    def words(self) -> list[str]:
        return [line[0] for line in self.lines]


@pytest.fixture
def journal() -> Journal:
    return Journal()


def effects_on(journal: Journal, alertmanager: Http | None = None, **more: Any) -> Effects:
    return Effects("20261122-test", journal.begin, journal.end, alertmanager=alertmanager, **more)


@pytest.fixture
def door(open_door: OpenDoor, lab: LabState) -> Http:
    return open_door(lab.alertmanager_url, server="alertmanager")


async def held(door: Http, sent: SentAlert) -> list[str]:
    return [alert.state for alert in await Alertmanager(door, lambda *_: None).alerts(*sent.filters)]


async def test_a_test_alert_is_marked_held_and_gone_at_the_end(journal: Journal, door: Http) -> None:
    async with effects_on(journal, door).test_alert(LABELS, {"summary": "is it here?"}) as sent:
        assert journal.words == ["begin"]
        (alert,) = await Alertmanager(door, lambda *_: None).alerts(*sent.filters)
        assert alert.labels == {**LABELS, "opsconsole_run": "20261122-test"}
        assert alert.annotations["summary"] == "DRILL: nothing needs doing. is it here?"
        assert 200 < alert.ends_at - sent.sent_at <= 245
    assert journal.words == ["begin", "end"]
    assert await held(door, sent) == []


async def test_its_end_is_put_off_while_the_block_lives(
    journal: Journal, door: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effects_module, "_POSTED_EVERY_SECONDS", 0.05)
    async with effects_on(journal, door).test_alert(LABELS, {}) as sent:
        alertmanager = Alertmanager(door, lambda *_: None)
        ends = {alert.ends_at for alert in await alertmanager.alerts(*sent.filters)}

        async def put_off() -> bool:
            ends.update(alert.ends_at for alert in await alertmanager.alerts(*sent.filters))
            return len(ends) > 2

        assert await until(put_off, within_seconds=WITHIN_SECONDS, what="a later end")
    assert await held(door, sent) == []


async def test_an_end_that_could_not_be_put_off_is_put_off_the_next_time(
    journal: Journal, open_door: OpenDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effects_module, "_POSTED_EVERY_SECONDS", 0.01)
    posts: list[bytes] = []
    enough = asyncio.Event()

    def answer(request: bytes) -> list[bytes]:
        if request.startswith(b"GET"):
            return [http(b"[]")]
        posts.append(request)
        if len(posts) == 4:
            enough.set()
        return [http(b"", "500 Internal Server Error" if len(posts) == 2 else "200 OK")]

    async with raw_server(answer) as url, effects_on(journal, open_door(url)).test_alert(LABELS, {}):
        await asyncio.wait_for(enough.wait(), WITHIN_SECONDS)
    assert journal.words == ["begin", "end"]


async def test_the_journal_says_what_taking_it_back_needs(journal: Journal, door: Http) -> None:
    async with effects_on(journal, door).test_alert(LABELS, {}) as sent:
        _, _, data = journal.lines[0]
    assert (data["kind"], data["url"]) == ("test_alert", door.base)
    assert alive.is_alive(data["process"])
    assert json.loads(data["labels"]) == sent.labels


async def test_it_reaches_the_mailbox_and_its_end_too(
    journal: Journal, door: Http, lab: LabState, recorded: list[Exchange]
) -> None:
    inbox = make(config.Inbox(kind="lab", url=lab.inbox_url, address="alerts@rsolv.dev"), recorded.append)
    effects = Effects("20261122-mail", journal.begin, journal.end, alertmanager=door)
    try:
        assert "lab" in await inbox.check()
        async with effects.test_alert({**LABELS, "alertname": "Mailed"}, {}) as sent:

            async def arrived() -> Any:
                return await inbox.find("20261122-mail", since=sent.sent_at)

            messages = await until(arrived, within_seconds=WITHIN_SECONDS, what="the mail")
            assert messages
            (mail,) = [message for message in messages if message.channel == "email"]
            assert mail.delivered
            assert mail.to == ["alerts@rsolv.dev"]
            assert "20261122-mail" in mail.subject + mail.body_excerpt
            assert await inbox.find("20261122-mail", since=mail.at + 1) == []
    finally:
        await inbox.close()
    assert journal.words == ["begin", "end"]


async def test_a_failing_block_ends_it_as_well(journal: Journal, door: Http) -> None:
    with pytest.raises(ZeroDivisionError):
        async with effects_on(journal, door).test_alert(LABELS, {}) as sent:
            raise ZeroDivisionError
    assert journal.words == ["begin", "end"]
    assert await held(door, sent) == []


async def test_a_cancelled_block_ends_it_as_well(journal: Journal, door: Http) -> None:
    started, sent = asyncio.Event(), []

    async def block() -> None:
        async with effects_on(journal, door).test_alert(LABELS, {}) as alert:
            sent.append(alert)
            started.set()
            await asyncio.sleep(60)

    task = asyncio.create_task(block())
    await started.wait()
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert journal.words == ["begin", "end"]
    assert await held(door, sent[0]) == []


async def test_two_alerts_of_a_run_are_two_effects(journal: Journal, door: Http) -> None:
    effects = effects_on(journal, door)
    async with (
        effects.test_alert(LABELS, {}) as first,
        effects.test_alert({**LABELS, "severity": "critical"}, {}) as second,
    ):
        assert await held(door, first) == await held(door, second) == ["active"]
    begun = {line[1] for line in journal.lines if line[0] == "begin"}
    assert len(begun) == 2
    assert begun == {line[1] for line in journal.lines if line[0] == "end"}


async def test_an_end_that_cannot_be_seen_stays_open(
    journal: Journal, open_door: OpenDoor, httpserver: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(effects_module, "_END_WITHIN_SECONDS", 0.5)
    httpserver.expect_request("/api/v2/alerts", method="POST").respond_with_data("")
    httpserver.expect_request("/api/v2/alerts", method="GET").respond_with_json([{"labels": LABELS}])
    with pytest.raises(TimedOut, match="not seen to end"):
        async with effects_on(journal, open_door(httpserver.url_for(""))).test_alert(LABELS, {}):
            pass
    assert journal.words == ["begin"]


async def test_a_post_that_failed_is_taken_back_too(
    journal: Journal, open_door: OpenDoor, httpserver: HTTPServer
) -> None:
    """It may have arrived all the same."""
    httpserver.expect_ordered_request("/api/v2/alerts", method="POST").respond_with_data("", status=500)
    httpserver.expect_ordered_request("/api/v2/alerts", method="POST").respond_with_data("")
    httpserver.expect_ordered_request("/api/v2/alerts", method="GET").respond_with_json([])
    with pytest.raises(Unseen, match="500"):
        async with effects_on(journal, open_door(httpserver.url_for(""))).test_alert(LABELS, {}):
            raise AssertionError("the block must not run")
    assert journal.words == ["begin", "end"]


async def test_a_clock_behind_ours_gets_an_end_in_its_past(journal: Journal, open_door: OpenDoor) -> None:
    posted: list[dict[str, str]] = []

    def answer(request: bytes) -> list[bytes]:
        if request.startswith(b"POST"):
            posted.extend(json.loads(request.partition(b"\r\n\r\n")[2]))
        return [http(b"[]", Date="Sun, 01 Nov 2026 00:00:10 GMT")]

    async with raw_server(answer) as url, effects_on(journal, open_door(url)).test_alert(LABELS, {}):
        pass
    assert posted[-1]["endsAt"].startswith("2026-11-01T00:00:")
    assert posted[-1]["startsAt"] <= posted[-1]["endsAt"]
    assert journal.words == ["begin", "end"]


async def test_a_refused_webhook_moves_a_counter(
    journal: Journal, open_door: OpenDoor, lab: LabState
) -> None:
    settings = config.Service(url=lab.service_url, job="j", api_key=MadeUp("lab:key", lab.api_key))
    door = open_door(lab.service_url, server="service")
    answer = await effects_on(journal, service=door, service_settings=settings).refused_webhook()
    assert answer.status == 400
    assert "signature" in answer.text
    assert journal.words == ["begin", "end"]
    exposed = (await door.get("/metrics")).text
    assert (
        'rsolv_billing_stripe_webhook_failed_total{event_type="test",failure_reason="invalid_signature"}'
        in exposed
    )


async def test_a_webhook_that_was_taken_is_an_answer_too(
    journal: Journal, open_door: OpenDoor, httpserver: HTTPServer
) -> None:
    httpserver.expect_request("/hook", method="POST").respond_with_data("", status=302)
    settings = config.Service(url=httpserver.url_for(""), job="j", webhook_path="/hook")
    effects = effects_on(journal, service=open_door(httpserver.url_for("")), service_settings=settings)
    assert (await effects.refused_webhook()).status == 302


@pytest.mark.parametrize("key", ["sk_live_0123456789", "rk_live_0123456789"])
async def test_a_live_key_is_refused_before_anything_is_sent(
    journal: Journal, open_door: OpenDoor, httpserver: HTTPServer, key: str
) -> None:
    settings = config.Service(url=httpserver.url_for(""), job="j", api_key=MadeUp("env:STRIPE", key))
    door = open_door(httpserver.url_for(""))
    effects = effects_on(journal, door, service=door, service_settings=settings)
    with pytest.raises(EffectRefused, match="live") as refused:
        await effects.refused_webhook()
    with pytest.raises(EffectRefused, match="live"):
        async with effects.test_alert(LABELS, {}):
            pass
    assert key not in str(refused.value)
    assert (journal.lines, httpserver.log) == ([], [])


async def test_what_is_not_named_cannot_be_changed(journal: Journal) -> None:
    with pytest.raises(EffectRefused, match="names no service"):
        await effects_on(journal).refused_webhook()
