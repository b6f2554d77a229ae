"""The verdicts as a list: sign and word, the name, and at the right what else there is to know."""

from collections.abc import Iterator, Mapping

from opsconsole.rehearse.model import BAD, Verdict, Word
from opsconsole.reports.rehearsal.wording import guessed, name
from opsconsole.tui.widgets.rows import Row, Span

_LOOKS = {
    Word.ALIVE: ("✓", "pass", "it fires: promtool saw it"),
    Word.DEAD: ("✗", "fail", "it cannot fire, whatever its series do"),
    Word.UNFED: ("∅", "fail", "it rests on a metric that nobody exports"),
    Word.UNDECIDED: ("?", "unknown", "neither is proven"),
    Word.DATA: ("✓", "pass", "the panel shows data"),
    Word.QUIET: ("–", "skip", "the panel can show data, and has none now"),
    Word.NEVER: ("✗", "fail", "the panel can never show data"),
    Word.ERROR: ("‼", "broken", "a query of the panel is refused"),
}
_HEADINGS = {"alert": "Alerts", "panel": "Panels"}
_WIDTH = max(len(word) for word in Word)

BY_WEIGHT = (
    Word.DEAD, Word.NEVER, Word.ERROR, Word.UNFED, Word.UNDECIDED, Word.QUIET, Word.ALIVE, Word.DATA,
)  # fmt: skip
"""The worst first."""


def labelled(word: Word) -> Span:
    """Sign and word together, as wide for every word, with their style."""
    sign, style, _ = _LOOKS[word]
    return f"{sign} {word.value:<{_WIDTH}}", style


SIGNS = [
    *((*labelled(word), meaning) for word, (_, _, meaning) in _LOOKS.items()),
    (f"{'~':<{_WIDTH + 2}}", "unknown", "it rests on a guess about the series"),
    (f"{'!2':<{_WIDTH + 2}}", "unknown", "so many warnings beside the verdict"),
]


def sign(word: Word) -> Span:
    """The sign alone, with its style."""
    return _LOOKS[word][0], _LOOKS[word][1]


def wants_a_look(verdict: Verdict) -> bool:
    """Whether it is bad or undecided."""
    return verdict.word in BAD or verdict.word is Word.UNDECIDED


def verdict_rows(verdicts: Mapping[str, Verdict], *, words: str = "", dense: bool = False) -> list[Row]:
    """The verdicts, by their keys, that have all the `words`: alerts, then panels, each under its heading.
    `dense`: no blank lines."""
    wanted = words.lower().split()
    rows: list[Row] = []
    for kind, title in _HEADINGS.items():
        some = [
            _row(key, verdict)
            for key, verdict in verdicts.items()
            if (verdict.kind == "panel") == (kind == "panel") and _matches(verdict, wanted)
        ]
        if some:
            rows += [*([Row()] if rows and not dense else []), Row(((title, "heading"),)), *some]
    return rows


def _row(key: str, verdict: Verdict) -> Row:
    label, style = labelled(verdict.word)
    return Row(((f"{label} ", style), (name(verdict), "")), (" ".join(_beside(verdict)), "unknown"), key)


def _beside(verdict: Verdict) -> Iterator[str]:
    if verdict.warnings:
        yield f"!{len(verdict.warnings)}"
    if guessed(verdict):
        yield "~"


def _matches(verdict: Verdict, words: list[str]) -> bool:
    """Whether it has all the words: that of a verdict is compared with it, any other is looked for in name,
    group and file."""
    text = f"{verdict.subject} {verdict.group} {verdict.file}".lower()
    return all(word == verdict.word if word in set(Word) else word in text for word in words)
