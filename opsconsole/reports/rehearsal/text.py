"""A verdict with its details, for people: the expression with the guilty part underlined, the incident that
fires it, what to write instead."""

from collections.abc import Iterator

from opsconsole.rehearse.model import Reason, Verdict, Warned, Witness
from opsconsole.reports.rehearsal.wording import guessed, marked, name, place, said, sentence
from opsconsole.reports.trace import lasting
from opsconsole.reports.wording import one_line


def details(verdict: Verdict) -> str:
    """Some lines on one verdict, the first with its word and name."""
    return "\n".join(_lines(verdict))


def _lines(verdict: Verdict) -> Iterator[str]:
    yield f"{verdict.word} {name(verdict)}"
    if where := place(verdict):
        yield f"at {where}"
    for reason in verdict.reasons:
        yield from _part(verdict, reason, sentence(reason.summary))
    if guess := guessed(verdict):
        yield f"guess: {guess}"
    if verdict.witness:
        yield from _witness(verdict.witness)
    elif not verdict.reasons and (tried := said(verdict)):
        yield tried
    for warned in verdict.warnings:
        yield from _part(verdict, warned, f"warning: {warned.kind}: {sentence(warned.summary)}")


def _part(verdict: Verdict, part: Reason | Warned, told: str) -> Iterator[str]:
    yield told
    if found := marked(verdict, part):
        before, guilty, after = found
        yield f"    {before}{guilty}{after}"
        yield f"    {' ' * len(before)}{'^' * len(guilty)}"
    if part.correction:
        yield f"    instead: {sentence(part.correction)}"


def _witness(witness: Witness) -> Iterator[str]:
    yield sentence(witness.incident.story)
    if witness.incident.brought:
        yield f"not seen yet: {one_line('; '.join(witness.incident.brought))}"
    moments = (
        ("pending", witness.fired.pending_at),
        ("firing", witness.fired.firing_at),
        ("resolved", witness.fired.resolved_at),
    )
    if told := ", ".join(f"{what} at {lasting(at)}" for what, at in moments if at is not None):
        yield f"promtool {witness.promtool_version}: {told}"
