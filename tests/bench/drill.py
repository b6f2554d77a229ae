"""How fast a drill of all alerts is, cold, and what of it is opsconsole's own."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from opsconsole.model import Hop
from opsconsole.runview import ItemView, RunView
from opsconsole.store import open_records

OPSCONSOLE = str(Path(sys.executable).with_name("opsconsole"))
OWN_SECONDS = 0.5
"""What the goal allows opsconsole itself, beside what the servers' own intervals take."""


def drills() -> str:
    """One drill of the shortened rules and one of the rules as they are, each from nothing, in lines."""
    shortened, seconds = _drilled()
    lines = [f"alert-test, all alerts, cold: {seconds:.1f} s, exit {shortened.exit_code} (goal: under 60 s)"]
    lines += [_line(item) for item in shortened.items.values()]
    unmodified, _ = _drilled("--unmodified")
    last = max((_at(item, Hop.DELIVERED) for item in unmodified.items.values()), default=0.0)
    since = min((_at(item, Hop.CAUSE) for item in unmodified.items.values()), default=0.0)
    lines.append(
        f"alert-test --unmodified: all mails after {last - since:.1f} s, exit {unmodified.exit_code} "
        "(goal: within 15 s)"
    )
    return "\n".join(lines)


def _drilled(*options: str) -> tuple[RunView, float]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "records.db"
        began = time.perf_counter()
        command = [OPSCONSOLE, "alert-test", "--plain", "--records", str(path), *options]
        subprocess.run(command, check=False, capture_output=True, timeout=600)
        seconds = time.perf_counter() - began
        records = open_records(path)
        try:
            return RunView.of(records.entries(records.find("last"))), seconds
        finally:
            records.close()


def _line(item: ItemView) -> str:
    if item.plan is None or Hop.DELIVERED not in item.hops:
        return f"  {item.summary.id}: {item.outcome}, {item.text}"
    to_mail = _at(item, Hop.DELIVERED) - _at(item, Hop.CAUSE)
    servers = item.plan.notified_seconds or 0.0
    last = item.readings[-1] if item.readings else None
    sent = last.sent + last.passing if last else 0
    fewest = f", {sent} requests, fewest {item.plan.fewest}" if item.plan.fewest else ""
    return (
        f"  {item.summary.id}: cause to mail {to_mail:.2f} s, the servers' own intervals {servers:.2f} s, "
        f"over them {to_mail - servers:+.2f} s (goal: at most {OWN_SECONDS:g}){fewest}"
    )


def _at(item: ItemView, hop: Hop) -> float:
    reached = item.hops.get(hop)
    return reached.reached_at if reached else 0.0
