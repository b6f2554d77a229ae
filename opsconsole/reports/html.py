"""A run as one HTML page: nothing is loaded from elsewhere, nothing in it runs."""

from collections.abc import Iterator
from html import escape
from importlib.resources import files

from opsconsole.model import SIGNS, Exchange, Finding, Outcome
from opsconsole.reports import chart, practice, trace
from opsconsole.reports.curl import curl_line
from opsconsole.reports.wording import (
    UNFINISHED,
    about,
    causes,
    clean,
    duration,
    excerpt,
    exchange_line,
    how_to_sign,
    left_behind,
    moment,
    one_line,
    servers,
    signature,
    verdict,
)
from opsconsole.runview import ItemView, RunView

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def document(view: RunView, *, head: str = "") -> str:
    """The run as a page; `head` is the hash of its last entry."""
    start = view.start
    title = _text(f"{start.checklist}, {start.environment}, {start.run}" if start else "No run")
    style = files("opsconsole.reports").joinpath("html.css").read_text(encoding="utf-8")
    body = [*_top(view, head), *(line for item in view.items.values() for line in _item(item, view))]
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            f"<title>{title}</title>",
            f"<style>\n{style}</style>",
            "</head>",
            "<body>",
            "<main>",
            *body,
            "</main>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _top(view: RunView, head: str) -> Iterator[str]:
    start = view.start
    yield f"<h1>{_text(start.checklist if start else 'No run')}</h1>"
    yield f'<p class="verdict">{_text(verdict(view))}</p>'
    if start is None:
        return
    if start.protected:
        effects = "effects were allowed" if start.effects else "nothing was changed"
        yield f'<p class="protected">Protected environment {_text(start.environment)}: {effects}</p>'
    for line in left_behind(view):
        yield f'<p class="protected">{_text(line)}</p>'
    facts = {
        "Environment": start.environment,
        "Run": start.run,
        "Began": moment(view.started_at),
        "By": f"{start.who} on {start.host}",
        "Servers": servers(view),
        "Versions": ", ".join(f"{name} {version}" for name, version in sorted(start.versions.items())),
        "Checklist": f"SHA-256 {start.checklist_hash}",
        "Records": head,
    }
    yield "<dl>"
    for name, value in facts.items():
        if value:
            yield f"<dt>{name}</dt><dd>{_text(value)}</dd>"
    yield "</dl>"


def _item(item: ItemView, view: RunView) -> Iterator[str]:
    id = _text(item.summary.id)
    word = str(item.outcome or "not finished")
    sign = SIGNS[item.outcome] if item.outcome else "·"
    yield f'<article id="{id}" aria-labelledby="{id}-title">'
    yield "<header>"
    yield f'<span class="outcome {item.outcome or ""}"><span aria-hidden="true">{sign}</span> {word}</span>'
    yield f'<h2 id="{id}-title">{_text(item.summary.title)} <span class="quiet">{id}</span></h2>'
    yield f'<span class="quiet">{duration(item.seconds)}</span></header>'
    yield f"<p>{_text(item.text or UNFINISHED)}</p>"
    if signed := signature(item):
        yield f"<p>{_text(signed)}</p>"
    yield from _alert_test(item)
    if lines := [*_findings(item), *_causes(item), *_next(item, view.start.run if view.start else "")]:
        yield "<ul>"
        yield from lines
        yield "</ul>"
    if steps := practice.steps(view, item):
        yield f"<ol>{''.join(f'<li>{_text(step)}</li>' for step in steps)}</ol>"
    else:
        yield from _evidence(item)
    yield "</article>"


def _alert_test(item: ItemView) -> Iterator[str]:
    """The plan, the trace and the value of an alert that was tested; nothing of any other item."""
    if item.plan and (rows := trace.plan_rows(item.plan)):
        yield "<details><summary>Plan</summary><dl>"
        yield from (f"<dt>{label}</dt><dd>{_text(said)}</dd>" for label, said in rows)
        yield "</dl></details>"
    if item.hops or item.missed:
        heads = ("Hop", "When", "After the cause", "Evidence")
        yield f"<table><tr>{''.join(f'<th>{head}</th>' for head in heads)}</tr>"
        yield from (_station(row) for row in trace.stations(item))
        yield "</table>"
    if item.missed and (looked := list(trace.below_missed(item.missed))):
        yield f"<ul>{''.join(f'<li>{_text(line)}</li>' for line in looked)}</ul>"
    if held := trace.readings(item):
        yield f"<figure>{chart.svg(item)}<figcaption>{_text(held)}</figcaption></figure>"


def _station(row: trace.Station) -> str:
    when = moment(row.at) if row.at is not None else ""
    since = trace.after(row.after_cause_seconds) if row.after_cause_seconds is not None else ""
    style = ' class="missed"' if row.missed else ""
    return f"<tr{style}><th>{row.hop}</th><td>{when}</td><td>{since}</td><td>{_text(row.said)}</td></tr>"


def _findings(item: ItemView) -> Iterator[str]:
    for finding in item.findings:
        yield f"<li>{_text(about(finding))}{_detail(finding)}</li>"


def _detail(finding: Finding) -> str:
    detail = f"<pre>{_lines(finding.detail)}</pre>" if finding.detail else ""
    return detail + (f"<p>To do: {_text(finding.remedy)}</p>" if finding.remedy else "")


def _causes(item: ItemView) -> Iterator[str]:
    if chain := causes(item):
        yield f"<li>Cause: {_text(chain)}</li>"
    for step in item.diagnosis:
        yield f"<li>Looked at <code>{_text(step.check)}</code>: {step.outcome}, {_text(step.summary)}</li>"


def _next(item: ItemView, run: str) -> Iterator[str]:
    if item.outcome is Outcome.SIGN_OFF:
        yield f"<li>Question: {_text(item.question)}</li>"
        command = _text(how_to_sign(run, item.summary.id))
        yield f"<li>To sign, with --pass or --fail: <code>{command}</code></li>"
    elif item.outcome not in (Outcome.PASS, Outcome.SKIP) and item.summary.checks:
        pages = ", ".join(f"<code>{_text(check)}</code>" for check in item.summary.checks)
        yield f"<li>Runbook: {pages}</li>"


def _evidence(item: ItemView) -> Iterator[str]:
    if not item.seen and not item.exchanges:
        return
    yield f"<details><summary>Evidence: {len(item.seen)} seen, {len(item.exchanges)} requests</summary>"
    if item.seen:
        said = (f"{seen.subject}: {seen.text}" if seen.subject else seen.text for seen in item.seen)
        yield f"<ul>{''.join(f'<li>{_text(text)}</li>' for text in said)}</ul>"
    for exchange in item.exchanges:
        yield from _exchange(exchange)
    yield "</details>"


def _exchange(exchange: Exchange) -> Iterator[str]:
    yield f"<details><summary>{_text(exchange_line(exchange))}</summary>"
    if not exchange.repeats:
        yield f"<pre>{_lines(curl_line(exchange))}</pre>"
        if exchange.response_body:
            yield f"<pre>{_lines(excerpt(exchange))}</pre>"
    yield "</details>"


def _text(text: str) -> str:
    return escape(one_line(text))


def _lines(text: str) -> str:
    return escape(clean(text))
