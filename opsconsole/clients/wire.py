"""What several servers write in the same way: moments, durations, numbers."""

import math
import re
from datetime import datetime
from typing import Annotated

import msgspec

from opsconsole.errors import Nonsense
from opsconsole.redaction import excerpt

Moment = Annotated[datetime, msgspec.Meta(tz=True)]
"""An RFC 3339 time with its zone, as Go writes it."""

_DURATION = re.compile(r"(?:\d+(?:\.\d+)?(?:ms|us|µs|ns|[ywdhms]))+", re.ASCII)
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|[ywdhms])", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|Inf)|NaN", re.ASCII)
_UNIT_SECONDS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86_400.0,
    "w": 604_800.0,
    "y": 31_536_000.0,
}


def unix(moment: datetime) -> float:
    """Unix seconds; 0.0 for Go's zero time, with which servers say "never"."""
    return 0.0 if moment.year == 1 else moment.timestamp()


def seconds(duration: str) -> float:
    """A duration as Prometheus and Go write it (`1h30m`, `200ms`, `15d`, `0`). Raises ValueError."""
    if duration == "0":
        return 0.0
    if not _DURATION.fullmatch(duration):
        raise ValueError(f"{excerpt(duration, 40)!r} is no duration")
    return math.fsum(float(number) * _UNIT_SECONDS[unit] for number, unit in _PART.findall(duration))


def number(text: str, where: str) -> float:
    """A sample's value as Prometheus writes it, `NaN` and `+Inf` included. Raises Nonsense."""
    if not _NUMBER.fullmatch(text):
        raise Nonsense(f"{excerpt(text, 40)!r} is no number", where=where)
    return float(text)
