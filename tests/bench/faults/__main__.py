"""`make faults`: each fault in a healthy lab, who finds it and how soon, and what other tools find of it.

With names only these faults. `--part` takes the part of all faults whose turn it is, by the number of
commits, one at a time: what CI has the time for. `--healthy N`: so many runs of the whole lab first.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from queue import SimpleQueue

from opsconsole.lab import faults
from opsconsole.lab.faults import Fault
from tests.bench.faults import others
from tests.bench.faults.bench import Bench, BenchError, Run, bench
from tests.bench.faults.judge import AT_REST, Row, judge, unseen
from tests.bench.faults.table import HEAD, line, summary

BENCHES = 2
PART = 12


def main() -> int:
    """Exit code 1: a fault was not told of as it should be, or a whole lab was complained of."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # its labs end with it in any case
    wish = _arguments()
    chosen = [faults.named(name) for name in wish.names] or list(faults.load().values())
    if wish.part:
        chosen = _whose_turn_it_is(chosen)
    began, rows = time.monotonic(), []
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        free: SimpleQueue[Bench] = SimpleQueue()
        for number in range(1 if wish.part else min(BENCHES, len(chosen))):
            free.put(stack.enter_context(bench(Path(folder) / str(number), tuple(wish.versions or ()))))
        wrong = _healthy(free, wish.healthy)
        print(HEAD, flush=True)
        for row in _each(free, chosen):
            rows.append(row)
            print(line(row), flush=True)
    print(summary(rows, time.monotonic() - began))
    return 1 if wrong or any(row.wrong for row in rows) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.bench.faults", description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--part", action="store_true")
    parser.add_argument("--healthy", type=int, default=0)
    for server in ("prometheus", "alertmanager"):
        option = f"--{server}-version"
        parser.add_argument(option, dest="versions", action="append", type=f"{option}={{}}".format)
    return parser.parse_args()


def _whose_turn_it_is(chosen: list[Fault]) -> list[Fault]:
    counted = subprocess.run(
        ["git", "rev-list", "--count", "HEAD"], capture_output=True, text=True, check=False
    )
    parts = -(-len(chosen) // PART)
    turn = int(counted.stdout or 0) % parts
    part = chosen[turn::parts]
    print(f"part {turn + 1} of {parts}: {', '.join(fault.name for fault in part)}", flush=True)
    return part


def _healthy(free: "SimpleQueue[Bench]", runs: int) -> list[str]:
    """Complaints about a lab that is whole; it is started anew for each run."""

    def once(number: int) -> tuple[Run, list[str]]:
        made = free.get()
        try:
            made.call("lab", "down")
            run = made.when_whole()
            return run, [f"{item} is {told.outcome}: {told.complaint}" for item, told in run.items()
                         if told.outcome not in AT_REST]  # fmt: skip
        finally:
            free.put(made)

    if not runs:
        return []
    with ThreadPoolExecutor(free.qsize()) as workers:
        seen = list(workers.map(once, range(runs)))
    wrong = [complaint for _, complaints in seen for complaint in complaints]
    well = sum(not complaints for _, complaints in seen)
    slowest = max(told.seconds for run, _ in seen for told in run.values())
    print(f"the lab whole: {well} of {runs} runs all passed, the slowest in {slowest:.1f} s", flush=True)
    for complaint in wrong:
        print(f"    {complaint}", flush=True)
    return wrong


def _each(free: "SimpleQueue[Bench]", chosen: Iterable[Fault]) -> Iterator[Row]:
    def once(fault: Fault) -> Row:
        made = free.get()
        try:
            return _one(made, fault)
        except BenchError as error:
            nothing = dict.fromkeys(others.TOOLS, "-")
            return Row(fault, (), False, False, 0.0, (f"not brought about: {error}",), nothing)
        finally:
            free.put(made)

    with ThreadPoolExecutor(free.qsize()) as workers:
        yield from workers.map(once, chosen)


def _one(made: Bench, fault: Fault) -> Row:
    """A whole lab broken with this fault and no other, and what everybody says of it."""
    made.whole(drill=fault.drill)
    before = others.look(made, drill=fault.drill, whole=True)
    made.call("lab", "break", fault.name)
    run = made.test_alert(fault.alert) if fault.drill else made.verify()
    row = judge(fault, run, others.found(before, others.look(made, drill=fault.drill)))
    return unseen(row, made.when_whole()) if fault.unseen else row


sys.exit(main())
