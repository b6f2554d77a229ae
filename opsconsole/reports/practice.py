"""A practice in the records: what a person did to find what the lab was broken with."""

from collections.abc import Iterator

from opsconsole.reports.wording import one_line
from opsconsole.runview import ItemView, RunView

KIND = "practise"
SEED, LOOK, HINT, ANSWER, FAULT, TOLD = "seed", "look", "hint", "answer", "fault", "told at"
"""What is seen in a practice, by its subject: what it began with, each step of the person's, how it was."""


def steps(view: RunView, item: ItemView) -> list[str]:
    """A line for each step, in their order; nothing of a run of any other kind."""
    if view.start is None or view.start.kind != KIND:
        return []
    return [one_line(f"{seen.subject}: {seen.text}") for seen in item.seen]


def compared(before: ItemView, after: ItemView) -> Iterator[tuple[str, str, str]]:
    """What is different between two practices beside their outcomes: what, and both values."""
    for subject in (SEED, FAULT):
        old, new = (next(_of(item, subject), "") for item in (before, after))
        if old != new:
            yield subject, old, new
    for subject in (LOOK, HINT, ANSWER):
        was, now = (len(list(_of(item, subject))) for item in (before, after))
        if was != now:
            yield f"{subject}s", str(was), str(now)


def _of(item: ItemView, subject: str) -> Iterator[str]:
    return (one_line(seen.text) for seen in item.seen if seen.subject == subject)
