"""Debian packages without root: fetched by a private apt, checked by its signatures, unpacked with dpkg.

Nothing of the system is touched: apt works on sources, lists, cache and status of its own in one folder. The
mirror and its keyring are the system's own (`/etc/apt`, both formats); only the release may be another one.
This module needs the standard library alone, since it also sets up a checkout that has no pip yet.
"""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from opsconsole.errors import UsageError

APT_SECONDS = 600.0
"""Bound of one call of apt: an index is about 10 MB, a server about 60 MB."""

_MOVING_NAMES = {"stable", "oldstable", "testing", "unstable", "sid"}
_HOOKS_AND_EXTRAS = (
    "APT::Update",
    "APT::Default-Release",
    "DPkg",
    "Acquire::IndexTargets",
    "Acquire::Languages",
)


class PackageError(UsageError):
    """A package could not be found, fetched, verified or unpacked."""


@dataclass(frozen=True)
class Source:
    """One place of packages, see sources.list(5); `signed_by` is a keyring's path or a key block."""

    uris: str
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str = ""

    def stanza(self) -> str:
        """In deb822 form. What would waive signatures (`trusted=yes`) is never carried over."""
        fields = {
            "Types": "deb",
            "URIs": self.uris,
            "Suites": " ".join(self.suites),
            "Components": " ".join(self.components),
            "Signed-By": self.signed_by,
        }
        return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)


@dataclass(frozen=True)
class System:
    """The distribution that this machine runs: `ID` and `VERSION_CODENAME` of os-release(5)."""

    distribution: str
    release: str

    @classmethod
    def here(cls) -> "System":
        """Empty strings where the machine does not say."""
        try:
            told = platform.freedesktop_os_release()
        except OSError:
            return cls("", "")
        return cls(told.get("ID", ""), told.get("VERSION_CODENAME", ""))


def system_sources(apt_folder: Path = Path("/etc/apt")) -> list[Source]:
    """Every enabled source of binary packages that the system's apt has, `.list` and `.sources`."""
    parts = apt_folder / "sources.list.d"
    found = [
        s
        for file in [apt_folder / "sources.list", *sorted(parts.glob("*.list"))]
        for s in _one_line(_read(file))
    ]
    return found + [s for file in sorted(parts.glob("*.sources")) for s in _deb822(_read(file))]


def sources_of(release: str, system: System, sources: Iterable[Source]) -> list[Source]:
    """Where the packages of `release` are; empty when this system's own sources do not lead there.

    The system's own release comes with its updates and security fixes. Another release is had by its name
    on the same mirror, which only Debian's own mirrors offer.
    """
    own = {system.release} | (_MOVING_NAMES if system.distribution == "debian" else set())
    if release in ("", system.release):
        wanted = own | {f"{name}-{pocket}" for name in own for pocket in ("updates", "security")}
        return [chosen for s in sources if (chosen := _only(s, wanted))]
    if system.distribution != "debian":
        return []
    moved = [Source(s.uris, (release,), ("main",), s.signed_by) for s in sources if _only(s, own)]
    return list(dict.fromkeys(moved))


def _only(source: Source, suites: set[str]) -> Source | None:
    kept = tuple(suite for suite in source.suites if suite in suites)
    if not kept or "main" not in source.components:
        return None
    return Source(source.uris, kept, source.components, source.signed_by)


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _one_line(text: str) -> Iterator[Source]:
    for line in text.splitlines():
        entry = re.match(r"\s*deb\s+(?:\[([^\]]*)\]\s*)?(\S+)\s+(\S+)\s+([^#]+)", line)
        if entry and not entry[2].startswith("cdrom:"):
            options = dict(option.partition("=")[::2] for option in (entry[1] or "").split())
            yield Source(entry[2], (entry[3],), tuple(entry[4].split()), options.get("signed-by", ""))


def _deb822(text: str) -> Iterator[Source]:
    visible = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for paragraph in re.split(r"\n\s*\n", visible):
        fields = {
            key.lower(): value.strip()
            for key, value in re.findall(r"(?m)^([\w-]+):(.*(?:\n[ \t].*)*)", paragraph)
        }
        enabled = fields.get("enabled", "yes").lower() not in ("no", "false", "0")
        if enabled and "deb" in fields.get("types", "").split() and fields.get("uris"):
            suites, components = fields.get("suites", "").split(), fields.get("components", "").split()
            yield Source(
                " ".join(fields["uris"].split()),
                tuple(suites),
                tuple(components),
                fields.get("signed-by", ""),
            )


class Apt:
    """A private apt in `folder`, which is the caller's to remove."""

    def __init__(self, folder: Path, sources: Sequence[Source]) -> None:
        if not (shutil.which("apt-get") and shutil.which("dpkg")):
            raise PackageError("this system has no apt-get")
        self._folder = folder
        for name in ("lists/partial", "archives/partial", "debs"):
            (folder / name).mkdir(parents=True)
        (folder / "status").touch()
        (folder / "all.sources").write_text("\n".join(source.stanza() for source in sources))
        (folder / "apt.conf").write_text(_configuration(folder))

    def update(self) -> None:
        """Fetch the package indexes. A source that cannot be reached or verified counts as empty."""
        self._told = self._run("apt-get", "-q", "update").stderr

    def versions(self, packages: Iterable[str]) -> dict[str, str]:
        """Each of `packages` that the sources have, with its newest Debian version."""
        found: dict[str, str] = {}
        for line in self._run("apt-cache", "madison", *packages).stdout.splitlines():
            package, version, *_ = (part.strip() for part in line.split("|"))
            found.setdefault(package, version)
        return found

    def unpack(self, packages: Sequence[str], into: Path) -> None:
        """Fetch `packages`, without what they depend on, and unpack them under `into`."""
        fetched = self._run("apt-get", "-q", "download", *packages, folder=self._folder / "debs")
        if fetched.returncode:
            raise PackageError(
                f"apt-get could not fetch {', '.join(packages)}: {_gist(self._told + fetched.stderr)}"
            )
        for deb in sorted((self._folder / "debs").glob("*.deb")):
            unpacked = self._run("dpkg", "-x", str(deb), str(into))
            if unpacked.returncode:
                raise PackageError(f"{deb.name} could not be unpacked: {_gist(unpacked.stderr)}")
            deb.unlink()

    def why_empty(self) -> str:
        """What apt said when it read the indexes, in a line."""
        return _gist(self._told)

    def _run(self, *argv: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "APT_CONFIG": str(self._folder / "apt.conf"), "LC_ALL": "C"}
        try:
            return subprocess.run(
                argv, cwd=folder or self._folder, env=environment, stdin=subprocess.DEVNULL,
                capture_output=True, text=True, errors="replace", timeout=APT_SECONDS, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as slow:
            raise PackageError(f"{argv[0]} did not end within {APT_SECONDS:g} s") from slow

    _told = ""


def _configuration(folder: Path) -> str:
    """The system's apt configuration (proxies, certificates), less its hooks, turned to `folder`.

    `APT::Sandbox::User`: as root, apt would drop to a user who may not enter the caller's private folder.
    """
    dumped = subprocess.run(
        ["apt-config", "dump"], capture_output=True, text=True, timeout=30, check=True
    ).stdout
    kept = [line for line in dumped.splitlines() if not line.startswith(_HOOKS_AND_EXTRAS)]
    ours = {
        "Dir::Etc::parts": "/dev/null", "Dir::Etc::main": "/dev/null",
        "Dir::Etc::sourcelist": f"{folder}/all.sources", "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferences": "/dev/null", "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::State": str(folder), "Dir::State::lists": f"{folder}/lists",
        "Dir::State::status": f"{folder}/status",
        "Dir::Cache": str(folder), "Dir::Cache::archives": f"{folder}/archives",
        "APT::Sandbox::User": "root", "Acquire::Languages": "none", "Acquire::PDiffs": "false",
        "APT::Get::AllowUnauthenticated": "false", "Acquire::AllowInsecureRepositories": "false",
        "Acquire::AllowWeakRepositories": "false", "Acquire::AllowDowngradeToInsecureRepositories": "false",
    }  # fmt: skip
    return "\n".join([*kept, *(f'{key} "{value}";' for key, value in ours.items())]) + "\n"


def _gist(stderr: str) -> str:
    said = [line.strip() for line in stderr.splitlines() if line.startswith(("E:", "W:", "dpkg"))]
    return "; ".join(said[:3]) or "no reason given"
