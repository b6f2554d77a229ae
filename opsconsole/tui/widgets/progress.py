"""The line below: how far the run is, what came of it, and how long it took."""

from collections import Counter

from textual.content import Content
from textual.widgets import Static

from opsconsole.model import SIGNS, Outcome
from opsconsole.runview import RunView
from opsconsole.tui.messages import State
from opsconsole.tui.text import duration

_COLOURS = {
    Outcome.PASS: "$success",
    Outcome.FAIL: "$error bold",
    Outcome.SKIP: "$faint",
    Outcome.UNKNOWN: "$warning",
    Outcome.SIGN_OFF: "$accent",
    Outcome.BROKEN: "$error bold",
}
_MEANINGS = {
    0: "all passed, exit 0",
    1: "something failed, exit 1",
    3: "not all is known, exit 3",
}


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
    """For instance: ━━━━━━──── 6 of 10  ✓ 4 PASS  ✗ 1 FAIL  ? 1 UNKNOWN  12 s."""
    if state is State.CLOSING:
        return Content.styled(f" {_closing(view)}", "$warning bold")
    counts = Counter(view.outcomes)
    total, done = len(view.items), sum(n for outcome, n in counts.items() if outcome is not None)
    outcomes = [
        Content.styled(f"  {SIGNS[outcome]} {counts[outcome]} {outcome.value}", _COLOURS[outcome])
        for outcome in Outcome
        if counts[outcome]
    ]
    words = Content(f" {done} of {total}") if total else Content(" " + state.value)
    end = Content("  " + _time(view, state, elapsed))
    text = words + Content("").join(outcomes) + end
    length = min(24, width - text.cell_length - 2)
    return (_bar(done, total, length) + text) if length >= 6 and total else text


def _bar(done: int, total: int, length: int) -> Content:
    filled = length * done // total
    return Content.assemble(" ", ("━" * filled, "$primary"), ("─" * (length - filled), "$faint"))


def _time(view: RunView, state: State, elapsed: float) -> str:
    if state is State.RUNNING:
        return duration(elapsed)
    if view.finished is None:
        return "cut off" if state is State.PAST else ""
    return f"{duration(view.finished.seconds)}  {_MEANINGS.get(view.exit_code, '')}"


def _closing(view: RunView) -> str:
    if view.open_effects:
        undo = "; ".join(effect.undo for effect in view.open_effects.values())
        return f"closing: taking back what was changed ({undo})"
    return "closing: stopping what runs"
