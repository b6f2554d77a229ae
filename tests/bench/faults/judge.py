"""Whether a run tells of a fault as the fault says that it should."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from opsconsole.lab.faults import Fault
from tests.bench.faults.bench import Run, Told

AT_REST = ("PASS", "SKIP")


@dataclass(frozen=True)
class Verdict:
    """`found`: the right items do not pass; `named`: they name the cause; `wrong` tells in words what is not
    as it should be, the items beside them included. `seconds` from the run's beginning to the first of them.
    """

    fault: Fault
    failed: tuple[str, ...]
    found: bool
    named: bool
    seconds: float
    wrong: tuple[str, ...]


def judge(fault: Fault, run: Run) -> Verdict:
    """`run` is of `verify`, or of the test of the fault's alert."""
    failed = tuple(item for item, told in run.items() if told.outcome not in AT_REST)
    wrong = []
    missed = [item for item in fault.shows if item not in run or run[item].outcome != fault.outcome]
    for item in missed:
        outcome = run[item].outcome if item in run else "not run"
        wrong.append(f"{item} is {outcome}, not {fault.outcome}")
    unnamed = _unnamed(fault.shows, run)
    wrong += [
        f"{item} does not name the cause ({fault.shows[item]}): {_words(run, item)}" for item in unnamed
    ]
    wrong += [f"{item} does not say on what it depends ({fault.follows[item]})"
              for item in _unnamed(fault.follows, run) if item in failed]  # fmt: skip
    beside = [item for item in failed if item not in fault.shows and item not in fault.follows]
    wrong += [f"{item} is {run[item].outcome} too: {run[item].complaint[:300]}" for item in beside]
    seconds = [run[item].seconds for item in fault.shows if item in run]
    return Verdict(fault, failed, not missed, not unnamed, min(seconds, default=0.0), tuple(wrong))


def _unnamed(expected: Mapping[str, str], run: Run) -> list[str]:
    return [item for item, words in expected.items() if not _says(run.get(item), words)]


def _words(run: Run, item: str) -> str:
    return run[item].complaint[:600] if item in run else "it says nothing"


def _says(told: Told | None, words: str) -> bool:
    return told is not None and re.search(words, told.complaint) is not None
