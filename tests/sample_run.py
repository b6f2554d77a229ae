"""A verification and an alert test: every kind of event, every outcome, the text of hostile servers."""

from collections.abc import Iterator, Sequence

from opsconsole.model import (
    AlertPlan,
    Diagnosed,
    EffectBegun,
    EffectEnded,
    Entry,
    Event,
    Exchange,
    Exchanged,
    Finding,
    Found,
    Hop,
    HopMissed,
    HopReached,
    ItemFinished,
    ItemStarted,
    ItemSummary,
    Measured,
    Observed,
    Obstacle,
    Outcome,
    Planned,
    RunFinished,
    RunStarted,
    Seen,
    ServerSeen,
    SignedOff,
    Waiting,
)

RUN = "20261122-1716-7k3q"
BEGAN = 1795367760.0  # 2026-11-22 17:16:00 UTC

HOSTILE = (
    "\x1b]0;owned\x07\x9b31m <script>alert(1)</script> ]]> | \ufffe \u202egnp & `x` [a](http://evil)\n# no"
)
"""What a server might answer to whoever shows it: escapes, HTML, the end of CDATA, Markdown."""

OUTCOMES = {
    "scraping": Outcome.PASS,
    "rules": Outcome.FAIL,
    "plugin": Outcome.SKIP,
    "dashboard": Outcome.UNKNOWN,
    "thresholds": Outcome.SIGN_OFF,
    "panels": Outcome.BROKEN,
}


def started(*items: str, run: str = RUN, environment: str = "staging", kind: str = "verify") -> RunStarted:
    return RunStarted(
        run=run,
        environment=environment,
        protected=False,
        effects=True,
        checklist="Billing monitoring",
        checklist_hash="c" * 64,
        items=tuple(
            ItemSummary(id=item, title=f"The {item}", section="Metrics", checks=(f"{item}_check",))
            for item in items
        ),
        who="ada",
        host="console",
        versions={"opsconsole": "0.1.0", "python": "3.11.7"},
        kind=kind,
    )


def ended(
    item: str, outcome: Outcome, summary: str, *, seconds: float = 0.5, question: str = ""
) -> ItemFinished:
    return ItemFinished(item=item, outcome=outcome, summary=summary, seconds=seconds, question=question)


def exchange(**changes: object) -> Exchange:
    given: dict[str, object] = {
        "id": "x1",
        "server": "prometheus",
        "method": "GET",
        "url": "http://127.0.0.1:9090/api/v1/targets",
        "request_headers": {"authorization": "Bearer {{env:PROM_TOKEN}}"},
        "status": 200,
        "response_type": "application/json",
        "response_body": '{"status":"success"}',
        "response_bytes": 20,
        "response_sha256": "5" * 64,
        "at": BEGAN,
        "seconds": 0.012,
    }
    return Exchange(**{**given, **changes})  # type: ignore[arg-type]


def numbered(events: Sequence[Event], *, run: str = RUN, first: int = 1) -> Iterator[Entry]:
    for number, event in enumerate(events, first):
        yield Entry(run, number, BEGAN + 0.25 * number, event)


def sample(*, run: str = RUN, environment: str = "staging") -> list[Entry]:
    """The run, finished, with one item waiting for a sign-off."""
    events: list[Event] = [
        started(*OUTCOMES, run=run, environment=environment),
        *(ItemStarted(item=item) for item in OUTCOMES),
        ServerSeen(server="prometheus", version="2.53.3", url="http://127.0.0.1:9090"),
        Exchanged(item="scraping", exchange=exchange()),
        Observed(item="scraping", seen=Seen("1 target is up", subject="rsolv-platform")),
        ended("scraping", Outcome.PASS, "1 target is up, 5 families are fresh", seconds=0.31),
        Waiting(item="rules", what="the next evaluation", within_seconds=30.0),
        Found(
            item="rules",
            finding=Finding(
                subject="BillingPaymentFailureRateHigh",
                summary="its expression is not the reference's",
                detail="--- reference\n+++ running\n- rate > 0.10\n+ rate > 0.20",
                remedy="deploy the reference rules and reload Prometheus",
            ),
        ),
        Found(item="rules", finding=Finding(subject="Evil", summary=HOSTILE, detail=HOSTILE)),
        Exchanged(item="rules", exchange=exchange(id="x2", response_body=HOSTILE, error="")),
        Diagnosed(
            item="rules", check="target_is_up", title="The target is up", outcome=Outcome.FAIL,
            summary="target down",
        ),
        Diagnosed(
            item="rules", check="service_answers", title="The service answers", outcome=Outcome.UNKNOWN,
            summary="connection refused",
        ),
        Diagnosed(
            item="rules", check="prometheus_answers", title="Prometheus answers", outcome=Outcome.PASS,
            summary="ready",
        ),
        ended("rules", Outcome.FAIL, "no data", seconds=1.2),
        ended("plugin", Outcome.SKIP, "there is no cluster here"),
        Exchanged(item="dashboard", exchange=exchange(id="x3", status=None, error="connection refused")),
        ended("dashboard", Outcome.UNKNOWN, "grafana http://127.0.0.1:3000: connection refused"),
        ended("thresholds", Outcome.SIGN_OFF, "7 alerts judged over 15 days", question="Are they right?"),
        ended("panels", Outcome.BROKEN, "a defect of the check, panels.py:12: KeyError: 'x'"),
        EffectBegun(item="scraping", effect="e1", what="a test alert was posted", undo="it ends by itself"),
        EffectEnded(item="scraping", effect="e1", how="resolved"),
        RunFinished(exit_code=1, seconds=4.2),
    ]  # fmt: skip
    return list(numbered(events, run=run))


def signed(item: str = "thresholds", *, passed: bool = True, by_person: bool = True) -> SignedOff:
    who = "ada" if by_person else "configuration of lab"
    return SignedOff(item=item, who=who, passed=passed, note="as agreed", by_person=by_person)


DRILL = "20261122-1730-9d2m"

DRILL_OUTCOMES = {
    "BillingPaymentFailureRateHigh": Outcome.PASS,
    "StripeWebhookFailureRateHigh": Outcome.FAIL,
    "StripeWebhooksStalled": Outcome.UNKNOWN,
    "BillingCreditGrantAnomalyDetected": Outcome.SIGN_OFF,
    "SubscriptionCancellationRateHigh": Outcome.SKIP,
}

HIGH, WEBHOOKS, STALLED, CREDITS, CANCELLATIONS = DRILL_OUTCOMES

PLAN = AlertPlan(
    alert=HIGH,
    group="billing",
    expr="sum(rate(failed[5m]))\n  / sum(rate(all[5m])) > 0.1",
    for_seconds=900.0,
    labels={"severity": "warning", "component": "billing"},
    left="sum(rate(failed[5m])) / sum(rate(all[5m]))",
    op=">",
    threshold=0.1,
    ceiling=0.25,
    value=0.0213,
    fault="declined_payments",
    sends="declined payments to POST http://127.0.0.1:4000/api/v1/billing/payment-methods",
    first=12,
    per_second=0.4,
    hold_seconds=930.0,
    requests=384,
    fewest=300,
    objects=20,
    pending_seconds=15.0,
    firing_seconds=915.0,
    notified_seconds=945.0,
    resolved_seconds=1230.0,
    recipients=("admin@rsolv.dev", "alerts@rsolv.dev"),
    beside=("BillingSuccessRateLow",),
    after=(WEBHOOKS,),
)


def hop(item: str, hop: Hop, seconds: float, evidence: str = "seen") -> HopReached:
    """The hop, so many seconds after the runs of this file began."""
    return HopReached(item=item, hop=hop, reached_at=BEGAN + seconds, evidence=evidence)


def reading(item: str, value: float | None, sent: int, passing: int = 0) -> Measured:
    over = value is not None and value > 0.1
    return Measured(item=item, scraped_at=BEGAN + sent, value=value, over=over, sent=sent, passing=passing)


def drill(*, run: str = DRILL, slower: float = 0.0, environment: str = "staging") -> list[Entry]:
    """An alert test, finished; the hops of its first alert after the cause come `slower` seconds later."""
    paused = {"kind": "paused_webhooks", "url": "http://127.0.0.1:4000", "process": "1:2@console"}
    events: list[Event] = [
        started(*DRILL_OUTCOMES, run=run, environment=environment, kind="alert-test"),
        ServerSeen(server="prometheus", version="2.53.3", url="http://127.0.0.1:9090"),
        Planned(item=HIGH, plan=PLAN),
        Planned(item=WEBHOOKS, plan=AlertPlan(alert=WEBHOOKS, sends=HOSTILE, beside=(HOSTILE,))),
        Planned(
            item=STALLED,
            plan=AlertPlan(
                alert=STALLED,
                obstacles=(Obstacle(outcome=Outcome.UNKNOWN, summary="nothing can pause the webhooks here",
                                    remedy="watch it"),),
            ),
        ),
        ItemStarted(item=HIGH),
        ItemStarted(item=WEBHOOKS),
        hop(HIGH, Hop.STEADY, 1.75, "inactive, scraped 3 s ago, the way is clear"),
        EffectBegun(item=HIGH, effect="f1", what="declined payments", undo="none is needed"),
        Waiting(item=HIGH, what="the cause", within_seconds=30.0),
        hop(HIGH, Hop.CAUSE, 2.0, "402 card_declined"),
        Exchanged(item=HIGH, exchange=exchange(id="d1", method="POST", status=402, response_body=HOSTILE)),
        reading(HIGH, None, 4),
        reading(HIGH, 0.118, 20, 4),
        hop(HIGH, Hop.METRIC, 12.0 + slower, "0.118 > 0.1"),
        hop(WEBHOOKS, Hop.STEADY, 2.0, HOSTILE),
        hop(HIGH, Hop.PENDING, 17.0 + slower, "pending since 17:16:17"),
        HopMissed(
            item=WEBHOOKS, hop=Hop.CAUSE, outcome=Outcome.FAIL, because=HOSTILE,
            looked_at=(HOSTILE, "its log"), remedy=HOSTILE,
        ),
        EffectBegun(
            item=WEBHOOKS, effect="f2", what="webhooks are paused", undo="opsconsole cleanup", data=paused
        ),
        ended(WEBHOOKS, Outcome.FAIL, "stopped before cause", seconds=3.0),
        ended(STALLED, Outcome.UNKNOWN, "nothing can pause the webhooks here", seconds=0.0),
        hop(HIGH, Hop.FIRING, 917.0 + slower, "firing"),
        reading(HIGH, 0.104, 390, 30),
        hop(HIGH, Hop.ALERTMANAGER, 917.1 + slower, "active"),
        hop(HIGH, Hop.RECEIVER, 947.0 + slower, "email, 2 notifications"),
        hop(HIGH, Hop.DELIVERED, 947.2 + slower, "[FIRING:1] to admin@rsolv.dev, alerts@rsolv.dev"),
        hop(HIGH, Hop.STOPPED, 948.0 + slower, "the last request was answered"),
        EffectEnded(item=HIGH, effect="f1", how="stopped"),
        hop(HIGH, Hop.RESOLVED, 1250.0 + slower, "inactive"),
        hop(HIGH, Hop.NOTICE, 1280.0 + slower, "[RESOLVED] to admin@rsolv.dev"),
        hop(HIGH, Hop.CLEAN, 1281.0 + slower, "20 test objects are gone"),
        ended(HIGH, Outcome.PASS, "from the cause to the mail in 945 s", seconds=1281.0),
        ended(CREDITS, Outcome.SIGN_OFF, "PagerDuty cannot be read here", question="Did the page come?"),
        ended(CANCELLATIONS, Outcome.SKIP, "not selected"),
        RunFinished(exit_code=1, seconds=1290.0),
    ]  # fmt: skip
    return list(numbered(events, run=run))
