"""The line below: how far the run is, what came of it, and how long it took."""

from collections import Counter

from textual.content import Content
from textual.widgets import Static

from opsconsole.model import SIGNS, Outcome
from opsconsole.runview import RunView
from opsconsole.tui.messages import State
from opsconsole.tui.text import duration
from opsconsole.tui.views import ALERT_TEST

_COLOURS = {
    Outcome.FAIL: "$error bold",
    Outcome.BROKEN: "$error bold",
    Outcome.UNKNOWN: "$warning",
    Outcome.SIGN_OFF: "$accent",
    Outcome.SKIP: "$faint",
    Outcome.PASS: "$success",
}
"""The worst first: what a narrow terminal cuts off is what passed."""

_MEANINGS = {0: "all passed", 1: "something failed", 3: "nothing failed, but not all is known"}


class Progress(Static):
    """Told of the run, it says where the run is."""

    _shown: Content | None = None

    def tell(self, view: RunView, state: State, *, elapsed: float) -> None:
        """Show the run as it is after `elapsed` seconds."""
        line = progress_line(view, state, elapsed=elapsed, width=self.size.width)
        if line != self._shown:
            self._shown = line
            self.update(line)


def progress_line(view: RunView, state: State, *, elapsed: float, width: int) -> Content:
    """For instance: ━━━━━━──── 6 of 10 · 12 s  ✗ 1 FAIL  ? 1 UNKNOWN  ✓ 4 PASS."""
    if state is State.CLOSING:
        return Content.styled(f" {_closing(view)}", "$warning bold")
    if state in (State.PLANNING, State.PLANNED) and view.items:
        return _planned(view, state)
    counts = Counter(view.outcomes)
    total, done = len(view.items), sum(n for outcome, n in counts.items() if outcome is not None)
    if not total:
        return Content(f" {state.value}")
    parts = [f" {done} of {total}", *_time(view, state, elapsed)]
    text = Content(" · ".join(parts)) + Content("").join(
        Content.styled(f"  {SIGNS[outcome]} {counts[outcome]} {outcome.value}", colour)
        for outcome, colour in _COLOURS.items()
        if counts[outcome]
    )
    meaning = f"  {_MEANINGS.get(view.exit_code, '')}" if view.finished and state is not State.RUNNING else ""
    if text.cell_length + len(meaning) <= width:
        text += Content.styled(meaning, "$faint")
    length = min(24, width - text.cell_length - 2)
    return (_bar(done, total, length) + text) if length >= 6 else text


def _bar(done: int, total: int, length: int) -> Content:
    filled = length * done // total
    return Content.assemble(" ", ("━" * filled, "$primary"), ("─" * (length - filled), "$faint"))


def _time(view: RunView, state: State, elapsed: float) -> list[str]:
    if state is State.RUNNING:
        return [duration(elapsed)]
    if view.finished is None:
        return ["cut off"] if state is State.PAST else []
    return [duration(view.finished.seconds), f"exit {view.exit_code}"]


def _planned(view: RunView, state: State) -> Content:
    """How many plans there are, and how many of them cannot succeed."""
    plans = [item.plan for item in view.items.values() if item.plan is not None]
    if state is State.PLANNING:
        return Content(f" planning: {len(plans)} of {len(view.items)}, nothing is sent")
    told = Content(" planned, and nothing has been sent: g begins")
    barred = sum(bool(plan.obstacles) for plan in plans)
    return told + Content.styled(f"  ✗ {barred} cannot succeed", "$error bold") if barred else told


def _closing(view: RunView) -> str:
    tests = view.start is not None and view.start.kind == ALERT_TEST
    doing = "stopping the faults and cleaning up" if tests else "stopping what runs"
    if view.open_effects:
        undo = "; ".join(effect.undo for effect in view.open_effects.values())
        doing = f"{doing if tests else 'taking back what was changed'} ({undo})"
    return f"closing (Ctrl-C leaves at once): {doing}"
