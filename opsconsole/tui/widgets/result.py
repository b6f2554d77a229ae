"""The result of an item as rows: outcome, findings, diagnosis, what was seen, and who signed."""

from collections.abc import Iterator

from opsconsole.model import SIGNS, Diagnosed, Finding, Outcome, SignedOff
from opsconsole.reports.wording import causes
from opsconsole.runview import ItemView
from opsconsole.tui.text import duration, fold, labelled, style_of, wrap
from opsconsole.tui.widgets.checklist import clock, spinner
from opsconsole.tui.widgets.rows import Row, Span


def result_rows(item: ItemView, *, width: int, now: float, over: bool, page: bool) -> list[Row]:
    """All that is known of the item, in lines of `width` cells. `over`: nothing runs any more; `page`:
    there is a runbook page for it."""
    rows = [*_head(item, width, now, over=over)]
    rows += _sign_off(item, width)
    rows += _findings(item.findings, width)
    rows += _diagnosis(item, width)
    if page and item.outcome in (Outcome.FAIL, Outcome.UNKNOWN, Outcome.BROKEN, Outcome.SIGN_OFF):
        rows += [*_heading("What to do"), *_lines("press 3 for the runbook page", width, "link")]
    if item.seen:
        rows += _heading("Seen")
        for seen in item.seen:
            subject = f"{seen.subject}: " if seen.subject else ""
            rows += _lines(f"{subject}{seen.text}", width, mark=("✓ ", "pass"))
    return rows


def _head(item: ItemView, width: int, now: float, *, over: bool) -> Iterator[Row]:
    yield from _lines(item.summary.title, width, "strong")
    if item.outcome is not None:
        style = style_of(item.outcome)
        yield Row(((labelled(item.outcome), style),), (duration(item.seconds), "faint"))
        yield from _lines(item.text, width)
    elif item.running and over:
        yield Row((("· cut off", "unknown"),))
        yield from _lines("no outcome was recorded", width)
        if item.waiting:
            yield from _lines(f"it was waiting for {item.waiting}", width)
    elif item.running:
        yield Row(((f"{spinner(now)} running", "running"),), (clock(item, now), "running"))
        if item.waiting:
            yield from _lines(f"waiting for {item.waiting}", width)
    else:
        yield Row((("· not run" if over else "· not run yet", "faint"),))


def _sign_off(item: ItemView, width: int) -> Iterator[Row]:
    if item.sign_off is not None:
        yield from _heading("Sign-off")
        yield from _signature(item.sign_off, width)
    elif item.outcome is Outcome.SIGN_OFF:
        yield from _heading("Your judgement")
        yield from _lines(item.question or "Is this right?", width, "strong")
        yield from _lines("press s to sign off", width, "link")


def _signature(signed: SignedOff, width: int) -> Iterator[Row]:
    outcome = Outcome.PASS if signed.passed else Outcome.FAIL
    by = signed.who if signed.by_person else f"{signed.who}; no person did"
    yield from _lines(f"{outcome.value} by {by}", width, mark=(f"{SIGNS[outcome]} ", style_of(outcome)))
    yield from _lines(signed.note, width - 2, indent="  ")


def _findings(findings: list[Finding], width: int) -> Iterator[Row]:
    if findings:
        yield from _heading(f"Findings ({len(findings)})" if len(findings) > 1 else "Finding")
    for finding in findings:
        subject = f"{finding.subject}: " if finding.subject else ""
        yield from _lines(f"{subject}{finding.summary}", width, mark=("✗ ", "fail"))
        for line in finding.detail.splitlines():
            yield from (Row((("    ", ""), (part, _diff_style(line)))) for part in fold(line, width - 4))
        if finding.remedy:
            yield from _lines(finding.remedy, width, mark=("  → ", "link"))


def _diagnosis(item: ItemView, width: int) -> Iterator[Row]:
    if not item.diagnosis:
        return
    yield from _heading("Diagnosis")
    yield from _lines(causes(item), width, "strong")
    for step in item.diagnosis:
        yield from _step(step, width)


def _step(step: Diagnosed, width: int) -> Iterator[Row]:
    style = style_of(step.outcome)
    yield from _lines(f"{step.title}: {step.summary}", width, mark=(f"{labelled(step.outcome)} ", style))


def _heading(text: str) -> list[Row]:
    return [Row(), Row(((text, "heading"),))]


def _lines(text: str, width: int, style: str = "", *, mark: Span = ("", ""), indent: str = "") -> list[Row]:
    """`text` wrapped beside a mark, which stands on its first line alone."""
    margin = len(mark[0]) + len(indent)
    rows = []
    for number, line in enumerate(wrap(text, width - margin) if text else []):
        left = mark if number == 0 else (" " * len(mark[0]), "")
        rows.append(Row(((indent, ""), left, (line, style))))
    return rows


def _diff_style(line: str) -> str:
    return {"+": "added", "-": "removed"}.get(line[:1], "faint")
