"""Grafana's template variables in a panel's query.

The forms and formats are those of Grafana's documentation ("Variable syntax", "Advanced variable format
options"), the time variables those of its Prometheus data source.
"""

import json
import re
from collections.abc import Mapping, Sequence
from urllib.parse import quote

_VARIABLE = re.compile(
    r"\$(?P<plain>\w+)"
    r"|\[\[(?P<square>\w+)(?:\.[^:\]]+)?(?::(?P<square_format>\w+))?\]\]"
    r"|\$\{(?P<braced>\w+)(?:\.[^:}]+)?(?::(?P<braced_format>[^}]+))?\}"
)
_REGEX_SPECIAL = re.compile(r"[\\^$*+?.()|[\]{}/]")
_REGEX_IN_PROMQL = re.compile(r"[$^*{}\[\]'+?.()|]")
_DEFAULT_POINTS = 1000

Value = str | tuple[str, ...]
"""What a variable stands for: a text as it is, or the values chosen of a variable that takes several."""


def fill(text: str, variables: Mapping[str, Value]) -> str:
    """The query with its variables replaced, as `$name`, `${name}`, `${name:format}` or `[[name]]`.

    A text is put in as it is. Of several values a plain `$name` makes a regular expression, `(a|b)`, as
    Grafana's Prometheus data source does it: each value is escaped for one within a PromQL string. Names that
    are not there stay as they are; see `unresolved`. The time variables are among `time_variables`.
    """

    def replaced(found: re.Match[str]) -> str:
        name, form = _parts(found)
        return _formatted(variables[name], form) if name in variables else found[0]

    return _VARIABLE.sub(replaced, text)


def unresolved(text: str) -> list[str]:
    """The names of variables left in a query, each once; `$1` and the like are groups of label_replace."""
    names = (_parts(found)[0] for found in _VARIABLE.finditer(text))
    return list(dict.fromkeys(name for name in names if not name[0].isdigit()))


def time_variables(
    range_seconds: float, scrape_interval_seconds: float, points: int = _DEFAULT_POINTS
) -> dict[str, str]:
    """What Grafana sets by itself for a panel that shows `range_seconds` in at most `points` points.

    `$__interval` is never below the scrape interval, `$__rate_interval` never below four of them.
    """
    interval = max(1.0, scrape_interval_seconds, range_seconds / points)
    rate_interval = max(interval + scrape_interval_seconds, 4 * scrape_interval_seconds)
    return {
        "__interval": _duration(interval),
        "__interval_ms": str(round(interval * 1000)),
        "__rate_interval": _duration(rate_interval),
        "__rate_interval_ms": str(round(rate_interval * 1000)),
        "__range": _duration(range_seconds),
        "__range_s": str(round(range_seconds)),
        "__range_ms": str(round(range_seconds * 1000)),
    }


def _parts(found: re.Match[str]) -> tuple[str, str]:
    name = found["plain"] or found["square"] or found["braced"]
    return name, found["square_format"] or found["braced_format"] or ""


def _formatted(value: Value, form: str) -> str:
    values = (value,) if isinstance(value, str) else value
    match form:
        case "regex":
            return _alternatives([_REGEX_SPECIAL.sub(r"\\\g<0>", each) for each in values])
        case "singlequote":
            return ",".join("'" + each.replace("'", "\\'") + "'" for each in values)
        case "doublequote":
            return ",".join('"' + each.replace('"', '\\"') + '"' for each in values)
        case "json":
            return json.dumps(value)
        case "percentencode":
            return quote(",".join(values), safe="")
        case "pipe":
            return "|".join(values)
        case "csv" | "raw":
            return ",".join(values)
        case "date:seconds":
            return str(int(values[0]) // 1000) if values[0].isdecimal() else values[0]
    return value if isinstance(value, str) else _alternatives([_escaped(each) for each in value])


def _alternatives(values: Sequence[str]) -> str:
    return values[0] if len(values) == 1 else f"({'|'.join(values)})"


def _escaped(value: str) -> str:
    return _REGEX_IN_PROMQL.sub(r"\\\\\g<0>", value.replace("\\", "\\\\\\\\"))


def _duration(seconds: float) -> str:
    whole = round(seconds * 1000)
    return f"{whole // 1000}s" if whole % 1000 == 0 else f"{whole}ms"
