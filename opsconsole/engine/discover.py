"""What checks there are: one file each, its stem the id, its signature the truth about what it needs."""

import importlib.util
import inspect
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opsconsole.errors import ChecklistError
from opsconsole.model import Finding, Seen

CLIENTS = (
    "prometheus", "alertmanager", "grafana", "service", "inbox", "mail_server", "cluster", "reference",
    "effects",
)  # fmt: skip
"""The clients that a check may ask for, by the names of its positional parameters."""


@dataclass(frozen=True)
class Setting:
    """A keyword-only parameter of a check; `default` is `inspect.Parameter.empty` where it must be given."""

    name: str
    annotation: Any
    default: Any

    @property
    def required(self) -> bool:
        return self.default is inspect.Parameter.empty


@dataclass(frozen=True)
class Check:
    """One check.

    `needs` are the clients that it cannot do without, `may_use` those that it takes where there are any
    (parameters with the default None); `diagnosis` names checks to run when this one does not pass.
    """

    id: str
    title: str
    path: Path
    run: Callable[..., AsyncIterator[Finding | Seen]]
    needs: tuple[str, ...]
    may_use: tuple[str, ...]
    settings: dict[str, Setting]
    diagnosis: tuple[str, ...]

    @property
    def acts(self) -> bool:
        """Whether it changes something: it asks for `effects`."""
        return "effects" in self.needs


def discover(folder: Path) -> dict[str, Check]:
    """The checks in `folder`, by id. Raises ChecklistError for a file that is not a check."""
    if not folder.is_dir():
        raise ChecklistError("there is no such folder of checks", where=str(folder))
    checks = {path.stem: _load(path) for path in sorted(folder.glob("*.py"))}
    for check in checks.values():
        for name in check.diagnosis:
            if name not in checks:
                raise ChecklistError(
                    f"DIAGNOSIS names {name!r}, and there is no such check", where=str(check.path)
                )
    return checks


def _load(path: Path) -> Check:
    name = f"opsconsole_checks.{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ChecklistError("cannot be loaded", where=str(path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        raise ChecklistError(f"cannot be loaded: {type(error).__name__}: {error}", where=str(path)) from error
    run = getattr(module, "check", None)
    if not inspect.isasyncgenfunction(run):
        raise ChecklistError(
            "has no check", where=str(path), hint="define `async def check(...)` and yield Seen or Finding"
        )
    if not (title := (module.__doc__ or "").strip().partition("\n")[0].rstrip(".")):
        raise ChecklistError("has no docstring, whose first line is its title", where=str(path))
    needs, may_use, settings = _signature(run, path)
    return Check(
        path.stem, title, path, run, needs, may_use, settings, tuple(getattr(module, "DIAGNOSIS", ()))
    )


def _signature(
    run: Callable[..., Any], path: Path
) -> tuple[tuple[str, ...], tuple[str, ...], dict[str, Setting]]:
    needs: list[str] = []
    may_use: list[str] = []
    settings: dict[str, Setting] = {}
    for parameter in inspect.signature(run).parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY:
            settings[parameter.name] = Setting(parameter.name, parameter.annotation, parameter.default)
        elif parameter.name not in CLIENTS:
            raise ChecklistError(
                f"asks for {parameter.name!r}, which is no client",
                where=str(path),
                hint=f"clients: {', '.join(CLIENTS)}; settings come after a bare *",
            )
        else:
            (may_use if parameter.default is None else needs).append(parameter.name)
    return tuple(needs), tuple(may_use), settings
