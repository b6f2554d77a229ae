"""How long a rehearsal takes: of the lab's alerts and panels, of a hundred and a thousand generated ones."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import yaml

from opsconsole.lab.environment import reference_rules

OPSCONSOLE = str(Path(sys.executable).with_name("opsconsole"))
KINDS = {
    "Failing": (
        'sum by (job) (rate({m}_total{{status="failed"}}[5m])) / sum by (job) (rate({m}_total[5m])) > 0.{n}'
    ),
    "Slow": "histogram_quantile(0.95, sum by (job, le) (rate({m}_seconds_bucket[5m]))) > {n}",
    "Stalled": "sum by (job) (increase({m}_seen_total[6h])) == 0 or absent_over_time({m}_seen_total[6h])",
    "Full": "({m}_bytes - {m}_avail) / {m}_bytes * 100 > 8{n} and on (instance) {m}_readonly == 0",
    "Filling": "predict_linear({m}_avail[1h], 4 * 3600) < 0 and {m}_avail / {m}_size < 0.{n}",
    "Down": 'count by (job) (up{{job="{m}"}} == 0) > {n}',
    "Old": "time() - {m}_last_success_timestamp_seconds > {n} * 3600",
    "Restarting": "changes({m}_start_time_seconds[15m]) > {n}",
    "Gone": 'absent(up{{job="{m}"}})',
    "Worse": "avg_over_time({m}_ratio[10m]) < 0.{n} unless on (instance) {m}_maintenance == 1",
}
"""Ten kinds of alert as people write them; `m` is a metric's name of its own, `n` a number from 1 to 9."""


def rehearsals() -> str:
    """A table: what was rehearsed, the verdicts, whole seconds of the process, most memory."""
    lines = ["rehearse  (whole process, series guessed from the rules; of the lab by its servers)"]
    with tempfile.TemporaryDirectory() as made:
        for count in (100, 1000):
            rules = Path(made) / f"{count}.yml"
            rules.write_text(yaml.safe_dump(generated(count), sort_keys=False), encoding="utf-8")
            lines.append(_rehearsed(f"{count} generated alerts", ["--rules", str(rules)]))
    lines.append(_rehearsed("the lab's rules, as a file", ["--rules", str(reference_rules())]))
    lines.append(_rehearsed("the lab, started for it", []))
    return "\n".join(lines)


def generated(count: int) -> dict[str, object]:
    """A rule file of so many alerts, each on metrics of its own."""
    rules = [
        {
            "alert": f"{kind}{number}",
            "expr": expr.format(m=f"m{number}", n=number % 9 + 1),
            "for": ("5m", "15m", "1h")[number % 3],
            "labels": {"severity": "warning"},
        }
        for number in range(count)
        for kind, expr in [list(KINDS.items())[number % len(KINDS)]]
    ]
    return {"groups": [{"name": "generated", "rules": rules}]}


def _rehearsed(name: str, options: list[str]) -> str:
    began = time.perf_counter()
    run = subprocess.Popen(
        [OPSCONSOLE, "rehearse", "--json", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    told = run.stdout.read() if run.stdout else ""
    _, _, usage = os.wait4(run.pid, 0)
    seconds = time.perf_counter() - began
    document = json.loads(told)
    words = Counter(verdict["verdict"] for verdict in document["verdicts"])
    counted = ", ".join(f"{count} {word}" for word, count in words.items())
    peak = document["peak_bytes"] / 2**20
    return (
        f"  {name:28} {seconds:7.2f} s, of which the verdicts {document['seconds']:6.2f} s;"
        f" {counted}; {peak:.0f} MiB at most ({usage.ru_maxrss / 1024:.0f} in one process)"
    )
