"""The run that the README's picture shows, as `opsconsole verify --json` printed it."""

import json
from pathlib import Path

from opsconsole.model import Entry
from opsconsole.store.codec import decode

HOME = Path(__file__).parent.parent.parent
PICTURE = HOME / "opsconsole/tui/screen.svg"
RUN = Path(__file__).with_name("screen_run.jsonl")


def entries() -> list[Entry]:
    """Its entries, in order."""
    return [
        Entry(line["run"], line["number"], line["at"], decode(line["kind"], json.dumps(line["event"])))
        for line in map(json.loads, RUN.read_text().splitlines())
    ]
