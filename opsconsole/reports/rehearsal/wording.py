"""What all forms of a rehearsal say in the same words."""

import re
from collections import Counter
from collections.abc import Iterator

from opsconsole.errors import OpsconsoleError
from opsconsole.promql import parse
from opsconsole.rehearse.model import BAD, Reason, Rehearsal, Verdict, Warned, Word, exit_code
from opsconsole.reports.wording import clean, duration, one_line

EXIT_MEANINGS = {
    0: "every alert can fire and every panel can show data",
    1: "something can never fire, can never show data, or fails",
    3: "not everything could be decided",
}
_STRING_OR_NOISE = re.compile(r'("(?:\\.|[^"\\])*")|(?<=[\w:])\{\}|(?<= ) ')
NOTHING = "there was nothing to rehearse"


def name(verdict: Verdict) -> str:
    """The alert's name or the panel's title, on one line."""
    return one_line(verdict.subject) or "(untitled)"


def place(verdict: Verdict) -> str:
    """`rules.yml:12`; empty where it is in no file."""
    line = f":{verdict.line}" if verdict.line else ""
    return one_line(f"{verdict.file}{line}") if verdict.file else ""


def said(verdict: Verdict) -> str:
    """Why it is as it is, in one line."""
    return sentence(verdict.because)


def sentence(text: str) -> str:
    """Text with PromQL in it, on one line."""
    return without_braces(one_line(text))


def beside(verdict: Verdict) -> Iterator[str]:
    """What else there is to say, a line each: correction, guess, what the incident makes up, warnings."""
    if verdict.reasons and (correction := verdict.reasons[0].correction):
        yield f"instead: {sentence(correction)}"
    if guess := guessed(verdict):
        yield f"guess: {guess}"
    if verdict.witness and verdict.witness.incident.brought:
        yield f"not seen yet: {one_line('; '.join(verdict.witness.incident.brought))}"
    for warned in verdict.warnings:
        yield f"warning: {warning(warned)}"


def guessed(verdict: Verdict) -> str:
    """What the verdict rests on that was only guessed; empty where nothing was."""
    return one_line(verdict.guess or next((reason.guess for reason in verdict.reasons if reason.guess), ""))


def warning(warned: Warned) -> str:
    """One warning with its kind, and what to write instead where that is known."""
    instead = f"; instead: {sentence(warned.correction)}" if warned.correction else ""
    return f"{warned.kind}: {sentence(warned.summary)}{instead}"


def needs_a_look(verdict: Verdict) -> bool:
    """Whether a person has something to do in the file: it is not well, or there is a warning."""
    return verdict.word in BAD or verdict.word is Word.UNDECIDED or bool(verdict.warnings)


def counts(rehearsal: Rehearsal) -> str:
    """`5 alive, 1 dead, 9 data`, in the order of `Word`."""
    counted = Counter(verdict.word for verdict in rehearsal.verdicts)
    return ", ".join(f"{counted[word]} {word}" for word in Word if counted[word])


def summary(rehearsal: Rehearsal) -> str:
    """Counts, time, memory, and what it comes to."""
    if not rehearsal.verdicts:
        return f"{NOTHING} (exit {exit_code(rehearsal)})"
    code = exit_code(rehearsal)
    memory = f", {rehearsal.peak_bytes / 2**20:.0f} MiB at most" if rehearsal.peak_bytes else ""
    promtool = f" with promtool {rehearsal.promtool_version}" if rehearsal.promtool_version else ""
    took = f"in {duration(rehearsal.seconds)}{promtool}{memory}"
    return one_line(f"{counts(rehearsal)} {took}: {EXIT_MEANINGS[code]} (exit {code})")


def marked(verdict: Verdict, part: Reason | Warned) -> tuple[str, str, str] | None:
    """The expression on one line as the parser writes it: what is before the guilty part, that part, and what
    is after it. Of a panel it is that of its queries which has the part. None where no part is to blame."""
    if not part.guilty:
        return None
    for text in dict.fromkeys([verdict.expr, *verdict.expr.split("\n")]):
        try:
            line = str(parse(text))
        except OpsconsoleError:
            continue
        if (begin := _nth(line, part.guilty, part.nth)) >= 0:
            end = begin + len(part.guilty)
            return flat(line[:begin]), flat(line[begin:end]), flat(line[end:])
    return None


def flat(text: str) -> str:
    """As people write it, and of the same white space, so that what stands below it stays below it."""
    return without_braces(clean(text).replace("\n", "\\n").replace("\t", "\\t"))


def without_braces(promql: str) -> str:
    """`rate(up[5m]) or b` for the parser's `rate(up{}[5m]) or  b{}`, for people; strings stay as they are."""
    return _STRING_OR_NOISE.sub(lambda found: found[1] or "", promql)


def _nth(line: str, part: str, nth: int) -> int:
    """Where the `nth` occurrence (from 0; those that overlap count too) begins; -1 where there are fewer."""
    begin = line.find(part)
    for _ in range(nth):
        if begin < 0:
            break
        begin = line.find(part, begin + 1)
    return begin
