"""A run of the billing checklist with one of each outcome, told by events with fixed times."""

from opsconsole.model import (
    Diagnosed,
    Entry,
    Event,
    Exchange,
    Exchanged,
    Finding,
    Found,
    ItemFinished,
    ItemStarted,
    ItemSummary,
    Observed,
    Outcome,
    RunFinished,
    RunStarted,
    Seen,
    ServerSeen,
    SignedOff,
    Waiting,
)

BEGAN = 1_795_367_760.0
RUN = "20261122-1716-7k3q"

ITEMS = (
    ItemSummary(
        id="scraping",
        title="Prometheus is scraping billing metrics",
        section="Metrics",
        checks=("metrics_are_scraped",),
    ),
    ItemSummary(
        id="webhook",
        title="Metrics are emitted from the webhook controller",
        section="Metrics",
        checks=("bad_webhook_is_counted",),
    ),
    ItemSummary(
        id="plugin",
        title="BillingPlugin is registered in PromEx",
        section="Metrics",
        checks=("plugin_is_registered",),
    ),
    ItemSummary(
        id="retention",
        title="Prometheus keeps 15 days of metrics",
        section="Metrics",
        checks=("history_is_kept",),
    ),
    ItemSummary(
        id="dashboard",
        title="Grafana dashboard is accessible and showing data",
        section="Dashboard",
        checks=("dashboard_answers",),
    ),
    ItemSummary(
        id="panels",
        title='No dashboard panel shows "No data"',
        section="Dashboard",
        checks=("panels_have_data",),
    ),
    ItemSummary(
        id="rules", title="All 7 alert rules are loaded", section="Alerts", checks=("rules_match_reference",)
    ),
    ItemSummary(
        id="routing",
        title="AlertManager routing is configured",
        section="Alerts",
        checks=("routes_reach_people",),
    ),
    ItemSummary(
        id="email", title="Test email alert delivered", section="Alerts", checks=("test_alert_arrives",)
    ),
    ItemSummary(
        id="thresholds",
        title="Alert thresholds are appropriate for production",
        section="Alerts",
        checks=("thresholds_are_appropriate",),
    ),
)

RULES_EXCHANGE = Exchange(
    id="x7",
    server="prometheus",
    method="GET",
    url="http://127.0.0.1:9090/api/v1/rules?type=alert",
    request_headers={"authorization": "Bearer {{env:PROMETHEUS_TOKEN}}"},
    status=200,
    response_type="application/json",
    response_body='{"status":"success","data":{"groups":[]}}',
    response_bytes=41,
    response_sha256="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    at=BEGAN + 0.3,
    seconds=0.012,
)

DIFF = """- rate(rsolv_billing_payment_processed_total{status="failed"}[5m]) > 0.10
+ rate(rsolv_billing_payment_processed_total{status="failed"}[5m]) > 0.50"""


def start(*, environment: str = "lab", protected: bool = False, effects: bool = True) -> RunStarted:
    return RunStarted(
        run=RUN,
        environment=environment,
        protected=protected,
        effects=effects,
        checklist="Billing monitoring",
        checklist_hash="ab" * 32,
        items=ITEMS,
        who="ada",
        host="console",
        versions={"opsconsole": "0.1.0"},
    )


RUNNING: tuple[tuple[float, Event], ...] = (
    (0.1, ServerSeen(server="prometheus", version="2.53.3", url="http://127.0.0.1:9090")),
    (0.1, ServerSeen(server="alertmanager", version="0.28.1", url="http://127.0.0.1:9093")),
    *((0.2, ItemStarted(item=item.id)) for item in ITEMS if item.id != "thresholds"),
    (0.3, Exchanged(item="rules", exchange=RULES_EXCHANGE)),
    (0.3, Observed(item="scraping", seen=Seen("up, scraped 0.4 s ago", "rsolv-platform"))),
    (0.3, Observed(item="scraping", seen=Seen("5 of 5 families, all fresh"))),
    (0.4, ItemFinished(item="scraping", outcome=Outcome.PASS, summary="5 of 5 families", seconds=0.21)),
    (
        0.4,
        Found(
            item="rules",
            finding=Finding(
                summary="the expression is not the reference's",
                subject="BillingPaymentFailureRateHigh",
                detail=DIFF,
                remedy="load the reference rules, then reload Prometheus",
            ),
        ),
    ),
    (0.5, Waiting(item="email", what="the test alert to reach the mailbox", within_seconds=30.0)),
    (0.5, Waiting(item="webhook", what="the counters to move", within_seconds=10.0)),
)  # fmt: skip

ENDED: tuple[tuple[float, Event], ...] = (
    (
        0.6,
        Diagnosed(
            item="rules",
            check="rules_are_loading",
            title="Prometheus loads its rule files",
            outcome=Outcome.FAIL,
            summary="the last reload failed",
        ),
    ),
    (
        0.6,
        Diagnosed(
            item="rules",
            check="prometheus_answers",
            title="Prometheus answers",
            outcome=Outcome.PASS,
            summary="ready",
        ),
    ),
    (
        0.7,
        ItemFinished(
            item="rules",
            outcome=Outcome.FAIL,
            summary="BillingPaymentFailureRateHigh: the expression is not the reference's",
            seconds=0.5,
        ),
    ),
    (0.7, ItemFinished(item="plugin", outcome=Outcome.SKIP, summary="no cluster", seconds=0.02)),
    (0.7, ItemFinished(item="retention", outcome=Outcome.PASS, summary="15 days kept", seconds=0.1)),
    (
        0.8,
        ItemFinished(
            item="dashboard", outcome=Outcome.UNKNOWN, summary="grafana: connection refused", seconds=0.3
        ),
    ),
    (
        0.8,
        ItemFinished(
            item="panels",
            outcome=Outcome.BROKEN,
            summary="a defect of the check, panels_have_data.py:12: KeyError: 'panels'",
            seconds=0.3,
        ),
    ),
    (0.9, ItemFinished(item="routing", outcome=Outcome.PASS, summary="7 alerts reach everyone", seconds=0.4)),
    (1.4, ItemFinished(item="email", outcome=Outcome.PASS, summary="mail after 0.9 s", seconds=1.2)),
    (1.6, ItemFinished(item="webhook", outcome=Outcome.PASS, summary="counted by one", seconds=1.4)),
    (0.9, ItemStarted(item="thresholds")),
    (
        1.7,
        ItemFinished(
            item="thresholds",
            outcome=Outcome.SIGN_OFF,
            summary="7 alerts over 15 days",
            seconds=0.9,
            question="Are these thresholds right for production?",
        ),
    ),
    (1.8, RunFinished(exit_code=1, seconds=1.8)),
)

SIGNED = SignedOff(item="thresholds", who="ada", passed=True, note="seen on Monday", by_person=True)


def entries(*events: tuple[float, Event], run: str = RUN, began: float = BEGAN) -> list[Entry]:
    """Entries of events that come so many seconds after the beginning."""
    return [Entry(run, number, began + after, event) for number, (after, event) in enumerate(events, 1)]
