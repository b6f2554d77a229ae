"""What all reports say in the same words, and the door that keeps control characters out of them."""

import re
import time
from collections import Counter

from opsconsole.model import SIGNS, Diagnosed, Exchange, Finding, Outcome
from opsconsole.runview import ItemView, RunView

EXIT_MEANINGS = {
    0: "all passed or were skipped for a reason",
    1: "something failed",
    3: "nothing failed, but something is unknown, broken or unsigned",
}

UNFINISHED = "not finished: cut off, or still going on"

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
"""C0 and C1 without tab and line feed, DEL, and Unicode's marks that turn the direction of text around:
what a terminal would obey instead of showing it."""

_EXCERPT_CHARACTERS = 2000


def clean(text: str) -> str:
    """`text` with every control character made visible, as in `\\x1b[31m`; lines and tabs stay."""
    return CONTROL.sub(_visible, text.replace("\r\n", "\n"))


def one_line(text: str) -> str:
    """`clean`, and on one line."""
    return " ".join(clean(text).split())


def _visible(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def duration(seconds: float) -> str:
    """`0.42 s`, `12.3 s`, `125 s`: three digits."""
    return f"{seconds:.{2 if seconds < 10 else 1 if seconds < 100 else 0}f} s"


def moment(at: float) -> str:
    """Unix seconds as `2026-11-22 17:16:05 UTC`."""
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(at))


def counts(view: RunView) -> str:
    """`8 PASS, 1 FAIL, 1 not finished`, in the order of `Outcome`."""
    counted = Counter(view.outcomes)
    named = [f"{counted[outcome]} {outcome}" for outcome in SIGNS if counted[outcome]]
    return ", ".join(named + ([f"{counted[None]} not finished"] if counted[None] else [])) or "no items"


def verdict(view: RunView) -> str:
    """The last line of a report: counts, time taken, what it comes to."""
    if view.finished is None:
        return f"{counts(view)}: {UNFINISHED}"
    took, code = duration(view.finished.seconds), view.exit_code
    return f"{counts(view)} in {took}: {EXIT_MEANINGS[code]} (exit {code})"


def afterwards(view: RunView, options: str = "") -> str:
    """One line for whoever has left a run: what came of it, and the command that shows it again or goes on
    with it; `options` are those that such a command needs too. Only a verification can go on: what an alert
    test has begun cannot be half done."""
    if view.start is None:
        return "no run was begun"
    run, environment = view.start.run, one_line(view.start.environment)
    if not any(view.unfinished()):
        return f"run {run}: {counts(view)} (exit {view.exit_code}); opsconsole runs show {run}{options}"
    if view.start.kind == "verify":
        return f"run {run}: {counts(view)}; opsconsole verify --env {environment} --resume {run}{options}"
    return f"run {run}: {counts(view)}; opsconsole runs show {run}{options}"


def left_behind(view: RunView) -> list[str]:
    """A line for each effect that was not seen to end."""
    effects = view.open_effects.values()
    return [one_line(f"STILL IN EFFECT: {effect.what}; to take it back: {effect.undo}") for effect in effects]


def about(finding: Finding) -> str:
    """The finding's subject and summary in one line."""
    return one_line(f"{finding.subject}: {finding.summary}" if finding.subject else finding.summary)


def causes(item: ItemView) -> str:
    """The chain from symptom to cause, `no data <- target down <- connection refused`; empty where no
    diagnosis step found anything."""
    steps = [step.summary for step in item.diagnosis if not _harmless(step)]
    return " <- ".join(map(one_line, dict.fromkeys([item.text, *steps]))) if steps else ""


def _harmless(step: Diagnosed) -> bool:
    return step.outcome in (Outcome.PASS, Outcome.SKIP)


def signature(item: ItemView) -> str:
    """Who signed the item, and with what words; empty where nobody did."""
    if (sign := item.sign_off) is None:
        return ""
    person = "" if sign.by_person else ", not by a person"
    return one_line(
        f"signed {'as passed' if sign.passed else 'as failed'} by {sign.who}{person}: {sign.note}"
    )


def how_to_sign(run: str, item: str) -> str:
    """The command with which a person gives the judgement that an item waits for."""
    return f'opsconsole sign-off {run} {item} --pass --note "…"'


def servers(view: RunView) -> str:
    """`alertmanager 0.28.1, prometheus 2.53.3`: each server that named its version."""
    return one_line(", ".join(f"{name} {seen.version}" for name, seen in sorted(view.versions.items())))


def exchange_line(exchange: Exchange) -> str:
    """One request and what came of it, in one line."""
    if exchange.repeats:
        came = f"the answer of {exchange.repeats} again"
    elif exchange.error:
        came = exchange.error
    else:
        came = f"{exchange.status}, {exchange.response_bytes} bytes, {duration(exchange.seconds)}"
    return one_line(f"{exchange.id} {exchange.server}: {exchange.method} {exchange.url} -> {came}")


def excerpt(exchange: Exchange) -> str:
    """The beginning of the answer's body, cleaned."""
    body = clean(exchange.response_body)
    if len(body) <= _EXCERPT_CHARACTERS:
        return body
    return (
        f"{body[:_EXCERPT_CHARACTERS]}… ({exchange.response_bytes} bytes, SHA-256 {exchange.response_sha256})"
    )
