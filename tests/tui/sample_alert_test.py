"""A test of the seven billing alerts, told by events with fixed times: some arrive, one is lost."""

from dataclasses import replace

from opsconsole.model import (
    AlertPlan,
    EffectBegun,
    EffectEnded,
    Event,
    Hop,
    HopMissed,
    HopReached,
    ItemFinished,
    ItemStarted,
    ItemSummary,
    Measured,
    Obstacle,
    Outcome,
    Planned,
    RunFinished,
    RunStarted,
    ServerSeen,
    Waiting,
)
from tests.tui.sample import BEGAN

RUN = "20261122-1716-d7il"

HIGH, CRITICAL = "BillingPaymentFailureRateHigh", "BillingPaymentFailureRateCritical"
WEBHOOKS, SLOW = "StripeWebhookFailureRateHigh", "StripeWebhookProcessingDurationHigh"
STALLED, CANCELLED = "StripeWebhooksStalled", "SubscriptionCancellationRateHigh"
CREDITS = "BillingCreditGrantAnomalyDetected"
SECTIONS = {
    HIGH: "payment",
    CRITICAL: "payment",
    WEBHOOKS: "webhook",
    SLOW: "webhook",
    STALLED: "webhook",
    CANCELLED: "subscription",
    CREDITS: "credits",
}

Timed = tuple[float, Event]

PLAN = AlertPlan(
    alert=HIGH,
    group="billing",
    expr='sum(rate(rsolv_billing_payment_processed_total{status="failed"}[5m]))'
    "\n  / sum(rate(rsolv_billing_payment_processed_total[5m])) > 0.1",
    for_seconds=3.0,
    labels={"severity": "warning", "component": "billing", "subsystem": "payment"},
    left='sum(rate(rsolv_billing_payment_processed_total{status="failed"}[5m]))'
    " / sum(rate(rsolv_billing_payment_processed_total[5m]))",
    op=">",
    threshold=0.1,
    ceiling=0.25,
    value=0.021,
    fault="declined_payments",
    sends="POST http://127.0.0.1:4000/api/v1/billing/payment-methods with a declining test payment method",
    first=24,
    per_second=3.0,
    hold_seconds=4.0,
    requests=40,
    fewest=31,
    objects=6,
    pending_seconds=1.2,
    firing_seconds=4.2,
    notified_seconds=4.5,
    resolved_seconds=9.0,
    recipients=("admin@rsolv.dev", "alerts@rsolv.dev"),
)

PLANS = {
    HIGH: PLAN,
    CRITICAL: replace(
        PLAN,
        alert=CRITICAL,
        expr=PLAN.expr.replace("> 0.1", "> 0.25"),
        for_seconds=2.0,
        labels={**PLAN.labels, "severity": "critical"},
        threshold=0.25,
        ceiling=None,
        first=70,
        requests=96,
        fewest=80,
        firing_seconds=3.2,
        notified_seconds=3.4,
        recipients=("admin@rsolv.dev", "billing-oncall@rsolv.dev"),
        beside=(HIGH,),
        after=(HIGH,),
    ),
    WEBHOOKS: AlertPlan(
        alert=WEBHOOKS,
        group="billing",
        expr="sum(rate(rsolv_billing_stripe_webhook_failed_total[5m]))"
        " / sum(rate(rsolv_billing_stripe_webhook_received_total[5m])) > 0.1",
        for_seconds=3.0,
        labels={"severity": "warning", "component": "billing", "subsystem": "webhook"},
        op=">",
        threshold=0.1,
        value=0.0,
        fault="bad_webhooks",
        sends="POST http://127.0.0.1:4000/api/v1/webhooks/stripe with a wrong signature",
        first=30,
        per_second=5.0,
        hold_seconds=4.0,
        requests=50,
        fewest=41,
        pending_seconds=1.2,
        firing_seconds=4.2,
        notified_seconds=4.5,
        resolved_seconds=9.0,
        recipients=("admin@rsolv.dev", "alerts@rsolv.dev"),
    ),
    STALLED: AlertPlan(
        alert=STALLED,
        group="billing",
        expr="sum(increase(rsolv_billing_stripe_webhook_received_total[6h])) == 0",
        labels={"severity": "info", "component": "billing", "subsystem": "webhook"},
        op="==",
        threshold=0.0,
        value=412.0,
        fault="stalled_webhooks",
        recipients=("alerts@rsolv.dev",),
        obstacles=(
            Obstacle(
                outcome=Outcome.UNKNOWN,
                summary="nothing here can pause the webhooks, so it can only be rehearsed or watched",
                remedy="name the service's test hooks, or watch it: opsconsole alert-test --watch",
            ),
        ),
    ),
    CANCELLED: AlertPlan(
        alert=CANCELLED,
        obstacles=(
            Obstacle(
                outcome=Outcome.FAIL,
                summary="Prometheus has no rule of this name",
                remedy="load the reference rules, then reload Prometheus",
            ),
        ),
    ),
}
"""Of the alerts whose plans are told in full; the others have short ones."""

REFUSED = "dial tcp 127.0.0.1:2525: connect: connection refused"


def start(*, environment: str = "lab", protected: bool = False, run: str = RUN) -> RunStarted:
    items = tuple(ItemSummary(id=a, title=a, section=s, checks=(a,)) for a, s in SECTIONS.items())
    return RunStarted(
        run=run,
        environment=environment,
        protected=protected,
        effects=True,
        checklist="Billing monitoring",
        checklist_hash="ab" * 32,
        items=items,
        who="ada",
        host="console",
        versions={"opsconsole": "0.1.0"},
        kind="alert-test",
    )


def hop(alert: str, hop: Hop, at: float, evidence: str) -> Timed:
    """The hop, reached and told so many seconds after the beginning."""
    return at, HopReached(item=alert, hop=hop, reached_at=BEGAN + at, evidence=evidence)


def readings(
    alert: str, *, until: float, top: float, threshold: float, begin: float = 1.0, end: float = 5.4
) -> list[Timed]:
    """A reading each fifth of a second: at rest, up to `top` from `begin` on, down again from `end` on."""
    told: list[Timed] = []
    for tick in range(5, int(until * 5) + 1):
        at = tick / 5
        rise = min(1.0, max(0.0, (at - begin) / 1.2))
        fall = min(1.0, max(0.0, (at - end) / 1.6))
        value = 0.02 + (top - 0.02) * rise * (1 - fall) + 0.003 * (tick % 3 - 1)
        sent, over = min(34, int(24 * rise + max(0.0, 3 * (at - 2.0)))), value > threshold
        told.append(
            (at, Measured(item=alert, scraped_at=BEGAN + at, value=value, over=over, sent=sent, passing=4))
        )
    return told


PLANNED: tuple[Timed, ...] = (
    (0.1, ServerSeen(server="prometheus", version="2.53.3", url="http://127.0.0.1:9090")),
    (0.1, ServerSeen(server="alertmanager", version="0.28.1", url="http://127.0.0.1:9093")),
    *(
        (0.2, Planned(item=alert, plan=PLANS.get(alert) or replace(PLANS[WEBHOOKS], alert=alert)))
        for alert in SECTIONS
    ),
)

STARTED: tuple[Timed, ...] = (
    *((0.3, ItemStarted(item=alert)) for alert in (HIGH, WEBHOOKS, SLOW, STALLED, CANCELLED, CREDITS)),
    hop(HIGH, Hop.STEADY, 0.8, "inactive; scraped 0.1 s ago; Alertmanager, mail server and inbox answer"),
    hop(WEBHOOKS, Hop.STEADY, 0.8, "inactive; scraped 0.1 s ago; Alertmanager, mail server and inbox answer"),
    hop(SLOW, Hop.STEADY, 0.8, "inactive; scraped 0.1 s ago; Alertmanager, mail server and inbox answer"),
    hop(CREDITS, Hop.STEADY, 0.9, "inactive; scraped 0.1 s ago; Alertmanager, mail server and inbox answer"),
    (0.9, EffectBegun(item=HIGH, effect="f1", what="declined payments", undo="remove the test objects")),
    (0.9, Waiting(item=HIGH, what="the first refusal", within_seconds=5.0)),
    hop(HIGH, Hop.CAUSE, 1.0, "402 card_declined, 24 of 24"),
    hop(WEBHOOKS, Hop.CAUSE, 1.0, "401 invalid signature, 30 of 30"),
    hop(SLOW, Hop.CAUSE, 1.1, "200 after 1.5 s, 12 of 12"),
    (
        0.9,
        ItemFinished(
            item=STALLED,
            outcome=Outcome.UNKNOWN,
            summary="nothing here can pause the webhooks, so it can only be rehearsed or watched",
            seconds=0.1,
        ),
    ),
    (
        0.9,
        HopMissed(
            item=CANCELLED,
            hop=Hop.STEADY,
            outcome=Outcome.FAIL,
            because="Prometheus has no rule of this name",
            looked_at=("GET /api/v1/rules: 6 alerting rules, none named SubscriptionCancellationRateHigh",),
            remedy="load the reference rules, then reload Prometheus",
        ),
    ),
    (
        0.9,
        ItemFinished(
            item=CANCELLED,
            outcome=Outcome.FAIL,
            summary="stopped before steady: Prometheus has no rule of this name",
            seconds=0.6,
        ),
    ),
    *readings(HIGH, until=3.6, top=0.117, threshold=0.1),
    *readings(WEBHOOKS, until=3.6, top=0.125, threshold=0.1),
    hop(HIGH, Hop.METRIC, 2.2, "0.104 > 0.1 at the scrape of 17:16:02.2"),
    hop(WEBHOOKS, Hop.METRIC, 2.2, "0.112 > 0.1 at the scrape of 17:16:02.2"),
    (2.2, Waiting(item=HIGH, what="the rule to be evaluated", within_seconds=0.2)),
    hop(HIGH, Hop.PENDING, 2.3, "pending since 17:16:02.3, value 0.104"),
    hop(WEBHOOKS, Hop.PENDING, 2.3, "pending since 17:16:02.3, value 0.112"),
    (2.3, Waiting(item=HIGH, what="the alert to have held for 3 s", within_seconds=3.0)),
    (2.3, Waiting(item=WEBHOOKS, what="the alert to have held for 3 s", within_seconds=3.0)),
    (2.3, Waiting(item=SLOW, what="the metric to be over the threshold", within_seconds=4.0)),
    (2.3, Waiting(item=CREDITS, what="the first credit grant", within_seconds=4.0)),
)
"""Up to 3.6 s: two are pending, one has no rule, one cannot be done here."""

ENDED: tuple[Timed, ...] = (
    *(reading for reading in readings(HIGH, until=10.4, top=0.117, threshold=0.1) if reading[0] > 3.6),
    *(
        reading
        for reading in readings(WEBHOOKS, until=10.4, top=0.125, threshold=0.1, end=8.4)
        if reading[0] > 3.6
    ),
    hop(HIGH, Hop.FIRING, 5.3, "firing, value 0.116"),
    hop(HIGH, Hop.ALERTMANAGER, 5.31, "active, fingerprint 3f2a9c0d11e4b672"),
    hop(HIGH, Hop.RECEIVER, 5.42, "billing-warnings: 1 email notification, none failed"),
    hop(HIGH, Hop.DELIVERED, 5.45, "[FIRING:1] to admin@rsolv.dev and alerts@rsolv.dev"),
    hop(HIGH, Hop.STOPPED, 5.5, "34 declined, 4 passing, none since"),
    (5.5, EffectEnded(item=HIGH, effect="f1", how="the test objects are gone")),
    hop(WEBHOOKS, Hop.FIRING, 5.3, "firing, value 0.124"),
    hop(WEBHOOKS, Hop.ALERTMANAGER, 5.31, "active, fingerprint 90bb1c7e4f20d35a"),
    (
        8.4,
        HopMissed(
            item=WEBHOOKS,
            hop=Hop.RECEIVER,
            outcome=Outcome.FAIL,
            because="Alertmanager could not hand the mail over: connection refused",
            looked_at=(
                "alertmanager_notifications_failed_total{integration=\"email\"}: 3 more than before",
                f"its log: {REFUSED}",
            ),
            remedy="start the mail server, or correct smtp_smarthost in alertmanager.yml",
        ),
    ),
    hop(WEBHOOKS, Hop.STOPPED, 8.5, "30 refused, none since"),
    hop(HIGH, Hop.RESOLVED, 7.2, "inactive, value 0.061"),
    hop(HIGH, Hop.NOTICE, 7.4, "[RESOLVED] to admin@rsolv.dev and alerts@rsolv.dev"),
    hop(HIGH, Hop.CLEAN, 7.6, "6 of 6 test objects gone, nothing in effect"),
    (7.6, ItemFinished(
        item=HIGH, outcome=Outcome.PASS, summary="from cause to inbox in 4.45 s, and clean", seconds=7.3
    )),
    hop(WEBHOOKS, Hop.RESOLVED, 10.2, "inactive, value 0.042"),
    hop(WEBHOOKS, Hop.CLEAN, 10.3, "nothing in effect"),
    (10.4, ItemFinished(
        item=WEBHOOKS,
        outcome=Outcome.FAIL,
        summary="stopped before receiver: Alertmanager could not hand the mail over",
        seconds=10.1,
    )),
    (10.4, ItemFinished(
        item=CREDITS,
        outcome=Outcome.SIGN_OFF,
        summary="fired and was sent on; the Slack channel cannot be read here",
        seconds=9.0,
        question="Did the alert and its resolved notice come to #billing-alerts?",
    )),
    (10.4, ItemFinished(item=SLOW, outcome=Outcome.PASS, summary="from cause to inbox in 5 s", seconds=9.4)),
    (10.5, ItemStarted(item=CRITICAL)),
    (19.0, ItemFinished(
        item=CRITICAL, outcome=Outcome.PASS, summary="from cause to inbox in 3.61 s", seconds=8.5
    )),
    (19.1, RunFinished(exit_code=1, seconds=18.8)),
)  # fmt: skip
