"""Finds the real Prometheus and Alertmanager, each with its tool, and fetches them where they are missing.

In this order: the PATH; the user's cache folder (`$XDG_CACHE_HOME` or `~/.cache`, `opsconsole/servers`);
Debian's or Ubuntu's packages, unpacked into the cache without root (see `opsconsole.lab.debian`). Once
there, nothing touches the network or starts a process to find them again.
"""

import fcntl
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from opsconsole.errors import MissingServer
from opsconsole.lab import debian
from opsconsole.lab.relocate import relocate

Progress = Callable[[str], None]


class Pair(NamedTuple):
    """The versions of Prometheus and Alertmanager that one Debian release has."""

    prometheus: str
    alertmanager: str
    release: str


PAIRS = (Pair("2.42", "0.25", "bookworm"), Pair("2.53", "0.28", "trixie"), Pair("3.5", "0.33", "sid"))
"""The pairs that everything is tested with: Debian 12, Debian 13 and sid."""


@dataclass(frozen=True)
class Kind:
    """A server and its tool, which always come from the same place."""

    name: str
    commands: tuple[str, ...]
    tool: str
    packages: tuple[str, ...]
    """Debian's packages; one that a release does not have is part of the first."""


PROMETHEUS = Kind("Prometheus", ("prometheus",), "promtool", ("prometheus", "promtool"))
ALERTMANAGER = Kind(
    "Alertmanager", ("alertmanager", "prometheus-alertmanager"), "amtool", ("prometheus-alertmanager",)
)


@dataclass(frozen=True)
class Installed:
    """A server that can be started; `version` is upstream's (`3.5.0`), `source` where it was found."""

    program: Path
    tool: Path
    version: str
    source: str


@dataclass(frozen=True)
class Servers:
    """What the lab starts. `source` tells where the two were found: `PATH`, `cache`, `Debian's sid`."""

    prometheus: Path
    promtool: Path
    alertmanager: Path
    amtool: Path
    prometheus_version: str
    alertmanager_version: str
    source: str


def find(
    prometheus_version: str | None = None,
    alertmanager_version: str | None = None,
    *,
    download: bool = True,
    on_progress: Progress | None = None,
) -> Servers:
    """Both servers, fetched if need be.

    A wanted version is a prefix in whole numbers: `3.5` is met by 3.5.3 and not by 3.50. Without one, the
    PATH wins, then the newest in the cache, then this system's own release: its signatures are always
    trusted here and its libraries always fit, which holds for no other release.

    Raises `MissingServer` with what to install.
    """
    wanted = {PROMETHEUS: prometheus_version, ALERTMANAGER: alertmanager_version}
    found = {kind: present(kind, version) for kind, version in wanted.items()}
    missing = {kind: wanted[kind] for kind in wanted if not found[kind]}
    reasons: list[str] = []
    if missing and download:
        fetched = _fetch(missing, wanted, on_progress or (lambda _: None), reasons)
        found.update(fetched)
    prometheus, alertmanager = found[PROMETHEUS], found[ALERTMANAGER]
    if prometheus is None or alertmanager is None:
        raise _missing({kind: wanted[kind] for kind in wanted if not found[kind]}, reasons)
    sources = dict.fromkeys((prometheus.source, alertmanager.source))
    return Servers(
        prometheus.program, prometheus.tool, alertmanager.program, alertmanager.tool,
        prometheus.version, alertmanager.version, " and ".join(sources),
    )  # fmt: skip


def find_promtool(wanted: str | None = None, on_progress: Progress | None = None) -> Path:
    """promtool alone: on the PATH, in the cache, else fetched with its Prometheus. A wanted version is as
    for `find`. Raises `MissingServer` with what to install."""
    on_path = shutil.which(PROMETHEUS.tool)
    if on_path and (version := _remembered_version(Path(on_path))) and meets(version, wanted):
        return Path(on_path)
    reasons: list[str] = []
    unit = present(PROMETHEUS, wanted)
    if unit is None:
        missing = {PROMETHEUS: wanted}
        wishes = {**missing, ALERTMANAGER: None}
        unit = _fetch(missing, wishes, on_progress or (lambda _: None), reasons).get(PROMETHEUS)
    if unit is None:
        looked = f"not on the PATH, not in {_cache()}"
        raise MissingServer(
            f"no promtool {wanted or ''}".rstrip() + f" to be had: {'; '.join([looked, *reasons])}",
            hint="Put promtool on the PATH: it comes with Prometheus; on Debian and Ubuntu: "
            "apt-get install prometheus, and promtool where it is a package of its own.",
        )
    return unit.tool


def present(kind: Kind, wanted: str | None = None) -> Installed | None:
    """A server that is on the PATH or in the cache; never downloads."""
    on_path = _on_path(kind)
    if on_path and meets(on_path.version, wanted):
        return on_path
    return next((unit for unit in cached(kind) if meets(unit.version, wanted)), None)


def cached(kind: Kind) -> list[Installed]:
    """What the cache has of this kind, newest first."""
    found: list[Installed] = []
    for folder in _cache().glob(f"{kind.commands[0]}-*"):
        program, tool = folder / kind.commands[0], folder / kind.tool
        if os.access(program, os.X_OK) and os.access(tool, os.X_OK):
            found.append(Installed(program, tool, folder.name.partition("-")[2], "cache"))
    return sorted(found, key=lambda unit: _numbers(unit.version), reverse=True)


def meets(version: str, wanted: str | None) -> bool:
    """Whether `version` begins with the numbers of `wanted`; everything meets None."""
    if wanted is None:
        return True
    numbers = wanted.removeprefix("v").split(".")
    return version.split(".")[: len(numbers)] == numbers


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/opsconsole` or `~/.cache/opsconsole`; a relative `$XDG_CACHE_HOME` does not count."""
    told = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (told if told.is_absolute() else Path.home() / ".cache") / "opsconsole"


def _cache() -> Path:
    return cache_folder() / "servers" / platform.machine()


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version))


def _on_path(kind: Kind) -> Installed | None:
    program = next((Path(found) for command in kind.commands if (found := shutil.which(command))), None)
    if program is None:
        return None
    tool = shutil.which(kind.tool, path=str(program.parent)) or shutil.which(kind.tool)
    version = _remembered_version(program)
    return Installed(program, Path(tool), version, "PATH") if tool and version else None


def _remembered_version(program: Path) -> str | None:
    """The version of a program, asked once and kept for as long as the file does not change."""
    notes = _cache() / "versions.json"
    facts = program.stat()
    key, stamp = str(program), [facts.st_mtime_ns, facts.st_size]
    known = _read_notes(notes)
    match known.get(key):
        case [*seen, str(remembered)] if seen == stamp:
            return remembered
    version = ask_version(program)
    if version:
        with suppress(OSError):
            notes.parent.mkdir(parents=True, exist_ok=True)
            _replace(notes, json.dumps({**known, key: [*stamp, version]}))
    return version


def _read_notes(notes: Path) -> dict[str, object]:
    with suppress(OSError, ValueError, RecursionError):
        if isinstance(read := json.loads(notes.read_text()), dict):
            return read
    return {}


def _replace(file: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile("w", dir=file.parent, prefix=".", delete=False) as fresh:
        fresh.write(text)
    Path(fresh.name).replace(file)


def ask_version(program: Path) -> str | None:
    """What `program --version` says, upstream's numbers alone; None when it says nothing of the kind."""
    try:
        told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    version = re.search(r"version v?(\d+(?:\.\d+)+)", told.stdout + told.stderr)
    return version[1] if version else None


def _fetch(
    missing: dict[Kind, str | None], wanted: dict[Kind, str | None], tell: Progress, reasons: list[str]
) -> dict[Kind, Installed]:
    """Fetch what is missing, release by release, until all is met; why it is not goes into `reasons`."""
    system = debian.System.here()
    found: dict[Kind, Installed] = {}
    for release in _releases(missing, wanted, system):
        rest = {kind: version for kind, version in missing.items() if kind not in found}
        if not rest:
            break
        try:
            with _locked(tell):
                found.update(_from_release(release, rest, system, tell))
        except (debian.PackageError, OSError) as no:
            reasons.append(str(no))
    return found


def _releases(
    missing: dict[Kind, str | None], wanted: dict[Kind, str | None], system: debian.System
) -> list[str]:
    """The releases to ask: the ones known to have a wanted version, the system's own, sid."""
    pairs = [
        pair.release
        for pair in PAIRS
        for kind, known in ((PROMETHEUS, pair.prometheus), (ALERTMANAGER, pair.alertmanager))
        if (wish := wanted[kind]) and (meets(known, wish) or meets(wish, known))
    ]
    moving = ["sid"] if any(missing.values()) else []
    return list(dict.fromkeys([*pairs, system.release, *moving]))


def _from_release(
    release: str, missing: dict[Kind, str | None], system: debian.System, tell: Progress
) -> dict[Kind, Installed]:
    """Put into the cache those of `missing` that `release` has as wanted. Called under the lock."""
    if all(raced := {kind: present(kind, version) for kind, version in missing.items()}.values()):
        return {kind: unit for kind, unit in zip(missing, raced, strict=True) if unit}
    distribution = system.distribution if release == system.release else "debian"
    title = f"{distribution.capitalize() or 'the system'}'s {release or 'own packages'}"
    sources = debian.sources_of(release, system, debian.system_sources())
    if not sources:
        raise debian.PackageError(f"this system's package sources do not lead to {title}")
    with tempfile.TemporaryDirectory(dir=_cache(), prefix=".fetch-") as folder:
        apt = debian.Apt(Path(folder) / "apt", sources)
        tell(f"reading the package index of {title}")
        apt.update()
        offered = apt.versions(package for kind in missing for package in kind.packages)
        found = {}
        for kind, version in missing.items():
            debian_version = offered.get(kind.packages[0], "")
            if debian_version and meets(re.split(r"[^\d.]", debian_version)[0], version):
                tell(f"fetching {kind.name} {debian_version} from {title}")
                found[kind] = _store(kind, apt, offered, Path(folder) / kind.tool, title)
    if not found:
        raise debian.PackageError(f"{title} has {_told(offered) or f'neither ({apt.why_empty()})'}")
    return found


def _store(kind: Kind, apt: debian.Apt, offered: dict[str, str], folder: Path, title: str) -> Installed:
    """Unpack a server's packages, try it, and move its two programs into the cache in one rename."""
    unit = folder / "unit"
    unit.mkdir(parents=True)
    apt.unpack([package for package in kind.packages if package in offered], folder / "all")
    packaged = next(
        p for command in reversed(kind.commands) if (p := folder / "all/usr/bin" / command).exists()
    )
    packaged.rename(unit / kind.commands[0])
    (folder / "all/usr/bin" / kind.tool).rename(unit / kind.tool)
    relocate(unit / kind.commands[0], folder / "all")
    version = ask_version(unit / kind.commands[0])
    if version is None:
        raise debian.PackageError(f"{kind.name} from {title} does not run on this machine")
    home = _cache() / f"{kind.commands[0]}-{version}"
    shutil.rmtree(home, ignore_errors=True)
    unit.rename(home)
    return Installed(home / kind.commands[0], home / kind.tool, version, title)


@contextmanager
def _locked(tell: Progress) -> Iterator[None]:
    """One download at a time for each user; what a killed one left is removed."""
    _cache().mkdir(parents=True, exist_ok=True)
    with (_cache() / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("waiting for another opsconsole that fetches the servers")
            fcntl.flock(lock, fcntl.LOCK_EX)
        for left in _cache().glob(".fetch-*"):
            shutil.rmtree(left, ignore_errors=True)
        yield


def _told(offered: dict[str, str]) -> str:
    return ", ".join(f"{package} {version}" for package, version in offered.items())


def _missing(wanted: dict[Kind, str | None], reasons: Sequence[str]) -> MissingServer:
    names = " and ".join(f"{kind.name} {version or ''}".strip() for kind, version in wanted.items())
    looked = f"not on the PATH, not in {_cache()}"
    return MissingServer(
        f"no {names} to be had: {'; '.join([looked, *reasons])}",
        hint="Put prometheus with promtool and alertmanager with amtool on the PATH; on Debian and Ubuntu: "
        "apt-get install prometheus prometheus-alertmanager, and promtool where it is a package of its own.",
    )
