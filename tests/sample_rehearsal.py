"""A rehearsal made by hand: a verdict of every word, with what hostile files could say in them."""

from opsconsole.rehearse.model import (
    Course,
    Fired,
    Incident,
    Phase,
    Reason,
    Rehearsal,
    Rule,
    Verdict,
    Warned,
    Witness,
    Word,
)

RATIO = "sum(rate(failed[5m])) / sum(rate(all[5m])) > 1.2"
MANY = 'sum by (plan) (rate(a_total{plan="x"}[5m])) and on(pod) rate(a_total[5m]) > 0'

WITNESS = Witness(
    incident=Incident(
        courses={(("__name__", "failed"),): Course(Phase(0.0), Phase(None, 1.0), Phase(None))},
        before_seconds=600.0,
        during_seconds=1800.0,
        after_seconds=600.0,
        brought=('status="failed" was not seen yet',),
        story="28 of 100 payments failed for 15 minutes",
    ),
    fired=Fired(pending_at=660.0, firing_at=1560.0, resolved_at=2700.0, labels={"severity": "warning"}),
    test="rule_files: [rules.yml]\n",
    rules_file="groups: []\n",
    promtool_version="3.5.3",
)

ALIVE = Verdict(
    subject="PaymentFailuresHigh",
    kind="alert",
    word=Word.ALIVE,
    expr="rate(failed[5m]) > 0.1",
    witness=WITNESS,
    group="billing",
    file="rules/billing.yml",
    line=7,
    rule=Rule(expr="rate(failed[5m]) > 0.1", alert="PaymentFailuresHigh", for_seconds=900.0),
)
DEAD = Verdict(
    subject="ShareTooHigh",
    kind="alert",
    word=Word.DEAD,
    expr="sum(rate(failed[5m]))\n  / sum(rate(all[5m])) > 1.2",
    reasons=(
        Reason(
            kind="out-of-range",
            summary="a part of a whole is never above 1",
            guilty="sum(rate(failed{}[5m])) / sum(rate(all{}[5m]))",
            correction="a threshold below 1",
            guess="that every failed is one of all",
        ),
    ),
    warnings=(
        Warned(
            kind="division-by-nothing",
            summary="NaN where nothing comes",
            guilty="sum(rate(all{}[5m]))",
            correction="sum(rate(all{}[5m])) > 0",
        ),
    ),
    group="billing",
    file="rules/billing.yml",
    line=21,
)
UNFED = Verdict(
    subject="QueueLong",
    kind="alert",
    word=Word.UNFED,
    expr="queue_length > 100",
    reasons=(
        Reason(kind="no-metric", summary="queue_length is exported by nobody", guilty="queue_length{}"),
    ),
    file="rules/grün 100%.yml",
    line=3,
)
UNDECIDED = Verdict(
    subject="Odd", kind="alert", word=Word.UNDECIDED, expr="odd > 1", tried="12 incidents did not fire it"
)
HOSTILE = Verdict(
    subject="x\x1b[31m\ny | dead\u202e]]>",
    kind="alert",
    word=Word.DEAD,
    expr='up{a="\n"} > 1',
    reasons=(
        Reason(
            kind="no-label", summary="<b>no</b>\r\nlabel & sk_" + "live_abcdefgh12345", guilty='up{a="\\n"}'
        ),
    ),
    file="rules/\udce9.yml",
    line=1,
)
DATA = Verdict(subject="Payments by plan", kind="panel", word=Word.DATA, expr="rate(a_total[5m])")
QUIET = Verdict(
    subject="Failures", kind="panel", word=Word.QUIET, expr="rate(b_total[5m])", tried="nothing in 5 minutes"
)
NEVER = Verdict(
    subject="Top plans",
    kind="panel",
    word=Word.NEVER,
    expr=f"up\n{MANY}",
    reasons=(
        Reason(
            kind="label-aggregated-away",
            summary="pod is matched on, and was aggregated away",
            guilty="rate(a_total{}[5m])",
        ),
    ),
    file="dashboards/billing.json",
    line=120,
)
ERROR = Verdict(
    subject="Broken",
    kind="panel",
    word=Word.ERROR,
    expr="rate(",
    reasons=(Reason(kind="not-promql", summary="unexpected end of input", guilty="rate("),),
)

EVERY = (ALIVE, DEAD, UNFED, UNDECIDED, HOSTILE, DATA, QUIET, NEVER, ERROR)


def rehearsal(*verdicts: Verdict) -> Rehearsal:
    return Rehearsal(
        verdicts=verdicts,
        schema="what metrics.prom exposes",
        promtool_version="3.5.3",
        seconds=1.25,
        peak_bytes=96 * 2**20,
    )
