"""A run as Markdown, to be put into an issue or a wiki."""

import re
from collections.abc import Iterator

from opsconsole.model import SIGNS, Finding, Outcome
from opsconsole.reports import practice, trace
from opsconsole.reports.wording import (
    UNFINISHED,
    about,
    causes,
    clean,
    duration,
    how_to_sign,
    left_behind,
    moment,
    one_line,
    servers,
    signature,
    verdict,
)
from opsconsole.runview import ItemView, RunView

_SPECIAL = re.compile(r"[\\`*\[\]<>|&~#]|(?<!\w)_|_(?!\w)")


def document(view: RunView, *, head: str = "") -> str:
    """The run as Markdown; `head` is the hash of its last entry."""
    run = view.start.run if view.start else ""
    parts = [_title(view, head), _table(view)]
    for item in view.items.values():
        steps = practice.steps(view, item)
        if (
            item.plan
            or steps
            or item.hops
            or item.findings
            or item.diagnosis
            or item.outcome not in (Outcome.PASS, Outcome.SKIP)
        ):
            parts.append("\n".join([*_section(item, run), *(f"- {escape(step)}" for step in steps)]))
    return "\n\n".join(parts) + "\n"


def _title(view: RunView, head: str) -> str:
    start = view.start
    if start is None:
        return f"# No run\n\n{escape(verdict(view))}"
    protected = " (protected)" if start.protected else ""
    lines = [
        f"- Environment: **{escape(start.environment)}**{protected}",
        f"- Run: `{start.run}`, {moment(view.started_at)}, by {escape(start.who)} on {escape(start.host)}",
    ]
    if known := servers(view):
        lines.append(f"- Servers: {escape(known)}")
    if head:
        lines.append(f"- Records: `{head}`")
    lines += [f"- **{escape(line)}**" for line in left_behind(view)]
    return f"# {escape(start.checklist)}\n\n**{escape(verdict(view))}**\n\n" + "\n".join(lines)


def _table(view: RunView) -> str:
    rows = ["| | outcome | item | seconds | |", "|---|---|---|---:|---|"]
    for item in view.items.values():
        sign = SIGNS[item.outcome] if item.outcome else ""
        said = "; ".join(filter(None, [item.text if item.outcome else UNFINISHED, signature(item)]))
        name = f"{escape(item.summary.title)} (`{item.summary.id}`)"
        word = item.outcome or "not finished"
        rows.append(f"| {sign} | {word} | {name} | {item.seconds:.2f} | {escape(said)} |")
    return "\n".join(rows)


def _section(item: ItemView, run: str) -> Iterator[str]:
    yield f"## {item.outcome or 'Not finished'}: {escape(item.summary.title)}\n"
    yield f"{escape(item.text or UNFINISHED)} ({duration(item.seconds)})\n"
    if item.plan:
        rows = trace.plan_rows(item.plan)
        yield "\n".join(["Plan:\n", *(f"- {label}: {escape(said)}" for label, said in rows), ""])
    if item.hops or item.missed:
        yield "\n".join([*_trace(item), ""])
    if held := trace.readings(item):
        yield f"- Value: {escape(held)}"
    for finding in item.findings:
        yield from _finding(finding)
    if chain := causes(item):
        yield f"- Cause: {escape(chain)}"
    for step in item.diagnosis:
        yield f"- Looked at `{step.check}`: {step.outcome}, {escape(step.summary)}"
    if item.outcome is Outcome.SIGN_OFF:
        yield f"- Question: {escape(item.question)}"
        yield f"- To sign, with `--pass` or `--fail`: `{how_to_sign(run, item.summary.id)}`"
    elif item.outcome is not Outcome.PASS and item.summary.checks:
        yield f"- Runbook: {', '.join(f'`{check}`' for check in item.summary.checks)}"


def _trace(item: ItemView) -> Iterator[str]:
    yield "| Hop | When | After the cause | Evidence |\n|---|---|---:|---|"
    for row in trace.stations(item):
        when = moment(row.at) if row.at is not None else ""
        since = trace.after(row.after_cause_seconds) if row.after_cause_seconds is not None else ""
        yield f"| {row.hop} | {when} | {since} | {escape(row.said)} |"
    if item.missed:
        yield "\n" + "\n".join(f"- {escape(line)}" for line in trace.below_missed(item.missed))


def _finding(finding: Finding) -> Iterator[str]:
    yield f"- {escape(about(finding))}"
    if finding.detail:
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", finding.detail)), default=0))
        yield "\n".join(f"  {line}" for line in (fence, *clean(finding.detail).split("\n"), fence))
    if finding.remedy:
        yield f"  - To do: {escape(finding.remedy)}"


def escape(text: str) -> str:
    """`text` on one line, with nothing in it that Markdown or HTML would obey."""
    return _SPECIAL.sub(lambda found: f"\\{found.group()}", one_line(text))
