"""The line below: how far the rehearsal is, and what came of it."""

from collections import Counter
from collections.abc import Collection

from textual.content import Content
from textual.widgets import Static

from opsconsole.rehearse.model import Verdict, Word
from opsconsole.tui.text import duration
from opsconsole.tui.widgets.verdicts import BY_WEIGHT, sign

_COLOURS = {
    "pass": "$success",
    "fail": "$error bold",
    "broken": "$error bold",
    "unknown": "$warning",
    "skip": "$faint",
}


class RehearsalProgress(Static):
    """Told how the rehearsal stands, it says it in one line."""

    _shown: Content | None = None

    def tell(self, line: Content) -> None:
        if line != self._shown:
            self._shown = line
            self.update(line)


def progress_line(
    verdicts: Collection[Verdict], total: int, *, seconds: float, ended: str, told: str, width: int
) -> Content:
    """For instance: ━━━━━━──── 12 of 40 · 3.2 s  ✗ 1 dead  ✓ 11 alive. `ended` is what it came to, empty
    while it goes on; `told` what it does now."""
    done = len(verdicts)
    much = f" {done} of {max(total, done)}" if total and not ended else f" {done}" if ended else " starting"
    text = Content(" · ".join([much, duration(seconds), *([ended] if ended else [])]))
    for word, count in _counted(verdicts):
        mark, style = sign(word)
        text += Content.styled(f"  {mark} {count} {word}", _COLOURS[style])
    if told and text.cell_length + len(told) + 2 <= width:
        text += Content.styled(f"  {told}", "$faint")
    length = min(24, width - text.cell_length - 2)
    if ended or length < 6 or not total:
        return text
    filled = length * done // max(total, done)
    return Content.assemble(" ", ("━" * filled, "$primary"), ("─" * (length - filled), "$faint")) + text


def _counted(verdicts: Collection[Verdict]) -> list[tuple[Word, int]]:
    counts = Counter(verdict.word for verdict in verdicts)
    return [(word, counts[word]) for word in BY_WEIGHT if counts[word]]
