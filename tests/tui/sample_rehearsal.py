"""A rehearsal as the screen is told of it: a guilty part, a witness with its curve."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from opsconsole.errors import OpsconsoleError
from opsconsole.promql import parse
from opsconsole.rehearse.curve import Curve
from opsconsole.rehearse.model import (
    Fired,
    Incident,
    Reason,
    Rehearsal,
    Rule,
    Verdict,
    Warned,
    Witness,
    Word,
    exit_code,
)

RATIO = 'sum(rate(payments_total{status="failed"}[5m])) / sum(rate(payments_total[5m])) > 0.1'
QUANTILE = "histogram_quantile(0.99, sum by (le) (rate(credits_bucket[5m]))) > 1000"


def witness(name: str) -> Witness:
    return Witness(
        incident=Incident(
            courses={},
            before_seconds=600,
            during_seconds=1200,
            after_seconds=600,
            story='11 of 100 payments_total in 5 min have status="failed", for 10 min',
            brought=('payments_total{status="failed"}',),
        ),
        fired=Fired(pending_at=660, firing_at=1260, resolved_at=1980),
        test=f"rule_files: [rules.yml]\ntests:\n  - alert_rule_test:\n      - alertname: {name}\n",
        rules_file=f"groups:\n  - name: billing\n    rules:\n      - alert: {name}\n",
        promtool_version="3.5.3",
    )


def alive(name: str, **more: object) -> Verdict:
    rule = Rule(alert=name, expr=RATIO, for_seconds=600)
    told = {
        "expr": RATIO,
        "group": "billing",
        "file": "billing.yml",
        "line": 7,
        "witness": witness(name),
        **more,
    }
    return Verdict(subject=name, kind="alert", word=Word.ALIVE, rule=rule, **told)  # type: ignore[arg-type]


def dead(name: str, expr: str, *reasons: Reason, **more: object) -> Verdict:
    told = {"file": "billing.yml", "line": 12, "group": "billing", **more}
    return Verdict(
        subject=name,
        kind="alert",
        word=Word.DEAD,
        expr=expr,
        reasons=reasons,
        **told,  # type: ignore[arg-type]
    )


ALIVE = alive(
    "PaymentFailureRateHigh",
    warnings=(
        Warned(
            kind="division-by-nothing",
            summary="while sum(rate(payments_total[5m])) is 0, 0/0 is NaN, and NaN never fires",
            guilty=str(parse("sum(rate(payments_total[5m]))")),
        ),
    ),
)
DEAD = dead(
    "CreditGrantAnomaly",
    QUANTILE,
    Reason(
        kind="above-highest-bucket",
        summary="the quantile is never over 1000: the highest finite bucket is 100 in credits_bucket",
        guilty=str(parse(QUANTILE)).removesuffix(" > 1000"),
        correction="histogram_quantile(0.99, sum by (le) (rate(credits_bucket[5m]))) >= 100",
    ),
    guess="that what is scraped carries job and instance",
)
UNDECIDED = Verdict(
    subject="Odd",
    kind="alert",
    word=Word.UNDECIDED,
    expr="absent(x) > 5",
    tried="48 incidents, and none fires it",
)
PANEL = Verdict(subject="Revenue\x1b[31m by Plan", kind="panel", word=Word.DATA, expr="sum(revenue)")
NEVER = Verdict(
    subject="Cancellations",
    kind="panel",
    word=Word.NEVER,
    expr="sum by (plan) (cancelled)",
    reasons=(Reason(kind="no-metric", summary="cancelled is exported by nobody", guilty="cancelled{}"),),
)
ALL = (ALIVE, DEAD, UNDECIDED, PANEL, NEVER)


def rehearsal(*verdicts: Verdict) -> Rehearsal:
    return Rehearsal(
        verdicts=verdicts, schema="guessed from the rules", promtool_version="3.5.3", seconds=1.2
    )


def curve() -> Curve:
    rising = tuple((60.0 * n, 0.0 if n < 10 else min(0.11, 0.02 * (n - 9))) for n in range(33))
    return Curve(
        expr="share", points=(*rising, (1980.0, 0.0), (2400.0, 0.0)), threshold=0.1, op=">",
        pending_at=660, firing_at=1260, resolved_at=1980,
    )  # fmt: skip


@dataclass
class Work:
    """Tells `first`, `waits` until it may go on, then tells the others the wrong way round."""

    verdicts: tuple[Verdict, ...] = ALL
    first: tuple[Verdict, ...] = ()
    waits: bool = False
    tests_folder: str = ""
    error: OpsconsoleError | None = None
    curve_error: OpsconsoleError | None = None
    draws: asyncio.Event | None = None
    asked: list[str] = field(default_factory=list)
    left_off: list[str] = field(default_factory=list)
    cancelled: bool = False
    loop: asyncio.AbstractEventLoop | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def rehearse(
        self,
        progress: Callable[[str], None],
        on_total: Callable[[int], None],
        on_verdict: Callable[[Verdict], None],
    ) -> Rehearsal:
        progress("3 alerts, 2 panels; series: guessed from the rules")
        if self.error is not None:
            raise self.error
        on_total(len(self.verdicts))
        for verdict in self.first:
            on_verdict(verdict)
        if self.waits:
            self.loop = asyncio.get_running_loop()
            try:
                await self.gate.wait()
            except asyncio.CancelledError:
                self.cancelled = True
                raise
        for verdict in reversed(self.verdicts):
            if verdict not in self.first:
                on_verdict(verdict)
        return rehearsal(*self.verdicts)

    def go_on(self) -> None:
        assert self.loop is not None
        self.loop.call_soon_threadsafe(self.gate.set)

    async def curve(self, verdict: Verdict) -> Curve | None:
        self.asked.append(verdict.subject)
        try:
            if self.draws is not None:
                await self.draws.wait()
        except asyncio.CancelledError:
            self.left_off.append(verdict.subject)
            raise
        if self.curve_error is not None:
            raise self.curve_error
        return curve()

    def exit_code(self, rehearsal: Rehearsal) -> int:
        return exit_code(rehearsal)
