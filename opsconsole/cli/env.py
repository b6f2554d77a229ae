"""`opsconsole env`: the environments, and where each value in force comes from."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsconsole.cli import complete

if TYPE_CHECKING:
    from opsconsole.config import Environment

DEFAULT = "default"
LAB_NOTE = "embedded: made when it starts, needs no configuration; see opsconsole lab status"


@dataclass(frozen=True)
class Setting:
    """One value in force. `origin` is file and line, or "default"; `state` says of a secret whether it
    resolves, of a file whether it is there."""

    key: str
    value: Any
    origin: str
    state: str = ""


def _options(function: Callable[..., None]) -> Callable[..., None]:
    path = click.option(
        "--config", "path", type=click.Path(path_type=Path), help="The file to read, instead of the nearest."
    )
    return path(click.option("--json", "as_json", is_flag=True, help="As JSON.")(function))


@click.group()
def command() -> None:
    """Show the environments and where each setting comes from."""


@command.command("list")
@_options
def list_(path: Path | None, as_json: bool) -> None:
    """List the environments: the lab, and those of opsconsole.toml."""
    from opsconsole import config

    configuration = config.open_configuration(path)
    rows = [{"name": config.LAB, "protected": False, "source": "embedded"}] + [
        {"name": name, "protected": environment.protected, "source": environment.source}
        for name, environment in configuration.environments.items()
    ]
    if as_json:
        _print_json(rows)
        return
    width = max(len(str(row["name"])) for row in rows)
    for row in rows:
        _print(f"{row['name']:{width}}  {'protected' if row['protected'] else 'open':9}  {row['source']}")
    if configuration.path is None:
        _print("There is no opsconsole.toml here or above: opsconsole init writes one to begin with.")


@command.command()
@click.argument("name", shell_complete=complete.environments)
@_options
def show(name: str, path: Path | None, as_json: bool) -> None:
    """Show every value in force in the environment NAME, and where it comes from."""
    from opsconsole import config

    if name == config.LAB:
        _print_json({"environment": name, "note": LAB_NOTE}) if as_json else _print(f"{name}  {LAB_NOTE}")
        return
    configuration = config.open_configuration(path)
    environment = configuration.named(name)
    settings = list(in_force(environment, configuration.origins[name]))
    if as_json:
        _print_json(
            {
                "environment": name,
                "source": environment.source,
                "settings": [_plain(setting) for setting in settings],
            }
        )
        return
    _print(f"{name}  {environment.source}{'  PROTECTED' if environment.protected else ''}")
    width = max(len(setting.key) for setting in settings)
    for setting in settings:
        value = f"{_text(setting.value)}{f' ({setting.state})' if setting.state else ''}"
        origin = setting.origin.removeprefix(f"{Path(environment.source).parent}/")
        _print(f"  {setting.key:{width}}  {value}  [{origin}]")


def in_force(environment: "Environment", origins: Mapping[str, str]) -> Iterator[Setting]:
    """Every setting of `environment`, defaults too, in the order of its fields."""
    from opsconsole import config

    missing = {key for key, path in config.files(environment).items() if not config.is_file(path)}
    shared = environment.request_timeout_seconds
    for key, value in _values(environment):
        origin = origins.get(key, DEFAULT)
        if value is None and key.endswith(".timeout_seconds"):
            value, origin = shared, "request_timeout_seconds"
        yield Setting(key, value, origin, "there is no such file" if key in missing else _state(value))


def _values(record: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """The values of a dataclass by their dotted keys, what is inside other tables included."""
    from opsconsole.secrets import Secret

    for field in fields(record):
        key, value = prefix + field.metadata.get("key", field.name), getattr(record, field.name)
        if not prefix and field.name in ("name", "source"):
            continue
        if isinstance(value, Mapping) and value:
            yield from ((f"{key}.{name}", inner) for name, inner in value.items())
        elif is_dataclass(value) and not isinstance(value, Secret):
            yield from _values(value, f"{key}.")
        else:
            yield key, value


def _state(value: Any) -> str:
    from opsconsole.errors import ConfigError
    from opsconsole.secrets import Secret

    if not isinstance(value, Secret):
        return ""
    try:
        value.reveal()
    except ConfigError as error:
        return f"does not resolve: {error.message}"
    return "resolves"


def _text(value: Any) -> str:
    from opsconsole.secrets import Secret

    match value:
        case Secret():
            return value.reference
        case None | "" | {}:
            return "-"
        case bool():
            return str(value).lower()
        case _:
            return str(value)


def _plain(setting: Setting) -> dict[str, Any]:
    from opsconsole.secrets import Secret

    value = setting.value.reference if isinstance(setting.value, Secret) else setting.value
    return asdict(setting) | {"value": value}


def _print(line: str) -> None:
    from opsconsole.redaction import redact

    click.echo(redact(line))


def _print_json(value: Any) -> None:
    import json

    _print(json.dumps(value, indent=2, default=str))
