"""What is written down of a lab: where everything is, and who must be ended.

Each lab has a private folder under `$XDG_RUNTIME_DIR/opsconsole`, or under a folder of the user's own in the
system's temporary one, with `state.json` in it. The file is written before the first process starts and
again after each, so that whatever happens to the starter, the next one can clear up.
"""

import fcntl
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from opsconsole.errors import LabError
from opsconsole.lab import processes

Owner = Literal["foreground", "kept", "practice"]
STATE_FILE = "state.json"
GRACE_SECONDS = 60.0
"""A folder without a readable state is left alone for so long: its lab may just be starting."""


@dataclass(frozen=True)
class Member:
    """One process of a lab; the start time in ticks tells it from a later one with the same pid."""

    name: str
    pid: int
    start_ticks: int

    @property
    def running(self) -> bool:
        return processes.is_running(self.pid, self.start_ticks)


@dataclass(frozen=True)
class LabState:
    """Where everything of one lab is.

    URLs have no slash at the end. `owner` is `foreground` for a lab that ends with the process that started
    it (`starter`), `kept` for one that stays, and `practice` for one that ends as the first does and is found
    by other commands as the second is. A `drill` lab runs fast, by shortened rules (see `shortening`); with
    `incident` its rules are as they are, and its history is that of `incidents`. The tokens and keys are of
    this lab alone and are worth nothing elsewhere. `fault` names what it was broken with, `broken_at` says
    when in unix seconds; where it was for practice, by `practised_by`, nobody is told which fault it is. It
    stands here all the same: that is a game, and no secret.
    """

    owner: Owner
    folder: Path
    starter: Member
    started_at: float
    prometheus_url: str = ""
    alertmanager_url: str = ""
    service_url: str = ""
    grafana_url: str = ""
    inbox_url: str = ""
    smtp_address: str = ""
    api_key: str = field(default="", repr=False)
    webhook_secret: str = field(default="", repr=False)
    grafana_token: str = field(default="", repr=False)
    grafana_reader_token: str = field(
        default="", repr=False
    )  # may read dashboards and data sources, and not query
    prometheus_version: str = ""
    alertmanager_version: str = ""
    promtool: Path = Path()
    amtool: Path = Path()
    ready: bool = False
    drill: bool = False
    incident: bool = False
    members: tuple[Member, ...] = ()
    fault: str = ""
    broken_at: float = 0.0
    practised_by: Member | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing of it was broken, and no process of it has ended."""
        return not self.fault and all(member.running for member in self.members)

    @property
    def broken(self) -> str:
        """How it was broken, in words, and no more of it than may be told; empty where it was not."""
        if not self.fault:
            return ""
        return "broken for practice" if self.practised_by else f"broken with {self.fault}"

    @property
    def in_practice(self) -> bool:
        """Whether somebody is looking for what it was broken with."""
        return self.practised_by is not None and self.practised_by.running

    @property
    def metrics_url(self) -> str:
        return f"{self.service_url}/metrics"

    @property
    def rules_path(self) -> Path:
        return self.folder / "billing-alerts.yml"

    @property
    def reference_rules_path(self) -> Path:
        """What `rules_path` was made as; nobody changes it."""
        return self.folder / "reference-rules.yml"

    @property
    def prometheus_config_path(self) -> Path:
        return self.folder / "prometheus.yml"

    @property
    def alertmanager_config_path(self) -> Path:
        return self.folder / "alertmanager.yml"

    @property
    def dashboard_path(self) -> Path:
        return self.folder / "billing_dashboard.json"

    @property
    def reference_dashboard_path(self) -> Path:
        """What `dashboard_path` was made as."""
        return self.folder / "reference-dashboard.json"

    @property
    def prometheus_data(self) -> Path:
        return self.folder / "prometheus"

    @property
    def alertmanager_data(self) -> Path:
        return self.folder / "alertmanager"

    @property
    def log_folder(self) -> Path:
        return self.folder / "logs"

    def save(self) -> None:
        """Write the state, readable by its owner alone and never half."""
        with tempfile.NamedTemporaryFile("w", dir=self.folder, delete=False) as file:
            json.dump(asdict(self), file, default=str, indent=2)
        Path(file.name).rename(self.folder / STATE_FILE)


def load(folder: Path) -> LabState:
    """The state of the lab in this folder, as far as this version knows its fields: another version's lab is
    not to be taken for what a killed one left. Raises LabError where there is none to be read."""
    try:
        kept = json.loads((folder / STATE_FILE).read_text())
        known = [each for each in fields(LabState) if each.name in kept]
        values: dict[str, Any] = {each.name: kept[each.name] for each in known}
        values |= {each.name: Path(kept[each.name]) for each in known if each.type is Path}
        values["starter"] = Member(**kept["starter"])
        values["members"] = tuple(Member(**member) for member in kept["members"])
        if practised_by := kept.get("practised_by"):
            values["practised_by"] = Member(**practised_by)
        return LabState(**values)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise LabError("the lab's state cannot be read", where=str(folder / STATE_FILE)) from error


def new_folder() -> Path:
    """A new private folder for a lab."""
    for _ in range(5):  # whoever stops the last lab removes the folder around it
        with suppress(FileNotFoundError):
            folder = Path(tempfile.mkdtemp(prefix="lab-", dir=_private_labs_folder()))
            (folder / "logs").mkdir()
            return folder
    raise LabError("the lab's folder vanishes again and again", where=str(labs_folder()))


def remove_folder(folder: Path) -> None:
    """Remove a lab's folder, and the one around it after the last."""
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        folder.parent.rmdir()


@contextmanager
def alone() -> Iterator[None]:
    """Let one process at a time start or stop the lab that is kept."""
    folder = _private_labs_folder()
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        with suppress(OSError):
            folder.rmdir()
        os.close(descriptor)


def labs_folder() -> Path:
    """Where this user's labs are; nothing need be there."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    if runtime and os.access(runtime, os.W_OK):
        return Path(runtime) / "opsconsole"
    return Path(tempfile.gettempdir()) / f"opsconsole-{os.getuid()}"


def _private_labs_folder() -> Path:
    """The labs' folder, made if need be and closed to everybody else."""
    folder = labs_folder()
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError as error:
        raise LabError(f"no private folder for the lab: {error.strerror}", where=str(folder)) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) & 0o077:
        hint = "remove it, or point XDG_RUNTIME_DIR or TMPDIR to a folder of your own"
        raise LabError("somebody else could read or change the lab's folder", where=str(folder), hint=hint)
    return folder


def labs() -> Iterator[LabState]:
    """Every lab of this user that has left a readable state, running or not."""
    for folder in sorted(labs_folder().glob("lab-*")):
        with suppress(LabError):
            yield load(folder)


def kept(*, drill: bool = False) -> LabState | None:
    """The lab, or drill lab, that is kept, or None. A process of it may have ended: see its members."""
    return next((lab for lab in all_kept() if lab.drill is drill), None)


def all_kept() -> Iterator[LabState]:
    """The labs that are kept, or in practice: at most one of each kind."""
    for lab in labs():
        if lab.owner != "foreground" and lab.ready and any(member.running for member in lab.members):
            yield lab


def clear_leftovers() -> list[Path]:
    """End and remove what killed starters have left; returns the folders removed.

    A lab whose starter still runs is left alone, and so is a kept one with a process still running.
    """
    removed = []
    for folder in sorted(labs_folder().glob("lab-*")):
        try:
            lab = load(folder)
        except LabError:
            if not _older_than(folder, GRACE_SECONDS):
                continue
        else:
            kept = lab.owner == "kept" and lab.ready and any(member.running for member in lab.members)
            if kept or lab.starter.running:
                continue
            processes.end((member.pid, member.start_ticks) for member in lab.members)
        remove_folder(folder)
        removed.append(folder)
    return removed


def _older_than(folder: Path, seconds: float) -> bool:
    try:
        return time.time() - folder.stat().st_mtime > seconds
    except OSError:
        return False
