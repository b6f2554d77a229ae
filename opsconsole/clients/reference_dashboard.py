"""The reference dashboard on disk: the dashboard as it is meant to be served."""

import json
from pathlib import Path
from typing import Any

from opsconsole.clients.dashboards import Dashboard, library_of, parse
from opsconsole.errors import ConfigError, Nonsense

_HINT = "give the dashboard's JSON, as Grafana exports it or as its API gives it"


def read(path: Path) -> Dashboard:
    """The dashboard in the file: its bare model, also exported to share (`__inputs`, `__elements`), or within
    `{"dashboard": ...}`. Raises ConfigError with path and line for anything else."""
    try:
        model = _model(json.loads(path.read_text(encoding="utf-8-sig"), strict=False))
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"it is not JSON: {error.msg}", where=f"{path}:{error.lineno}", hint=_HINT
        ) from None
    except RecursionError:
        raise ConfigError("it is nested too deeply", where=str(path), hint=_HINT) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", where=str(path), hint=_HINT) from None
    if model is None:
        raise ConfigError("it holds no dashboard: there are no panels in it", where=str(path), hint=_HINT)
    try:
        return parse(model, library_of(model), str(path))
    except Nonsense as error:
        message = error.message.replace("answered", "it holds", 1)
        raise ConfigError(message, where=str(path), hint=_HINT) from None


def _model(value: Any) -> dict[str, Any] | None:
    if isinstance(value, dict) and isinstance(value.get("dashboard"), dict):
        value = value["dashboard"]
    if isinstance(value, dict) and any(isinstance(value.get(key), list) for key in ("panels", "rows")):
        return value
    return None
