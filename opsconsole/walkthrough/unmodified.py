"""The alerts of the rules as they are, hours and all: brought about by history instead of by waiting.

A private Prometheus starts with the past of an incident for each alert, and takes up what was pending where
that left it. It proves each rule's expression and labels, and its way to people; that `for` counts down is
Prometheus' own affair, and shown by the ordinary alert test with shortened durations.
"""

from dataclasses import dataclass, field

from opsconsole.model import AlertPlan, Hop, Planned
from opsconsole.walkthrough.drill import Drill
from opsconsole.walkthrough.plan import plans
from opsconsole.walkthrough.tracing import Tracing
from opsconsole.walkthrough.trial import Trial

_FIRES_WITHIN_SECONDS = 60.0


@dataclass
class UnmodifiedDrill(Drill):
    """One run over the rules as they are. `incidents` tells for each alert in words what its history says;
    `began_at` is when the private servers were started."""

    incidents: dict[str, str] = field(default_factory=dict)
    began_at: float = 0.0

    async def prepare(self) -> None:
        """Plan every alert: the rule as loaded, the incident that its history holds, whom it will reach."""
        for plan in await plans(self.sight, self.alerts):
            sends = f"nothing: in a private Prometheus {self.incidents.get(plan.alert, '')}"
            obstacles = tuple(one for one in plan.obstacles if one.hop not in (Hop.CAUSE, Hop.METRIC))
            told = AlertPlan(
                alert=plan.alert, group=plan.group, expr=plan.expr, for_seconds=plan.for_seconds,
                labels=plan.labels, left=plan.left, op=plan.op, threshold=plan.threshold, value=plan.value,
                sends=sends, recipients=plan.recipients, obstacles=obstacles,
            )  # fmt: skip
            self.plans[plan.alert] = told
            self.recorder.emit(Planned(item=plan.alert, plan=told))

    async def _trial(self, plan: AlertPlan, tracing: Tracing) -> Trial:
        rules = await self._rules()
        return HistoryTrial(
            plan=plan,
            sight=self.sight,
            tracing=tracing,
            pace=await self._pace(plan, rules),
            cause=None,
            neighbours=self._neighbours(plan, rules),
            incident=self.incidents.get(plan.alert, ""),
            began_at=self.began_at,
        )


@dataclass
class HistoryTrial(Trial):
    """An alert whose cause lies in the past, followed from firing to the mailbox; all that the private
    servers have ever told is of this."""

    incident: str = ""
    began_at: float = 0.0

    async def _begin(self) -> None:
        self._clear()
        self.tracing.reached(Hop.CAUSE, f"in its history {self.incident}", self.began_at)

    async def _watch(self) -> None:
        await self.follower.firing(self.plan.for_seconds, _FIRES_WITHIN_SECONDS)
        await self.follower.delivered(await self.follower.held(self._filters))
