"""The result of an item as rows: outcome, findings, diagnosis, what was seen, and who signed."""

from collections.abc import Iterator

from opsconsole.model import SIGNS, Diagnosed, Finding, Outcome, SignedOff
from opsconsole.reports.wording import causes
from opsconsole.runview import ItemView
from opsconsole.tui.text import duration, fold, labelled, style_of
from opsconsole.tui.widgets.rows import Row
from opsconsole.tui.widgets.ticking import clock, spinner
from opsconsole.tui.widgets.writing import heading, lines


def result_rows(item: ItemView, *, width: int, now: float, over: bool, page: str) -> list[Row]:
    """All that is known of the item, in lines of `width` cells. `over`: nothing runs any more; `page`:
    the key that shows its runbook page, empty where it has none."""
    rows = [*_head(item, width, now, over=over)]
    rows += _sign_off(item, width)
    rows += _findings(item.findings, width)
    rows += _diagnosis(item, width)
    if page and item.outcome in (Outcome.FAIL, Outcome.UNKNOWN, Outcome.BROKEN, Outcome.SIGN_OFF):
        rows += [*heading("What to do"), *lines(f"press {page} for the runbook page", width, "link")]
    if item.seen:
        rows += heading("Seen")
        for seen in item.seen:
            subject = f"{seen.subject}: " if seen.subject else ""
            rows += lines(f"{subject}{seen.text}", width, mark=("✓ ", "pass"))
    return rows


def _head(item: ItemView, width: int, now: float, *, over: bool) -> Iterator[Row]:
    yield from lines(item.summary.title, width, "strong")
    if item.outcome is not None:
        style = style_of(item.outcome)
        yield Row(((labelled(item.outcome), style),), (duration(item.seconds), "faint"))
        yield from lines(item.text, width)
    elif item.running and over:
        yield Row((("· cut off", "unknown"),))
        yield from lines("no outcome was recorded", width)
        if item.waiting:
            yield from lines(f"it was waiting for {item.waiting}", width)
    elif item.running:
        yield Row(((f"{spinner(now)} running", "running"),), (clock(item, now), "running"))
        if item.waiting:
            yield from lines(f"waiting for {item.waiting}", width)
    else:
        yield Row((("· not run" if over else "· not run yet", "faint"),))


def _sign_off(item: ItemView, width: int) -> Iterator[Row]:
    if item.sign_off is not None:
        yield from heading("Sign-off")
        yield from _signature(item.sign_off, width)
    elif item.outcome is Outcome.SIGN_OFF:
        yield from heading("Your judgement")
        yield from lines(item.question or "Is this right?", width, "strong")
        yield from lines("press s to sign off", width, "link")


def _signature(signed: SignedOff, width: int) -> Iterator[Row]:
    outcome = Outcome.PASS if signed.passed else Outcome.FAIL
    by = signed.who if signed.by_person else f"{signed.who}; no person did"
    yield from lines(f"{outcome.value} by {by}", width, mark=(f"{SIGNS[outcome]} ", style_of(outcome)))
    yield from lines(signed.note, width - 2, indent="  ")


def _findings(findings: list[Finding], width: int) -> Iterator[Row]:
    if findings:
        yield from heading(f"Findings ({len(findings)})" if len(findings) > 1 else "Finding")
    for finding in findings:
        subject = f"{finding.subject}: " if finding.subject else ""
        yield from lines(f"{subject}{finding.summary}", width, mark=("✗ ", "fail"))
        for line in finding.detail.splitlines():
            yield from (Row((("    ", ""), (part, _diff_style(line)))) for part in fold(line, width - 4))
        if finding.remedy:
            yield from lines(finding.remedy, width, mark=("  → ", "link"))


def _diagnosis(item: ItemView, width: int) -> Iterator[Row]:
    if not item.diagnosis:
        return
    yield from heading("Diagnosis")
    yield from lines(causes(item), width, "strong")
    for step in item.diagnosis:
        yield from _step(step, width)


def _step(step: Diagnosed, width: int) -> Iterator[Row]:
    style = style_of(step.outcome)
    yield from lines(f"{step.title}: {step.summary}", width, mark=(f"{labelled(step.outcome)} ", style))


def _diff_style(line: str) -> str:
    return {"+": "added", "-": "removed"}.get(line[:1], "faint")
