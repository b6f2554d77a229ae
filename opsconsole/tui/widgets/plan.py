"""The plan of an alert's test as rows: whether it can succeed, what is sent, who is notified, and when."""

from collections.abc import Iterator

from opsconsole.model import AlertPlan
from opsconsole.reports.trace import CANNOT, plan_rows
from opsconsole.reports.wording import one_line
from opsconsole.tui.text import labelled, style_of
from opsconsole.tui.widgets.rows import Row
from opsconsole.tui.widgets.writing import lines

_LABEL = len("notifies  ")


def planned_rows(plan: AlertPlan, *, width: int) -> list[Row]:
    """Obstacles first, for where there are any nothing else matters; then the plan, a label a line."""
    return [*_obstacles(plan, width), *_plan(plan, width)]


def _obstacles(plan: AlertPlan, width: int) -> Iterator[Row]:
    for obstacle in plan.obstacles:
        mark = (f"{labelled(obstacle.outcome).rstrip()} ", style_of(obstacle.outcome))
        yield from lines(one_line(obstacle.summary), width, "strong", mark=mark)
        if obstacle.remedy:
            yield from lines(one_line(obstacle.remedy), width, mark=("→ ", "link"), indent="  ")
    if plan.obstacles:
        yield Row()


def _plan(plan: AlertPlan, width: int) -> Iterator[Row]:
    remedies = {one_line(obstacle.remedy) for obstacle in plan.obstacles}
    for label, said in plan_rows(plan):
        if label != CANNOT and said not in remedies:
            yield from lines(said, width, mark=(f"{label:<{_LABEL}}", "faint"))
