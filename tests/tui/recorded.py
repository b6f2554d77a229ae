"""The runs that are drawn as pictures, as their commands printed them with `--json`."""

import json
from pathlib import Path

from opsconsole.model import Entry
from opsconsole.store.codec import decode

HERE = Path(__file__).parent
DRAWN = HERE.parent.parent / "opsconsole/tui"
PICTURES = {
    "verify": (HERE / "screen_run.jsonl", DRAWN / "screen.svg"),
    "alert-test": (HERE / "alert_test_run.jsonl", DRAWN / "alert_test.svg"),
}
"""The command, its run, and the picture of that; the README shows the first."""


def entries(run: Path) -> list[Entry]:
    """The entries of a run, in order."""
    return [
        Entry(line["run"], line["number"], line["at"], decode(line["kind"], json.dumps(line["event"])))
        for line in map(json.loads, run.read_text().splitlines())
    ]
