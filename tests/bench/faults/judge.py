"""Whether a run tells of a fault as the fault says that it should."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from opsconsole.lab.faults import Fault
from tests.bench.faults.bench import Run

AT_REST = ("PASS", "SKIP")


@dataclass(frozen=True)
class Row:
    """What was seen of one fault. `failed` are the items that did not pass; `found`: those that must tell of
    it are among them; `named`: they name the cause, after `seconds` from the run's beginning at the latest;
    `wrong` tells in words what is not as it should be, also of items beside; `others` is what other tools
    found."""

    fault: Fault
    failed: tuple[str, ...]
    found: bool
    named: bool
    seconds: float
    wrong: tuple[str, ...]
    others: Mapping[str, str]


def judge(fault: Fault, run: Run, others: Mapping[str, str]) -> Row:
    """`run` is of `verify`, or of the test of the fault's alert."""
    failed = tuple(item for item, told in run.items() if told.outcome not in AT_REST)
    missed = [item for item in fault.shows if item not in run or run[item].outcome != fault.outcome]
    unnamed = [item for item, words in fault.shows.items() if not _says(run, item, words)]
    silent = [item for item, words in fault.follows.items() if item in failed and not _says(run, item, words)]
    beside = [item for item in failed if item not in fault.shows and item not in fault.follows]
    wrong = [
        *(f"{item} is {_outcome(run, item)}, not {fault.outcome}" for item in missed),
        *(f"{item} does not name the cause, {fault.shows[item]}: {_words(run, item)}" for item in unnamed),
        *(f"{item} does not say on what, {fault.follows[item]}: {_words(run, item)}" for item in silent),
        *(f"{item} is {_outcome(run, item)} too: {_words(run, item)}" for item in beside),
    ]
    seconds = [run[item].seconds for item in fault.shows if item in run]
    return Row(fault, failed, not missed, not unnamed, max(seconds, default=0.0), tuple(wrong), dict(others))


def unseen(row: Row, whole: Run) -> Row:
    """The same with a look at whether `verify`, which cannot see the fault, says that it did not look."""
    if any(re.search(row.fault.unseen, told.seen + told.complaint) for told in whole.values()):
        return row
    return replace(row, wrong=(*row.wrong, f"verify does not say that it did not look: {row.fault.unseen}"))


def _says(run: Run, item: str, words: str) -> bool:
    return item in run and re.search(words, run[item].complaint) is not None


def _outcome(run: Run, item: str) -> str:
    return run[item].outcome if item in run else "not run"


def _words(run: Run, item: str) -> str:
    return run[item].complaint[:600] if item in run else "it says nothing"
