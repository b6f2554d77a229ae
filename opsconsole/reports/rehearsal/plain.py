"""One line an alert or panel: its verdict, its name, two spaces, the reason; what else there is after ` | `.

dead BillingCreditGrantAnomaly  a quantile is never above 100, the highest bucket | at rules.yml:60
"""

from opsconsole.rehearse.model import Rehearsal, Verdict
from opsconsole.reports.rehearsal import Setting
from opsconsole.reports.rehearsal.wording import beside, name, needs_a_look, place, said

BETWEEN = " | "


def document(rehearsal: Rehearsal, setting: Setting) -> str:
    """All lines, each with its line feed."""
    return "".join(f"{line(verdict)}\n" for verdict in rehearsal.verdicts)


def line(verdict: Verdict) -> str:
    """The verdict on one line."""
    rest = [*([said(verdict)] if said(verdict) else []), *beside(verdict)]
    if needs_a_look(verdict) and (where := place(verdict)):
        rest.append(f"at {where}")
    return f"{verdict.word} {name(verdict)}  {BETWEEN.join(rest)}".rstrip()
