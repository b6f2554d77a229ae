"""A lab of the bench's own, driven by the command line as a person would drive it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

OPSCONSOLE = str(Path(sys.executable).with_name("opsconsole"))
BOUND_SECONDS = 600.0


@dataclass(frozen=True)
class Told:
    """What a run said of one item: its outcome, after how many seconds, what it complained of, and what it
    saw and found right."""

    outcome: str
    seconds: float
    complaint: str
    seen: str


Run = dict[str, Told]


class BenchError(Exception):
    """A command of the bench did not do what it should; its words are the message."""


@dataclass(frozen=True)
class Bench:
    """A lab that is kept, and its drill lab where one is needed; `folder` holds all of it, `versions` are the
    options of `lab up` that choose the servers'."""

    folder: Path
    versions: tuple[str, ...] = ()

    def call(self, *argv: str, accepted: tuple[int, ...] = (0,)) -> str:
        """Standard output of a command of opsconsole."""
        environment = {**os.environ, "XDG_RUNTIME_DIR": str(self.folder / "run")}
        done = subprocess.run(
            [OPSCONSOLE, *argv], capture_output=True, text=True, timeout=BOUND_SECONDS, env=environment,
            check=False,
        )  # fmt: skip
        if done.returncode not in accepted:
            raise BenchError(
                f"opsconsole {' '.join(argv)}: exit {done.returncode}\n{done.stderr}{done.stdout}"
            )
        return done.stdout

    def whole(self, *, drill: bool = False) -> None:
        """A lab of this kind that is whole."""
        if self._up(drill=drill):
            self.call("lab", "mend")
        else:
            self.call("lab", "up", *(["--drill"] if drill else []), *self.versions)

    def when_whole(self) -> Run:
        """What `verify` says of the lab when nothing is broken."""
        self.whole()
        return self.verify()

    def verify(self) -> Run:
        """What `verify` says of the lab as it is."""
        return self._run("verify", "--env", "lab")

    def test_alert(self, alert: str) -> Run:
        """What the test of one alert says in the drill lab as it is."""
        return self._run("alert-test", alert, "--env", "lab")

    def lab_folder(self, *, drill: bool = False) -> Path:
        """Where the files of the lab are."""
        if (folder := self._up(drill=drill)) is None:
            raise BenchError("no lab is up")
        return folder

    def _up(self, *, drill: bool) -> Path | None:
        for state in sorted((self.folder / "run" / "opsconsole").glob("lab-*/state.json")):
            if json.loads(state.read_text())["drill"] is drill:
                return state.parent
        return None

    def _run(self, *argv: str) -> Run:
        records = str(self.folder / "records.db")
        lines = self.call(*argv, "--json", "--records", records, accepted=(0, 1, 3)).splitlines()
        return told(json.loads(line) for line in lines)


def told(entries: Iterator[dict[str, Any]]) -> Run:
    """A run's events as what was said of each item."""
    began = 0.0
    complaints: dict[str, list[str]] = {}
    seen: dict[str, list[str]] = {}
    ended: dict[str, tuple[str, float]] = {}
    for entry in entries:
        began = began or entry["at"]
        event, item = entry["event"], entry["event"].get("item", "")
        complaints.setdefault(item, []).extend(_complaint(entry["kind"], event))
        if entry["kind"] == "Observed":
            seen.setdefault(item, []).append(event["seen"]["text"])
        elif entry["kind"] == "ItemFinished":
            ended[item] = event["outcome"], entry["at"] - began
        elif entry["kind"] == "SignedOff":
            ended[item] = "PASS" if event["passed"] else "FAIL", ended[item][1]
    return {
        item: Told(outcome, seconds, "\n".join(complaints[item]), "\n".join(seen.get(item, ())))
        for item, (outcome, seconds) in ended.items()
    }


def _complaint(kind: str, event: dict[str, Any]) -> Iterator[str]:
    if kind == "Found":
        found = event["finding"]
        yield f"{found['subject']}: {found['summary']}\n{found['detail']}\n{found['remedy']}"
    elif kind == "HopMissed":
        yield "\n".join([event["because"], *event["looked_at"], event["remedy"]])
    elif kind == "Diagnosed" and event["outcome"] != "PASS":
        yield f"{event['check']}: {event['outcome']}, {event['summary']}"
    elif kind == "ItemFinished" and event["outcome"] not in ("PASS", "SKIP"):
        yield f"{event['summary']} {event['question']}"


@contextmanager
def bench(folder: Path, versions: tuple[str, ...] = ()) -> Iterator[Bench]:
    """A bench whose labs end with the block."""
    (folder / "run").mkdir(mode=0o700, parents=True)
    made = Bench(folder, versions)
    try:
        yield made
    finally:
        made.call("lab", "down")
