"""Rules and routes with all their durations shortened by one monotone rule, so that hours take seconds.

Five minutes become one second, and the longer a duration is, the more it shrinks: 24 hours become 7.26 s.
What was shorter stays shorter, so that the logic of the files is theirs; only the time runs faster.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import yaml

from opsconsole.clients.wire import seconds
from opsconsole.promql import with_durations
from opsconsole.promql.durations import display

REFERENCE_SECONDS = 300.0
"""What becomes one second."""

EXPONENT = 0.35
SCRAPE_SECONDS = 0.1
"""How often the drill lab scrapes its service and evaluates its rules."""

LEAST_WINDOW_SECONDS = 5 * SCRAPE_SECONDS
"""A range of fewer scrapes says little, and of less than two nothing."""

_TIMINGS = ("group_wait", "group_interval", "repeat_interval")


def shortened(duration_seconds: float) -> float:
    """The rule, in seconds to a hundredth: 10 s become 0.3, 15 min 1.47, 6 h 4.47; nothing stays nothing."""
    short = round(float((abs(duration_seconds) / REFERENCE_SECONDS) ** EXPONENT), 2)
    return short if duration_seconds >= 0 else -short


def shortened_window(duration_seconds: float) -> float:
    """The rule for what samples are looked for in."""
    return max(shortened(duration_seconds), LEAST_WINDOW_SECONDS)


def shorten_rules(text: str) -> str:
    """A rule file with the durations of its expressions, its `for`s and its intervals shortened.

    Raises Nonsense for an expression that is not PromQL, and ValueError for what is no duration.
    """
    file: dict[str, Any] = yaml.safe_load(text)
    for group in file["groups"]:
        _change(group, ("interval", "query_offset"), shortened)
        for rule in group["rules"]:
            rule["expr"] = with_durations(rule["expr"], shortened, shortened_window)
            _change(rule, ("for", "keep_firing_for"), shortened)
    return _written(file)


def shorten_routes(text: str) -> str:
    """An Alertmanager configuration with the timings of its routes shortened.

    `resolve_timeout` stays: it ends alerts that nobody renews, and no rule's alert comes without an end.
    """
    config: dict[str, Any] = yaml.safe_load(text)
    routes = [config["route"]]
    for route in routes:
        _change(route, _TIMINGS, shortened)
        routes.extend(route.get("routes", ()))
    return _written(config)


def _change(table: dict[str, Any], keys: tuple[str, ...], rule: Callable[[float], float]) -> None:
    for key in keys:
        if key in table:
            table[key] = display(timedelta(seconds=rule(seconds(str(table[key])))))


class _Dumper(yaml.SafeDumper):
    """Texts of several lines stay readable."""

    def represent_text(self, text: str) -> yaml.Node:
        return self.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _Dumper.represent_text)


def _written(content: dict[str, Any]) -> str:
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=110)
