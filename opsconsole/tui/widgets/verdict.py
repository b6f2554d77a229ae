"""All about one verdict, as rows: why, what to write instead, the incident that fires it, the expression."""

from collections.abc import Iterator
from itertools import chain

from opsconsole.redaction import redact
from opsconsole.rehearse.model import Reason, Verdict, Warned, Witness, Word
from opsconsole.reports.rehearsal.wording import guessed, marked, name, place, said, sentence
from opsconsole.reports.trace import lasting
from opsconsole.reports.wording import one_line
from opsconsole.tui.widgets.expression import Parts, excerpt, marked_rows, plain_rows
from opsconsole.tui.widgets.rows import Row, RowList, Span
from opsconsole.tui.widgets.verdicts import labelled
from opsconsole.tui.widgets.writing import heading, lines

Part = Reason | Warned


def detail_rows(verdict: Verdict, width: int) -> list[Row]:
    """The verdict in lines of `width` cells."""
    parts: tuple[Part, ...] = (*verdict.reasons, *verdict.warnings)
    first = next(((part, found) for part in parts if (found := _found(verdict, part))), None)
    shown, found = first or (None, None)
    rows = [*_head(verdict, width), *_because(verdict, shown, width), *heading("Expression")]
    if shown and found:
        rows += marked_rows(found, width, _style(shown), verdict.expr)
    else:
        rows += plain_rows(redact(verdict.expr), width)
    if guess := guessed(verdict):
        rows += [*heading("It rests on a guess"), *lines(guess, width, mark=("~ ", "unknown"))]
    if verdict.warnings:
        rows += heading("Warnings")
        rows += chain.from_iterable(_warning(verdict, warned, shown, width) for warned in verdict.warnings)
    return rows


def _because(verdict: Verdict, shown: Part | None, width: int) -> Iterator[Row]:
    """What the verdict rests on; first of all, as the expression may be long."""
    if verdict.reasons:
        yield from heading("Why")
        for reason in verdict.reasons:
            yield from _reason(verdict, reason, shown, width)
    if verdict.witness:
        yield from (*heading("It fires when"), *_witness(verdict.witness, width))
    elif not verdict.reasons and (told := said(verdict)):
        title = "What was tried" if verdict.word is Word.UNDECIDED else "How it is"
        yield from (*heading(title), *_told(told, width))


def _found(verdict: Verdict, part: Part) -> Parts | None:
    """Where the part is to blame; None where it is nowhere, or where the expression holds a secret."""
    return marked(verdict, part) if redact(verdict.expr) == verdict.expr else None


def _style(part: Part) -> str:
    return "guilty" if isinstance(part, Reason) else "unknown"


def _head(verdict: Verdict, width: int) -> Iterator[Row]:
    label, style = labelled(verdict.word)
    yield Row(((f"{label.rstrip()}  ", style), (name(verdict), "strong")))
    rule = verdict.rule
    about = [place(verdict), f"group {one_line(verdict.group)}" if verdict.group else ""]
    if rule and rule.for_seconds and verdict.kind == "alert":
        about.append(f"for {lasting(rule.for_seconds)}")
    if told := " · ".join(part for part in about if part):
        yield from lines(told, width, "faint")


def _told(text: str, width: int, mark: Span = ("  ", "")) -> list[Row]:
    return lines(redact(text), width, mark=mark)


def _reason(verdict: Verdict, reason: Reason, shown: Part | None, width: int) -> Iterator[Row]:
    yield from _told(sentence(reason.summary), width, ("✗ ", "fail"))
    yield from _place_and_correction(verdict, reason, shown, width)


def _warning(verdict: Verdict, warned: Warned, shown: Part | None, width: int) -> Iterator[Row]:
    yield from _told(f"{warned.kind}: {sentence(warned.summary)}", width, ("! ", "unknown"))
    yield from _place_and_correction(verdict, warned, shown, width)


def _place_and_correction(verdict: Verdict, part: Part, shown: Part | None, width: int) -> Iterator[Row]:
    if part is not shown and (found := _found(verdict, part)):
        yield from marked_rows(excerpt(found), width, _style(part))
    if part.correction:
        yield from _told(sentence(part.correction), width, ("  instead: ", "link"))


def _witness(witness: Witness, width: int) -> Iterator[Row]:
    yield from _told(one_line(witness.incident.story), width)
    for brought in witness.incident.brought:
        yield from lines(redact(one_line(brought)), width, mark=("  not seen yet: ", "link"))
    moments = (
        ("pending", witness.fired.pending_at),
        ("firing", witness.fired.firing_at),
        ("resolved", witness.fired.resolved_at),
    )
    told = ", ".join(f"{what} at {lasting(at)}" for what, at in moments if at is not None)
    said = f"promtool {witness.promtool_version} saw it: {told}" if told else ""
    yield from lines(said, width, "faint", indent="  ")
    yield from lines("t shows the unit test that proves it", width, "faint", indent="  ")


def unit_test_rows(verdict: Verdict, folder: str, width: int) -> list[Row]:
    """How to keep the unit test that proves it, its rules, and that test, in lines of `width`. `folder` is
    where tests are written, empty: nowhere."""
    witness = verdict.witness
    if witness is None:
        return []
    texts = (("rules.yml", witness.rules_file), ("the unit test: promtool test rules FILE", witness.test))
    kept = f"written to {folder} at the end" if folder else "to keep it, call with --write-tests DIR"
    rows = lines(one_line(kept), width, "link")
    for title, text in texts:
        rows += heading(f"# {title}")
        for line in redact(text).splitlines():
            indent = " " * (len(line) - len(line.lstrip()))
            rows += lines(line.lstrip(), width, indent=indent) or [Row()]
    return rows


class VerdictRows(RowList):
    """The rows of one verdict; made anew only where it is another, or has another width."""

    _shown: tuple[Verdict, int] | None = None

    def show(self, verdict: Verdict | None) -> None:
        width = self.scrollable_content_region.width - 3
        if verdict is None or width <= 0:
            self.set_rows([])
            self._shown = None
            return
        if self._shown is None or self._shown[0] is not verdict or self._shown[1] != width:
            if self._shown is None or self._shown[0] is not verdict:
                self.scroll_home(animate=False)
            self._shown = verdict, width
            self.set_rows(detail_rows(verdict, width))
