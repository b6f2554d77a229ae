"""What a check does decides its outcome, and nothing is a PASS that was not seen."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from opsconsole.engine.schedule import Verification
from opsconsole.errors import RecordsError
from opsconsole.model import Exchange, Outcome
from tests.engine.conftest import Kept

Make = Callable[..., Verification]
Write = Callable[..., Any]

BODIES = [
    ("yield Seen('all is well')", Outcome.PASS, "all is well"),
    ("yield Finding(summary='broken', subject='it')", Outcome.FAIL, "it: broken"),
    ("yield Finding(summary='one')\nyield Finding(summary='two')", Outcome.FAIL, "one (and 1 more)"),
    ("yield Seen('well')\nyield Finding(summary='but')", Outcome.FAIL, "but"),
    ("raise Skip('not here')", Outcome.SKIP, "not here"),
    ("raise Unseen('no answer', where='server')", Outcome.UNKNOWN, "server: no answer"),
    ("yield Finding(summary='bad')\nraise Unseen('the rest')", Outcome.FAIL, "bad"),
    ("yield Seen('facts')\nraise SignOff('is it right?')", Outcome.SIGN_OFF, "facts"),
    ("yield Finding(summary='wrong')\nraise SignOff('is it right?')", Outcome.FAIL, "wrong"),
    ("raise KeyError('x')", Outcome.BROKEN, "a defect of the check, it.py:6: KeyError: 'x'"),
    ("yield 3", Outcome.BROKEN, "yielded int, neither Finding nor Seen"),
    ("pass", Outcome.UNKNOWN, "found nothing wrong, but saw nothing either"),
]


@pytest.mark.parametrize(("body", "outcome", "summary"), BODIES, ids=[summary for _, _, summary in BODIES])
async def test_outcome(
    body: str, outcome: Outcome, summary: str, write_check: Write, verification: Make, kept: Kept
) -> None:
    write_check("it", body)
    await verification().run()
    item = kept.view.items["it"]
    assert item.outcome is outcome
    assert summary in item.text


async def test_a_check_that_does_not_end_is_unknown(
    write_check: Write, verification: Make, kept: Kept
) -> None:
    write_check("it", "yield Seen('the beginning')\nawait asyncio.Event().wait()")
    await verification(timeout=0.2).run()
    item = kept.view.items["it"]
    assert (item.outcome, item.text) == (Outcome.UNKNOWN, "not finished after 0.2 s")


async def test_a_check_without_its_server_is_unknown_never_passed(
    write_check: Write, verification: Make, kept: Kept
) -> None:
    write_check("it", "yield Seen('never reached')", signature="grafana")
    assert await verification(clients={"grafana": None}).run() == 3
    assert kept.view.items["it"].text == "the environment here names no grafana"


async def test_a_check_that_acts_is_skipped_where_nothing_may_be_changed(
    write_check: Write, verification: Make, kept: Kept
) -> None:
    write_check("it", "yield Seen('acted')", signature="effects")
    await verification().run()
    item = kept.view.items["it"]
    assert (item.outcome, item.seen) == (Outcome.SKIP, [])
    assert "--allow-effects here" in item.text


async def test_an_exchange_is_evidence_of_the_check_that_caused_it(
    write_check: Write, verification: Make, kept: Kept
) -> None:
    write_check("asks", "prometheus()", signature="prometheus")
    write_check("rests", "yield Seen('quiet')")
    made = verification(clients={"prometheus": None})
    made.clients = {
        "prometheus": lambda: made.recorder.exchange(
            Exchange(id="x1", server="p", method="GET", url="http://p/")
        )
    }
    await made.run()
    assert [exchange.id for exchange in kept.view.items["asks"].exchanges] == ["x1"]
    assert kept.view.items["asks"].outcome is Outcome.PASS
    assert kept.view.items["rests"].exchanges == []


async def test_waiting_is_shown_and_not_counted_against_the_check(
    write_check: Write, verification: Make, kept: Kept
) -> None:
    body = (
        "clock = asyncio.get_running_loop().time\n"
        "begun = clock()\n"
        "async def condition():\n"
        "    return clock() > begun + 0.6\n"
        "if await until(condition, within_seconds=60, what='the scrape'):\n"
        "    yield Seen('scraped')"
    )
    write_check("it", body)
    await verification(timeout=0.5).run()
    assert kept.view.items["it"].outcome is Outcome.PASS
    assert any(getattr(entry.event, "what", "") == "the scrape" for entry in kept.entries)


async def test_items_run_side_by_side(write_check: Write, verification: Make, kept: Kept) -> None:
    met = asyncio.Barrier(2)
    for name in ("one", "two"):
        write_check(name, "await prometheus.wait()\nyield Seen('met the other')", signature="prometheus")
    assert await verification(clients={"prometheus": met}).run() == 0


async def test_diagnosis_runs_each_cause_once_and_leaves_out_what_passed_nothing(
    write_check: Write, verification: Make, kept: Kept
) -> None:
    head = "DIAGNOSIS = ('cause',)"
    write_check("one", "yield Finding(summary='no data')", head=head)
    write_check("two", "raise Unseen('no answer')", head=head)
    write_check("well", "yield Seen('fine')", head=head)
    write_check("cause", "prometheus.append(1)\nyield Finding(summary='target down')", signature="prometheus")
    calls: list[int] = []
    await verification("one", "two", "well", clients={"prometheus": calls}).run()
    assert calls == [1]
    items = kept.view.items
    assert [(d.check, d.outcome, d.summary) for d in items["one"].diagnosis] == [
        ("cause", Outcome.FAIL, "target down")
    ]
    assert items["two"].diagnosis[0].summary == "target down"
    assert items["well"].diagnosis == []


async def test_a_diagnosis_looks_at_what_the_check_looked_at(
    write_check: Write, verification: Make, kept: Kept
) -> None:
    head = "DIAGNOSIS = ('cause',)"
    write_check(
        "one", "yield Finding(summary='no data')", signature="*, job: str = 'app', days: int = 3", head=head
    )
    write_check(
        "cause", "yield Seen(f'{job} for {hours} h')", signature="*, job: str = 'any', hours: int = 2"
    )
    await verification("one").run()
    assert kept.view.items["one"].diagnosis[0].summary == "app for 2 h"


async def test_the_configuration_signs_and_says_that_no_person_did(
    write_check: Write, verification: Make, kept: Kept
) -> None:
    write_check("it", "yield Seen('facts')\nraise SignOff('right?')")
    assert await verification(sign_offs={"it": "a lab"}).run() == 0
    signed = kept.view.items["it"].sign_off
    assert signed is not None
    assert (signed.by_person, signed.who) == (False, "configuration of here")


async def test_cancelling_ends_what_a_check_has_begun(write_check: Write, verification: Make) -> None:
    body = "try:\n    prometheus[0].set()\n    await asyncio.sleep(60)\nfinally:\n    prometheus[1].set()"
    write_check("it", body, signature="prometheus")
    begun, ended = asyncio.Event(), asyncio.Event()
    run = asyncio.create_task(verification(clients={"prometheus": (begun, ended)}).run())
    async with asyncio.timeout(60):
        await begun.wait()
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert ended.is_set()


async def test_what_cannot_be_recorded_ends_the_run_with_one_plain_error(
    write_check: Write, verification: Make, kept: Kept
) -> None:
    for name in ("one", "two"):
        write_check(name, "yield Seen('well')")
    made = verification()
    kept.full = True
    with pytest.raises(RecordsError, match="disk full"):
        await made.run()
