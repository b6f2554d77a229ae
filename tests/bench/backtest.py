"""A back-test of 15 days, seven rules, a step of 30 s, on the lab's real Prometheus with its history.

Beside it: the same queries by bare httpx in as few requests as Prometheus allows, two in flight, no fold.
"""

import asyncio
import sys
import time
from dataclasses import replace

from opsconsole.clients.reference import Reference
from opsconsole.lab.environment import reference_rules
from opsconsole.rehearse.model import Rule
from tests.bench.timing import in_turn, table

DAYS, STEP_SECONDS, MOST_POINTS = 15, 30, 11_000
BARE = "bare httpx, the same queries"


def backtests(prometheus_url: str) -> str:
    """The figures, as lines: the goal is under 3 seconds."""
    commands = {
        BARE: [sys.executable, "-m", "tests.bench.backtest", "bare", prometheus_url],
        "back-test": [sys.executable, "-m", "tests.bench.backtest", "loaded", prometheus_url],
        "with seven changed rules beside": [
            sys.executable,
            "-m",
            "tests.bench.backtest",
            "both",
            prometheus_url,
        ],
    }
    title = f"back-test of {DAYS} days, 7 rules, {STEP_SECONDS} s step; goal 3000"
    return table(title, in_turn(commands, runs=5), beside=BARE)


def rules() -> list[Rule]:
    return [
        Rule(alert=one.name, expr=one.expr, for_seconds=one.for_seconds, labels=one.labels, group=one.group)
        for one in Reference(reference_rules()).rules()
    ]


async def bare(url: str) -> None:
    import httpx

    end = time.time() // STEP_SECONDS * STEP_SECONDS
    starts = range(int(end) - DAYS * 86_400, int(end), MOST_POINTS * STEP_SECONDS)
    asked = [(rule.expr, start) for rule in rules() for start in starts]
    two = asyncio.Semaphore(2)

    async with httpx.AsyncClient(timeout=60) as client:

        async def ask(expr: str, start: int) -> None:
            last = min(start + (MOST_POINTS - 1) * STEP_SECONDS, end)
            form = {"query": expr, "start": start, "end": last, "step": STEP_SECONDS}
            async with two:
                (await client.post(f"{url}/api/v1/query_range", data=form)).raise_for_status().json()

        await asyncio.gather(*(ask(*each) for each in asked))


async def tested(url: str, *, changed: bool) -> None:
    from opsconsole.clients.http import Endpoint, Http
    from opsconsole.clients.prometheus import Prometheus
    from opsconsole.rehearse.backtest import backtest
    from opsconsole.reports.rehearsal.timeline import lines

    loaded = rules()
    proposed = (
        [replace(rule, expr=f"({rule.expr}) * 2", for_seconds=60) for rule in loaded] if changed else None
    )
    door = Http("prometheus", Endpoint(url, timeout_seconds=60), lambda exchange: None)
    found = await backtest(Prometheus(door, lambda *seen: None), loaded, proposed=proposed)
    await door.close()
    assert found.tests[0].fired
    assert lines(found)


if __name__ == "__main__":
    kind, address = sys.argv[1:]
    asyncio.run(bare(address) if kind == "bare" else tested(address, changed=kind == "both"))
