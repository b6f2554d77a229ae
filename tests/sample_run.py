"""A run with every kind of event and every outcome, and the text of hostile servers in it."""

from collections.abc import Iterator, Sequence

from opsconsole.model import (
    Diagnosed,
    EffectBegun,
    EffectEnded,
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


def started(*items: str, run: str = RUN, environment: str = "staging") -> RunStarted:
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
