"""What is said in a practice, on both sides, and how it goes into the records."""

import platform
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from pathlib import Path

from opsconsole import __version__, session
from opsconsole.cli import terminal
from opsconsole.cli.lines import Output
from opsconsole.engine.record import Recorder
from opsconsole.errors import LabError
from opsconsole.lab import environment as lab_environment
from opsconsole.lab import practice, state
from opsconsole.lab.faults import LINKS, Fault
from opsconsole.lab.practice import Answer, Ask, Cannot, Listing, Look, Perhaps
from opsconsole.lab.state import LabState
from opsconsole.model import (
    Finding,
    Found,
    ItemFinished,
    ItemStarted,
    ItemSummary,
    Observed,
    Outcome,
    RunFinished,
    RunStarted,
    Seen,
)
from opsconsole.reports.practice import ANSWER, FAULT, HINT, KIND, LOOK, SEED, TOLD
from opsconsole.reports.trace import after
from opsconsole.reports.wording import one_line
from opsconsole.runview import ItemView, RunView
from opsconsole.store import Records

ITEM = "fault"
PROMPT = "practice> "
LONGEST_LINE = 300
MOST_WRONG = 10
WOKEN_EVERY_SECONDS = 1.0
YES = ("y", "yes")
NO = ("n", "no")

HELP = """
  verify [OPTIONS]  look with the console; so do `rehearse`, `alert send` and `runs show`
  status            where Prometheus, Alertmanager, Grafana and the others are
  list [LINK|WORD]  what it may be: all, those of one link of the chain, or with a word in them
  hint              where to look: first the link, then the item of `verify`
  give up           be told what it is

Anything else is your answer: a number or a name from the list, or words of it.
"""


class Talk:
    """One practice: a person's lines, and what is said to them. `begun`: it is in the records."""

    def __init__(
        self, seed: int, fault: Fault, faults: Sequence[Fault], recorder: Recorder, output: Output,
        records_path: Path | None,
    ) -> None:  # fmt: skip
        self.seed = seed
        self.fault = fault
        self.begun = False
        self.records_option = f" --records {shlex.quote(str(records_path))}" if records_path else ""
        self._checklist = session.plan(lab_environment.outline()).checklist
        self._faults = faults
        self._recorder = recorder
        self._output = output
        self._supposed: Fault | None = None
        self._wrong: list[str] = []
        self._hints = 0
        self._outcome: Outcome | None = None

    def say(self, text: str) -> None:
        """Say it; nobody need be there to read it. In a terminal its lines are broken between words."""
        width = terminal.columns()
        self._output.write("".join(f"{terminal.broken(line, width)}\n" for line in text.split("\n")))
        self._output.flush()

    def held(self, lab: LabState, records: Records) -> int:
        """Talk until it is found or given up; returns the exit code. Raises KeyboardInterrupt, and LabError
        where the lab is not there any more."""
        self._lab = lab
        self._begin()
        self.say(
            "\nSomething is broken in the monitoring of the billing service, and you are on call."
            f"\nFind it, and say what it is.\n{HELP}\nThis is practice {self.seed}. In another terminal, "
            "`opsconsole verify --env lab` sees the same lab.\n"
        )
        for line in _lines():
            self._hear(one_line(line)[:LONGEST_LINE])
            if self._outcome:
                break
        else:
            self._give_up()
        return self._end(records)

    def _begin(self) -> None:
        who, host = session.whoami()
        title = self._checklist.title
        self._recorder.emit(
            RunStarted(
                run=self._recorder.run,
                environment=lab_environment.NAME,
                protected=False,
                effects=True,
                checklist=f"Practice: {title}",
                checklist_hash=self._checklist.hash,
                items=(ItemSummary(id=ITEM, title="What is broken is found", section="Practice", checks=()),),
                who=who,
                host=host,
                versions={"opsconsole": __version__, "python": platform.python_version()},
                kind=KIND,
            )
        )
        self.begun, self._began = True, time.monotonic()
        self._recorder.server("prometheus", self._lab.prometheus_version, self._lab.prometheus_url)
        self._recorder.server("alertmanager", self._lab.alertmanager_version, self._lab.alertmanager_url)
        self._recorder.emit(ItemStarted(item=ITEM))
        self._record(SEED, str(self.seed))

    def _hear(self, line: str) -> None:
        supposed, self._supposed = self._supposed, None
        if supposed and line.lower() in YES:
            self._judge(supposed)
            return
        if supposed and line.lower() in NO:
            self.say("Then say it in other words, or by its number: `list` shows them.")
            return
        match practice.meaning(line, self._faults):
            case Look(argv):
                self._look(argv)
            case Listing(link, words):
                self._list(link, words)
            case Answer(fault):
                self._judge(fault)
            case Perhaps(faults):
                self._ask(faults)
            case Cannot(why):
                self.say(f"Not here: {why}.")
            case Ask("hint"):
                self._hint()
            case Ask("give up"):
                self._give_up()
            case Ask():
                self.say(HELP)

    def _look(self, argv: tuple[str, ...]) -> None:
        _see_broken(self._lab)
        recorded = argv[0] in ("verify", "alert", "runs") and "--records" not in argv
        code = _called([*argv, *(shlex.split(self.records_option) if recorded else ())])
        self._record(LOOK, f"{self._so_far()}: {shlex.join(argv)}, exit {code}")

    def _list(self, link: str, words: str) -> None:
        shown = practice.with_words(words, self._faults) if words else self._faults
        chosen = [fault for fault in shown if link in ("", fault.link)]
        for each, what in LINKS.items():
            if of_link := [fault for fault in chosen if fault.link == each]:
                self.say("\n".join([f"{each}: {what}", *self._numbered(of_link)]))
        if not chosen:
            self.say(f"Nothing in the list has {words!r} in it; `list` shows all.")

    def _ask(self, faults: tuple[Fault, ...]) -> None:
        if not faults:
            self.say(
                "Nothing in the list is called so. `list` shows what it may be, `help` what can be typed."
            )
        elif len(faults) > 1:
            self.say("\n".join(["Which one? By number or name:", *self._numbered(faults)]))
        else:
            self._supposed = faults[0]
            self.say(f"Do you mean {_told(faults[0])}? (y/n)")

    def _hint(self) -> None:
        titles = {item.id: item.title for item in self._checklist.items}
        hints = practice.hints(self.fault, titles)
        if self._hints == len(hints):
            self.say("There are no more hints: " + "; ".join(hints) + ".")
            return
        hint = hints[self._hints]
        self._hints += 1
        self._record(HINT, f"{self._so_far()}: {hint}")
        self.say(f"A hint: {hint}.")

    def _judge(self, answer: Fault) -> None:
        no = practice.judged(answer, self.fault)
        self._record(ANSWER, f"{self._so_far()}: {answer.name}: {no or 'right'}")
        if no:
            self._wrong.append(answer.name)
            self.say(f"No, {no}: {_told(answer)}.")
            if len(self._wrong) == MOST_WRONG:
                self.say(f"That were {MOST_WRONG} wrong answers: it is guessed, not found.")
                self._give_up()
        else:
            self._outcome = Outcome.PASS

    def _give_up(self) -> None:
        self._outcome = Outcome.FAIL

    def _end(self, records: Records) -> int:
        seconds, passed = time.monotonic() - self._began, self._outcome is Outcome.PASS
        took = f"{after(seconds)}{self._helped(passed)}"
        told = [self._told_at(item, records) for item in self.fault.shows]
        self._record(FAULT, _told(self.fault))
        for each in told:
            self._record(TOLD, each)
        if passed:
            self.say(f"Yes: {_told(self.fault)}.\nFound in {took}.")
        else:
            self._recorder.emit(Found(item=ITEM, finding=self._finding()))
            self.say(f"It was {_told(self.fault)}.\nNot found: given up after {took}.")
        for each in told:
            self.say(f"`verify` tells of it at {each}")
        summary = f"{self.fault.name} {'found' if passed else 'not found: given up'} after {took}"
        self._recorder.emit(
            ItemFinished(
                item=ITEM, outcome=Outcome(self._outcome or Outcome.FAIL), summary=summary, seconds=seconds
            )
        )
        code = 0 if passed else 1
        self._recorder.emit(RunFinished(exit_code=code, seconds=seconds))
        return code

    def _finding(self) -> Finding:
        pages = [
            use.check.id for item in self._checklist.items if item.id in self.fault.shows for use in item.uses
        ]
        return Finding(
            subject=self.fault.name,
            summary="was not found",
            remedy=f"the runbook {', '.join(pages)}; once more: opsconsole lab practise --seed {self.seed}",
        )

    def _told_at(self, item: str, records: Records) -> str:
        """Where `verify` tells of it, and in which words: where there is one, those of a run meanwhile."""
        expression = self.fault.shows[item]
        for summary in records.runs(20, lab_environment.NAME):
            if summary.kind == "verify" and summary.started_at >= self._lab.broken_at:
                view = RunView.of(records.entries(summary.run))
                if item in view.items and (words := _words(view.items[item], expression)):
                    return f"{item}, as in run {summary.run}: {words}"
        return f"{item}, in such words: {practice.in_words(expression)}"

    def _helped(self, passed: bool) -> str:
        wrong = f", with {_count(len(self._wrong), 'wrong answer')}" if self._wrong else ""
        first = ", with the first answer" if passed and not wrong else ""
        hints = (
            f" {'and' if wrong or first else ', with'} {_count(self._hints, 'hint')}" if self._hints else ""
        )
        return f"{wrong}{first}{hints}".replace(" ,", ",")

    def _numbered(self, faults: Sequence[Fault]) -> list[str]:
        width = max(len(fault.name) for fault in faults)
        return [f"  {self._faults.index(f) + 1:>3}  {f.name:<{width}}  {f.said}" for f in faults]

    def _so_far(self) -> str:
        return f"after {after(time.monotonic() - self._began)}"

    def _record(self, subject: str, text: str) -> None:
        self._recorder.emit(Observed(item=ITEM, seen=Seen(text, subject)))


def _told(fault: Fault) -> str:
    return f"{fault.name}: {fault.said}"


def _count(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'s' * (number != 1)}"


def _words(item: ItemView, expression: str) -> str:
    """The first line of what an item complained of that a fault's `shows` is about; empty: it did not."""
    complaint = "\n".join(
        [
            *(f"{f.subject}: {f.summary}\n{f.detail}\n{f.remedy}" for f in item.findings),
            *(f"{step.check}: {step.outcome}, {step.summary}" for step in item.diagnosis),
            item.text,
        ]
    )
    if (found := re.search(expression, complaint)) is None:
        return ""
    return one_line(complaint[complaint.rfind("\n", 0, found.start()) + 1 :].partition("\n")[0])


def _lines() -> Iterator[str]:
    """What is typed, until there is no more."""
    if sys.stdin is None:
        return
    if isinstance(sys.stdin, TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    terminal = sys.stdin.isatty() and sys.stdout.isatty()
    if terminal:
        with suppress(ImportError):
            import readline  # noqa: F401  the line can be edited, and earlier ones come back
    while True:
        try:
            with _woken():
                line = input(PROMPT) if terminal else sys.stdin.readline()
        except (EOFError, OSError):
            return
        if not line and not terminal:
            return
        yield line


@contextmanager
def _woken() -> Iterator[None]:
    """Signals are seen within a second, also one that comes right before the wait for a line begins."""
    before = signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, WOKEN_EVERY_SECONDS, WOKEN_EVERY_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _see_broken(lab: LabState) -> None:
    """Raise LabError where somebody has taken the lab away, or mended it."""
    with suppress(LabError):
        if state.load(lab.folder).fault == lab.fault:
            return
    raise LabError("the lab was taken down or mended meanwhile", hint="begin anew: opsconsole lab practise")


def _called(argv: list[str]) -> int:
    """Call the console, and return its exit code. In a terminal the keyboard is its own meanwhile."""
    sys.stdout.flush()
    stdin = None if sys.stdin.isatty() else subprocess.DEVNULL
    process = subprocess.Popen([sys.executable, "-P", "-m", "opsconsole", *argv], stdin=stdin)
    ours = signal.signal(signal.SIGINT, lambda *_: None)  # it has it from the terminal as well
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()
        process.wait()
        raise
    finally:
        signal.signal(signal.SIGINT, ours)
