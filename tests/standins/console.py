"""The real command as a process, with folders of its own and a lab as an environment of its configuration."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from opsconsole.lab.environment import reference_rules
from opsconsole.lab.state import LabState
from opsconsole.model import EffectBegun, Entry, Event, ItemSummary, RunStarted
from opsconsole.runview import RunView
from opsconsole.store import OpenEffect, new_run_id, open_records

NAME = "here"
TOML = """
[env.{name}]
protected = {protected}
prometheus = "{lab.prometheus_url}"
alertmanager = "{alertmanager}"
inbox = {{ kind = "lab", url = "{inbox}" }}
rules = "{rules}"
[env.{name}.service]
url = "{lab.service_url}"
metrics = "{lab.service_url}/metrics"
job = "rsolv-platform"
api_key = "env:CONSOLE_API_KEY"
webhook_secret = "env:CONSOLE_WEBHOOK_SECRET"
declining_payment_method = "pm_card_visa_chargeDeclined"
passing_payment_method = "pm_card_visa"
test_hooks = "/lab"
"""


class Console:
    """opsconsole with `lab` as its environment "here"; what it writes goes into `folder`."""

    def __init__(self, folder: Path, lab: LabState) -> None:
        self.folder = folder
        self.lab = lab
        self.records = folder / "records.db"
        self.configured()

    def configured(
        self, *, name: str = NAME, protected: bool = False, alertmanager: str = "", inbox: str = ""
    ) -> None:
        """Write the configuration, with these servers in the place of the lab's."""
        (self.folder / "opsconsole.toml").write_text(
            TOML.format(
                name=name,
                lab=self.lab,
                protected=str(protected).lower(),
                rules=reference_rules(),
                alertmanager=alertmanager or self.lab.alertmanager_url,
                inbox=inbox or self.lab.inbox_url,
            )
        )

    @property
    def variables(self) -> Mapping[str, str]:
        own = {"CONSOLE_API_KEY": self.lab.api_key, "CONSOLE_WEBHOOK_SECRET": self.lab.webhook_secret}
        return {**os.environ, **own, "XDG_STATE_HOME": str(self.folder / "state")}

    def argv(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "opsconsole", *arguments, "--records", str(self.records)]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.argv(*arguments), env=self.variables, cwd=self.folder, capture_output=True, text=True,
            timeout=600, check=False,
        )  # fmt: skip

    @contextmanager
    def begun(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            self.argv(*arguments), env=self.variables, cwd=self.folder, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def view(self, run: str = "last") -> RunView:
        return RunView.of(self.entries(run))

    def entries(self, run: str = "last") -> list[Entry]:
        with closing(open_records(self.records, read_only=True)) as records:
            return list(records.entries(records.find(run)))

    def left(self) -> list[OpenEffect]:
        """What is in effect by the records."""
        with closing(open_records(self.records, read_only=True)) as records:
            return records.open_effects()

    def leave(self, kind: str, *, environment: str = NAME, process: str | None = None, **data: str) -> str:
        """Record a run that was cut off with this effect; returns the run's id. `process` None: one that has
        ended."""
        run = data.get("run") or new_run_id()
        ended = subprocess.Popen(["true"])
        ended.wait()
        written = {"process": f"{ended.pid}:1@{os.uname().nodename}" if process is None else process, **data}
        events: tuple[Event, ...] = (
            RunStarted(
                run=run,
                environment=environment,
                protected=False,
                effects=True,
                checklist="A drill",
                checklist_hash="",
                items=(ItemSummary(id="drill", title="Drill", section="", checks=()),),
                who="ada",
                host="console",
                versions={},
                kind="alert-test",
            ),
            EffectBegun(
                item="drill",
                effect=f"{run}-1",
                what=f"{kind or 'something'} of a test",
                undo="take it back",
                data={name: value for name, value in {"kind": kind, **written}.items() if value},
            ),
        )
        with closing(open_records(self.records)) as records:
            for number, event in enumerate(events, 1):
                records.append(Entry(run, number, 1.0 * number, event))
        return run
