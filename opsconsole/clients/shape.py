"""The shape of Alertmanager's configuration: what is not as expected is refused, never skipped.

A server's own configuration is always in shape, so a setting of another type, or one not known here,
means that it would be read otherwise than meant.
"""

from collections.abc import Mapping
from typing import Any

from opsconsole.errors import Nonsense

Settings = Mapping[str, type]

_MATCHERS: Settings = {"match": dict, "match_re": dict, "matchers": list}

ROUTE: Settings = {
    **_MATCHERS,
    "receiver": str,
    "group_by": list,
    "group_wait": str,
    "group_interval": str,
    "repeat_interval": str,
    "continue": bool,
    "routes": list,
    "mute_time_intervals": list,
    "active_time_intervals": list,
}

INHIBIT_RULE: Settings = {
    "name": str,
    "equal": list,
    **{f"{side}_{setting}": kind for side in ("source", "target") for setting, kind in _MATCHERS.items()},
}


def check(mapping: Mapping[str, Any], settings: Settings, where: str) -> None:
    """Raise Nonsense for a setting that is not among `settings`, or of another type; null is unset."""
    for name, value in mapping.items():
        if name not in settings:
            raise Nonsense(f"the setting {name} is not known here", where=where)
        if value is not None and not isinstance(value, settings[name]):
            raise Nonsense(f"{name} is not a {settings[name].__name__}", where=where)


def mappings(owner: Mapping[str, Any], setting: str, where: str) -> list[dict[str, Any]]:
    """The list of mappings under `setting`, empty where it is unset; Nonsense for anything else."""
    entries = owner.get(setting) or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise Nonsense(f"{setting} is not a list of mappings", where=where)
    return entries
