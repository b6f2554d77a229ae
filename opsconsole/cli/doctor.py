"""`opsconsole doctor`: what is found on this machine, what is missing, and what to do about it."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from opsconsole.config import Configuration


class Row(NamedTuple):
    """One thing looked for. `advice`: what to do; `unless`: the word for it where it is not found."""

    name: str
    found: str
    advice: str = ""
    unless: str = "-"


MISSING = "MISSING"
"""Without it the lab cannot run."""


@click.command()
def command() -> None:
    """Tell what is found on this machine and what is missing.

    Nothing is downloaded and nothing is started but the servers' own --version. Exit codes: 0 the lab can run
    with what is here; 2 something that it needs is missing.
    """
    rows = [*_python(), *_servers(), *_pairs(), *_configuration(), *_records(), *_terminal()]
    width = max(len(row.name) for row in rows)
    for row in rows:
        state = f"{'found' if row.found else row.unless:{len(MISSING)}}"
        _print(f"{state}  {row.name:{width}}  {row.found or row.advice}")
        if row.found and row.advice:
            _print(f"{'':{len(state) + width + 4}}{row.advice}")
    missing = [row.name for row in rows if row.unless == MISSING and not row.found]
    _print(f"The lab cannot run yet: no {', '.join(missing)}." if missing else "The lab can run.")
    raise SystemExit(2 if missing else 0)


def _print(line: str) -> None:
    from opsconsole.redaction import redact

    click.echo(redact(line))


def _python() -> Iterator[Row]:
    yield Row("Python", f"{sys.version.split()[0]} ({sys.executable})", unless=MISSING)


def _servers() -> Iterator[Row]:
    """The servers that the lab would start, each with its tool, which may be of another version."""
    from opsconsole.lab import servers

    for kind in (servers.PROMETHEUS, servers.ALERTMANAGER):
        unit = servers.present(kind)
        if unit is None:
            for name in (kind.name, kind.tool):
                yield Row(name, "", _how_to_get(kind.packages[0]), unless=MISSING)
            continue
        yield Row(kind.name, f"{unit.version} from the {unit.source} ({unit.program})", unless=MISSING)
        version = servers.ask_version(unit.tool)
        differs = f"not the version of {kind.name}: install both from one place"
        yield Row(
            kind.tool,
            f"{version} from the {unit.source} ({unit.tool})" if version else "",
            "" if version == unit.version else differs if version else f"{unit.tool} does not run",
            unless=MISSING,
        )


def _how_to_get(package: str) -> str:
    from opsconsole.lab import debian

    system = debian.System.here()
    fetchable = shutil.which("apt-get") and debian.sources_of(system.release, system, debian.system_sources())
    ours = "`opsconsole lab up` fetches it into the cache without root; or " if fetchable else ""
    return f"{ours}install the package {package} (Debian, Ubuntu), or put it and its tool on the PATH"


def _pairs() -> Iterator[Row]:
    """The version pairs that the tests run with."""
    from opsconsole.lab import servers

    for pair in servers.PAIRS:
        wanted = ((servers.PROMETHEUS, pair.prometheus), (servers.ALERTMANAGER, pair.alertmanager))
        complete = all(
            any(servers.meets(unit.version, version) for unit in servers.cached(kind))
            for kind, version in wanted
        )
        yield Row(
            f"pair {pair.prometheus} and {pair.alertmanager}",
            "in the cache" if complete else "",
            "" if complete else f"not in the cache; `opsconsole lab up --prometheus-version {pair.prometheus}"
            f" --alertmanager-version {pair.alertmanager}` fetches it from Debian's {pair.release}",
        )  # fmt: skip


def _configuration() -> Iterator[Row]:
    """The configuration, and what its environments need beside their servers."""
    from opsconsole import config
    from opsconsole.errors import ConfigError

    try:
        configuration = config.open_configuration()
    except ConfigError as wrong:
        yield Row("configuration", "", str(wrong).replace("\n ", ""), unless="WRONG")
        return
    names = ", ".join(configuration.environments) or "no environment"
    if configuration.path:
        yield Row("configuration", f"{configuration.path} ({names})")
    else:
        yield Row("configuration", "", "none found; the lab needs none, `opsconsole init` writes one")
    yield from _helpers(configuration)


def _helpers(configuration: "Configuration") -> Iterator[Row]:
    environments = configuration.environments.values()
    if with_cluster := [each.name for each in environments if each.cluster]:
        told = os.environ.get("KUBECONFIG", "").split(os.pathsep)[0] or "~/.kube/config"
        file = Path(told).expanduser()
        wanted = f"the cluster of {', '.join(with_cluster)}"
        yield Row(
            "kubeconfig",
            str(file) if file.is_file() else "",
            "" if file.is_file() else f"for {wanted}: {file}",
        )
        yield Row(
            "kubectl",
            shutil.which("kubectl") or "",
            "" if shutil.which("kubectl") else "for runbooks by hand",
        )
    if any("'keyring:" in repr(each) for each in environments):
        yield _keyring()
    if (Path(__file__).parents[2] / "Makefile").is_file():
        yield Row(
            "goss", shutil.which("goss") or "", "" if shutil.which("goss") else "`make bench` leaves it out"
        )


def _keyring() -> Row:
    import keyring

    backend = keyring.get_keyring()
    if backend.priority <= 0:
        return Row(
            "keyring", "", "a secret is kept there, and there is none: unlock one, or use env: or file:"
        )
    return Row("keyring", backend.name)


def _records() -> Iterator[Row]:
    from opsconsole.store import default_path

    path = default_path()
    place = next(folder for folder in (path, *path.parents) if os.access(folder, os.F_OK))
    if os.access(place, os.W_OK):
        yield Row("records", f"{path}{'' if place == path else ' (none yet)'}")
    else:
        yield Row(
            "records", "", f"{place} cannot be written: `--records PATH` names another place", unless="WRONG"
        )


def _terminal() -> Iterator[Row]:
    if not sys.stdout.isatty():
        yield Row("terminal", "", "none: `verify` prints plain lines")
        return
    columns, lines = shutil.get_terminal_size()
    small = (
        "`verify` needs 80x24 for its screen; `--plain` works in any" if columns < 80 or lines < 24 else ""
    )
    yield Row("terminal", f"{columns}x{lines}, TERM={os.environ.get('TERM', '')}", small)
