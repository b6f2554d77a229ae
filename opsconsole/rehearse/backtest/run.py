"""The back-test itself: the server is asked, and the answers are folded while they come."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence

from opsconsole.clients.prometheus import Prometheus
from opsconsole.clients.ranges import stretches
from opsconsole.errors import Nonsense, TimedOut
from opsconsole.rehearse.backtest import history, records
from opsconsole.rehearse.backtest.agreement import agree
from opsconsole.rehearse.backtest.changes import changes
from opsconsole.rehearse.backtest.model import BackTest, BackTests, Span
from opsconsole.rehearse.backtest.plan import Plan, Query
from opsconsole.rehearse.backtest.tally import Tally
from opsconsole.rehearse.model import Rule

AT_ONCE = 2
MOST_SECONDS = 15 * 86_400.0
STEP_SECONDS = 30.0

Progress = Callable[[int, int, str], None]
"""Told how many evaluations are done, of how many, and the name of the rule that is asked."""


async def backtest(
    prometheus: Prometheus,
    rules: Sequence[Rule],
    *,
    proposed: Sequence[Rule] | None = None,
    start: float | None = None,
    end: float | None = None,
    step_seconds: float = STEP_SECONDS,
    on_progress: Progress | None = None,
) -> BackTests:
    """When the alerts among `rules`, those that the server has loaded, would have fired between `start` and
    `end` (unix seconds), and with `proposed` what these would have changed.

    Without a `start` it is as far back as the history goes, `MOST_SECONDS` at most; without an `end` it is
    now. Each rule is evaluated at its group's own interval where that is not shorter than `step_seconds`, or
    where the time is short enough, else at the first of its multiples that is not. A rule that cannot be
    evaluated has an error, and the others go on. Raises Unseen where the server itself cannot be seen.
    """
    began = time.monotonic()
    end = await prometheus.now() if end is None else end
    start = end - MOST_SECONDS if start is None else start
    plan = await _planned(prometheus, [*rules, *(proposed or ())], start, end, step_seconds)
    loaded = [plan.tally(rule, rule.expr) for rule in rules if rule.alert]
    new = list(_proposed(plan, rules, proposed or ()))
    outages = await history.outages(prometheus, plan.start, end, step_seconds)
    await _ask_all(prometheus, plan.queries(), outages, on_progress or (lambda *_: None))
    tests, after = ([tally.result() for tally in tallies] for tallies in (loaded, new))
    evaluations = map(plan.ticks, loaded)
    return BackTests(
        start=plan.start,
        end=end,
        step_seconds=step_seconds,
        tests=tuple(tests),
        proposed=tuple(after),
        agreement=tuple(await agree(prometheus, list(zip(tests, evaluations, strict=True)))),
        changes=() if proposed is None else tuple(changes(tests, after, end)),
        outages=outages,
        notes=tuple(_notes([*tests, *after], plan)),
        seconds=time.monotonic() - began,
    )


async def _planned(
    prometheus: Prometheus, rules: Sequence[Rule], start: float, end: float, step_seconds: float
) -> Plan:
    start = round(1000 * start) / 1000
    warm_up = max((rule.for_seconds + rule.keep_firing_for_seconds for rule in rules), default=0.0)
    data_from = await history.began(prometheus, rules, start - warm_up, end)
    phases = await history.phases(prometheus)
    return Plan(start, end, step_seconds, data_from=data_from, phases=phases)


def _proposed(plan: Plan, loaded: Sequence[Rule], proposed: Sequence[Rule]) -> Iterator[Tally]:
    missing = records.unrecorded(loaded, proposed)
    for rule in (rule for rule in proposed if rule.alert):
        try:
            yield plan.tally(rule, records.self_contained(rule.expr, missing))
        except records.NotInHistory as why:
            yield plan.failed(rule, str(why))
        except Nonsense:  # the server has the last word on what is PromQL
            yield plan.tally(rule, rule.expr)


async def _ask_all(
    prometheus: Prometheus, queries: Sequence[Query], outages: Sequence[Span], tell: Progress
) -> None:
    whole, done = sum(len(query.ticks) for query in queries), 0
    waiting = iter(queries)

    async def work() -> None:
        nonlocal done
        for query in waiting:
            try:
                async for stretch in stretches(prometheus, query.expr, query.ticks):
                    query.take(stretch, outages)
                    done += len(stretch.ticks)
                    tell(done, whole, query.tallies[0].rule.name)
            except (TimedOut, Nonsense) as error:
                query.fail(error.message)

    workers = [asyncio.create_task(work()) for _ in range(AT_ONCE)]
    try:
        await asyncio.gather(*workers)
    finally:
        for worker in workers:
            worker.cancel()


def _notes(tests: Sequence[BackTest], plan: Plan) -> Iterator[str]:
    if not plan.has_data:
        yield "the server has no data of that time: neither `up` nor a metric that these rules read"
    coarse = [test for test in tests if (test.rule.interval_seconds or test.step_seconds) < test.step_seconds]
    if coarse:
        steps = " and ".join(f"{step:g} s" for step in sorted({test.step_seconds for test in coarse}))
        yield (
            f"{len(coarse)} of {len(tests)} alerts are evaluated every {steps} here and more often by the "
            "server: what lasts shorter can be missed, and times are late by up to that"
        )
    yield (
        "the server evaluates each group at a moment of its own within the interval: where it does not tell "
        "which, or did so at another before, its times differ from these by up to one interval"
    )
