"""What changed between two runs, as rows."""

from collections.abc import Iterator

from opsconsole.model import SIGNS, Finding, Outcome
from opsconsole.runview import ItemView, RunView
from opsconsole.tui.text import duration, moment, plain, style_of
from opsconsole.tui.widgets.rows import Row, Span


def comparison_rows(before: RunView, after: RunView) -> list[Row]:
    """The two runs, the servers whose version changed, the items that changed, and what did not."""
    return [*_runs(before, after), *_versions(before, after), *_items(before, after)]


def _runs(before: RunView, after: RunView) -> Iterator[Row]:
    for word, view in (("before", before), ("after", after)):
        start = view.start
        if start is not None:
            text = f"{moment(view.started_at)}  {plain(start.environment)}  {plain(start.who)}"
            yield Row(((f"{word:<8}", "faint"), (f"{start.run}  ", "strong"), (text, "")))
    if before.start and after.start and before.start.checklist_hash != after.start.checklist_hash:
        yield Row((("the checklist is not the same in both", "unknown"),))


def _versions(before: RunView, after: RunView) -> Iterator[Row]:
    changed = []
    for server in {**before.versions, **after.versions}:
        old, new = (
            view.versions[server].version if server in view.versions else "not seen"
            for view in (before, after)
        )
        if old != new:
            changed.append(Row(((f"  {plain(server)} ", "strong"), (f"{plain(old)} → {plain(new)}", ""))))
    if changed:
        yield from (Row(), Row((("Versions", "heading"),)), *changed)


def _items(before: RunView, after: RunView) -> Iterator[Row]:
    same: list[Row] = []
    yield from (Row(), Row((("What changed", "heading"),)))
    count = 0
    for id in {**before.items, **after.items}:
        old, new = before.items.get(id), after.items.get(id)
        rows = list(_item(old, new))
        if len(rows) > 1 or (old and old.outcome) != (new and new.outcome):
            count += 1
            yield from rows
        else:
            same += rows
    if not count:
        yield Row((("  nothing: every outcome and every finding is the same", "faint"),))
    if same:
        yield from (Row(), Row((("The same in both", "heading"),)), *same)


def _item(old: ItemView | None, new: ItemView | None) -> Iterator[Row]:
    item = new or old
    if item is None:
        return
    spans: list[Span] = [("  ", ""), *_outcome(old)]
    if (old and old.outcome) != (new and new.outcome):
        spans += [(" → ", "strong"), *_outcome(new)]
    seconds = " → ".join(duration(side.seconds) if side and side.outcome else "–" for side in (old, new))
    yield Row((*spans, (f"  {plain(item.summary.title)}", "")), (seconds, "faint"))
    was, now = (_findings(side) for side in (old, new))
    for line in was:
        if line not in now:
            yield Row(((f"      - {line}", "removed"),))
    for line in now:
        if line not in was:
            yield Row(((f"      + {line}", "added"),))


def _outcome(item: ItemView | None) -> list[Span]:
    if item is None:
        return [("not in it", "faint")]
    outcome: Outcome | None = item.outcome
    return [(f"{SIGNS[outcome]} {outcome.value}", style_of(outcome))] if outcome else [("not run", "faint")]


def _findings(item: ItemView | None) -> list[str]:
    def line(finding: Finding) -> str:
        return plain(f"{finding.subject}: {finding.summary}" if finding.subject else finding.summary)

    return [line(finding) for finding in item.findings] if item else []
