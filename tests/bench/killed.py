"""Drills killed at random moments: what `cleanup` leaves, and what is lost, which should be nothing."""

import asyncio
import os
import random
import tempfile
import time
from collections import Counter
from pathlib import Path

from opsconsole.lab import stack
from opsconsole.lab.state import LabState
from tests.checks.breaking import ask, eventually, first_scrape, rules
from tests.standins.console import NAME, Console
from tests.standins.killing import killed, state, wrong

DRILL = (
    "alert-test",
    "BillingPaymentFailureRateHigh",
    "StripeWebhooksStalled",
    "SubscriptionCancellationRateHigh",
)


def kills() -> str:
    """Kill so many drills (50, or $BENCH_KILLS) in one drill lab, each at a moment of the time that one takes
    which is not killed; what was left, in lines."""
    count, moments = int(os.environ.get("BENCH_KILLS", "50")), random.Random(3)
    lab = asyncio.run(stack.start("foreground", drill=True))
    in_effect: Counter[str] = Counter()
    faults: list[str] = []
    began = time.perf_counter()
    try:
        first_scrape(lab)
        whole_seconds = _whole(lab)
        for number in range(count):
            _calm(lab)
            with tempfile.TemporaryDirectory() as folder:
                console = Console(Path(folder), lab)
                before, moment = state(console), moments.uniform(0.0, whole_seconds)
                run = killed(console, *DRILL, after_seconds=moment)
                in_effect[" and ".join(sorted(run.left)) or "nothing"] += 1
                faults += [
                    f"  kill {number}, after {moment:.2f} s: {what}" for what in wrong(console, before, run)
                ]
    finally:
        stack.stop(lab)
    took = time.perf_counter() - began
    head = (
        f"{count} drills of {whole_seconds:.0f} s, each killed at a random moment ({took:.0f} s in all): "
        f"{len(faults)} things left or lost after cleanup"
    )
    left = [f"  {times:3} had in effect: {what}" for what, times in in_effect.most_common()]
    return "\n".join([head, *left, *faults])


def _whole(lab: LabState) -> float:
    with tempfile.TemporaryDirectory() as folder:
        began = time.perf_counter()
        Console(Path(folder), lab).run(*DRILL, "--env", NAME, "--json")
        return time.perf_counter() - began


def _calm(lab: LabState) -> None:
    eventually(lambda: not any(rule["alerts"] for rule in rules(lab)), "all alerts are inactive")
    eventually(lambda: not ask(f"{lab.alertmanager_url}/api/v2/alerts"), "Alertmanager holds none")
