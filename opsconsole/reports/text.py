"""Plain lines: one an item as it ends, beginning with its outcome, what was found below it.

An alert under test has its plan before, and one line a hop, as the signal comes there.
"""

import os
import shutil
import textwrap
from collections.abc import Callable, Iterator
from typing import TextIO

from opsconsole.model import (
    AlertPlan,
    Entry,
    Finding,
    Hop,
    HopMissed,
    HopReached,
    ItemFinished,
    ItemStarted,
    Outcome,
    Planned,
    RunFinished,
    RunResumed,
    RunStarted,
    SignedOff,
)
from opsconsole.reports import practice, trace
from opsconsole.reports.curl import curl_line
from opsconsole.reports.wording import (
    about,
    causes,
    clean,
    duration,
    excerpt,
    exchange_line,
    how_to_sign,
    left_behind,
    one_line,
    servers,
    signature,
    verdict,
)
from opsconsole.runview import ItemView, RunView

_WORD = max(map(len, Outcome))
_HOP = max(map(len, Hop))
_ELAPSED = len("+15 min 20 s")
_LABEL = len("notifies")
_COLOURS = {
    Outcome.PASS: "32",
    Outcome.FAIL: "1;31",
    Outcome.SKIP: "2",
    Outcome.UNKNOWN: "33",
    Outcome.SIGN_OFF: "36",
    Outcome.BROKEN: "35",
}


class TextReport:
    """A reader that prints to `stream` as a run goes on, and prints a stored run the same way.

    On a terminal lines are wrapped to its width, and outcome words are coloured unless NO_COLOR is set or
    TERM is dumb; elsewhere neither. `hash_of` (that of `Records`) tells the hash of the last entry, which
    is printed at the end; `evidence` adds what was seen, and each exchange as a curl line with the
    beginning of its answer.
    """

    def __init__(
        self, stream: TextIO, *, hash_of: Callable[[Entry], str] | None = None, evidence: bool = False
    ) -> None:
        terminal = stream.isatty()
        self._stream = stream
        self._hash_of = hash_of
        self._evidence = evidence
        self._width = shutil.get_terminal_size().columns if terminal else None
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        self._coloured = terminal and not plain
        self._view = RunView()
        self._last: Entry | None = None
        self._awaiting: ItemView | None = None
        self._closed = False

    def __call__(self, entry: Entry) -> None:
        item, self._last = self._view.feed(entry), entry
        signed_at_once = item is not None and item is self._awaiting and isinstance(entry.event, SignedOff)
        if self._awaiting and not signed_at_once:
            self._item(self._awaiting, self._awaiting.text)
        self._awaiting = None
        match entry.event:
            case RunStarted() as start:
                self._header(start)
            case RunResumed(who=who, host=host):
                self._line(f"Resumed by {who} on {host}")
            case ItemFinished(outcome=Outcome.SIGN_OFF):
                self._awaiting = item  # its configuration may sign it in the next entry
            case ItemFinished() if item:
                self._item(item, item.text)
            case SignedOff() if item:
                text = f"{item.text}; {signature(item)}" if signed_at_once else signature(item)
                self._item(item, text, signed=not signed_at_once)
            case Planned(plan=plan):
                self._plan(plan)
            case HopReached() as reached if item:
                self._hop(item, reached.hop, reached.reached_at, reached.evidence)
            case HopMissed() as missed if item:
                self._hop(item, missed.hop, entry.at, trace.stopped(missed))
                for line in trace.below_missed(missed):
                    self._line(" " * (_ELAPSED + 4) + line, hanging=_ELAPSED + 6)
            case ItemStarted():
                pass
            case RunFinished():
                self.close()
                return
            case _:
                return
        self._closed = False

    def close(self) -> None:
        """Print how the run stands: at its end by itself; to be called after a run that may have none."""
        if self._awaiting:
            self._item(self._awaiting, self._awaiting.text)
            self._awaiting = None
        if self._closed:
            return
        self._closed = True
        if self._view.finished is None:
            for id in self._view.unfinished():
                self._unfinished(self._view.items[id])
        for line in left_behind(self._view):
            self._line(line)
        if known := servers(self._view):
            self._line(f"Servers: {known}")
        if self._hash_of and self._last:
            self._line(f"Records: {self._hash_of(self._last)}")
        self._line(verdict(self._view))

    def _header(self, start: RunStarted) -> None:
        guard = "PROTECTED, " if start.protected else ""
        effects = "effects allowed" if start.effects else "nothing is changed"
        version = start.versions.get("opsconsole", "")
        kind = "" if start.kind == "verify" else f"{start.kind}, "
        self._line(
            f"opsconsole {version}, {kind}environment {start.environment} ({guard}{effects}), run {start.run}"
        )

    def _plan(self, plan: AlertPlan) -> None:
        self._line(f"Plan of {one_line(plan.alert)}")
        for label, said in trace.plan_rows(plan):
            word = f"{label}: " if label == trace.CANNOT else f"{label:<{_LABEL}}  "
            self._line(f"    {word}{said}", hanging=_LABEL + 6)

    def _hop(self, item: ItemView, hop: Hop, at: float, said: str) -> None:
        names = max(map(len, self._view.items), default=0)
        when = f"{trace.elapsed(item, at):>{_ELAPSED}}"
        line = f"  {when}  {item.summary.id:<{names}}  {hop:<{_HOP}}  {one_line(said)}"
        self._line(line.rstrip(), hanging=_ELAPSED + 6)

    def _item(self, item: ItemView, text: str, *, signed: bool = False) -> None:
        outcome = item.outcome or Outcome.UNKNOWN
        self._item_line(outcome, item, duration(item.seconds), text, colour_of=outcome)
        if not signed:
            self._below(item)

    def _unfinished(self, item: ItemView) -> None:
        """An item without an outcome; no outcome's word stands for it."""
        waiting = f"; it was waiting for {item.waiting}" if item.waiting else ""
        if item.running:
            self._item_line("cut off", item, "", f"no outcome was recorded{waiting}")
        else:
            self._item_line("not run", item, "", "")
        self._below(item)

    def _item_line(
        self, word: str, item: ItemView, took: str, text: str, *, colour_of: Outcome | None = None
    ) -> None:
        names = max(map(len, self._view.items), default=0)
        line = f"{word:<{_WORD}}  {item.summary.id:<{names}}  {took:>7}  {one_line(text)}"
        self._line(line.rstrip(), hanging=_WORD + names + 13, word=colour_of)

    def _below(self, item: ItemView) -> None:
        for step in practice.steps(self._view, item) if not self._evidence else ():
            self._line(" " * 4 + step, hanging=6)
        for depth, line in below(item, self._last.run if self._last else "", evidence=self._evidence):
            self._line(" " * 4 * depth + line, hanging=6 if depth == 1 else 0)

    def _line(self, text: str, *, hanging: int = 2, word: Outcome | None = None) -> None:
        text = clean(text)
        if self._width and len(text) > self._width and 0 < hanging < self._width // 2:
            text = "\n".join(
                textwrap.wrap(
                    text, self._width, subsequent_indent=" " * hanging,
                    replace_whitespace=False, drop_whitespace=True, break_on_hyphens=False,
                )
            )  # fmt: skip
        if word and self._coloured:
            text = f"\x1b[{_COLOURS[word]}m{word}\x1b[0m{text[len(word) :]}"
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        self._stream.flush()


def below(item: ItemView, run: str, *, evidence: bool = False) -> Iterator[tuple[int, str]]:
    """What stands below the item's line: (depth, line); prose at depth 1, what may be copied at depth 2."""
    for finding in item.findings:
        yield from _finding(finding)
    if held := trace.readings(item):
        yield 1, held
    if chain := causes(item):
        yield 1, f"cause: {chain}"
    for step in item.diagnosis:
        yield 1, f"looked at {step.check}: {step.outcome}, {one_line(step.summary)}"
    if item.outcome is Outcome.SIGN_OFF:
        yield 1, f"question: {one_line(item.question)}"
        yield 1, "to sign, with --pass or --fail:"
        yield 2, how_to_sign(run, item.summary.id)
    elif item.outcome not in (Outcome.PASS, Outcome.SKIP, None) and item.summary.checks:
        yield 1, f"runbook: {', '.join(item.summary.checks)}"
    if evidence:
        yield from _evidence(item)


def _finding(finding: Finding) -> Iterator[tuple[int, str]]:
    yield 1, about(finding)
    for line in clean(finding.detail).splitlines():
        yield 2, line
    if finding.remedy:
        yield 2, f"to do: {one_line(finding.remedy)}"


def _evidence(item: ItemView) -> Iterator[tuple[int, str]]:
    for seen in item.seen:
        yield 1, f"seen: {one_line(f'{seen.subject}: {seen.text}' if seen.subject else seen.text)}"
    for exchange in item.exchanges:
        yield 1, exchange_line(exchange)
        if not exchange.repeats:
            yield 2, curl_line(exchange)
            yield from ((2, line) for line in excerpt(exchange).splitlines())
