"""Time intervals of Alertmanager: is one active at a given moment, and is there a moment left to notify at?

Reading and calendar arithmetic are amlint's; the clock and the time zone are added here.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, tzinfo
from typing import Any

from amlint import timeintervals
from amlint.timeintervals import Entry, IntervalError, minutes_on, parse_entry

from opsconsole.errors import Nonsense

_FIELDS = {"times", "weekdays", "days_of_month", "months", "years", "location"}


class TimeInterval:
    """One named entry of `time_intervals:` or of the deprecated `mute_time_intervals:`.

    Raises Nonsense for what cannot be evaluated: a field or a zone that is not known here.
    """

    def __init__(self, name: str, entries: Sequence[Mapping[str, Any]]) -> None:
        self.name = name
        self._entries = [_entry(name, entry) for entry in entries]

    def contains(self, at: datetime) -> bool:
        """Whether the interval is active at `at`, an aware time."""
        return any(_active(entry, zone, at) for entry, zone in self._entries)

    @property
    def entries(self) -> list[Entry]:
        return [entry for entry, _ in self._entries]


def never_sends(mute: Sequence[TimeInterval], active: Sequence[TimeInterval], today: date) -> bool:
    """Whether a route that the one mute, and that is active only in the others (where there are any), is
    muted at every moment from today on. Where several time zones take part, only what needs no comparison of
    them is said."""
    zones = {entry.location or "UTC" for interval in (*mute, *active) for entry in interval.entries}
    if len(zones) <= 1:
        mutes, actives = [one.entries for one in mute], [one.entries for one in active]
        return timeintervals.never_sends(mutes, actives, today)
    open_ = not active or any(timeintervals.ever_active(one.entries, today) for one in active)
    return not open_ or any(timeintervals.always_active(one.entries) for one in mute)


def _entry(name: str, raw: Mapping[str, Any]) -> tuple[Entry, tzinfo]:
    where = f"time interval {name}"
    try:
        entry = parse_entry(raw)
    except IntervalError as error:
        raise Nonsense(f"{error.where}: {error}", where=where) from None
    if unknown := raw.keys() - _FIELDS:
        raise Nonsense(f"unknown fields {', '.join(sorted(map(str, unknown)))}", where=where)
    return entry, _zone(entry.location, where)


def _zone(location: str | None, where: str) -> tzinfo:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # 4 ms that most configurations never need

    if location == "Local":
        raise Nonsense(
            "location Local is the zone of Alertmanager's own machine, which it does not tell",
            where=where,
            hint="Name the zone in Alertmanager's configuration, for instance Europe/Berlin.",
        )
    try:
        return ZoneInfo(location or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Nonsense(
            f"no time zone {location} is known here", where=where, hint="Install tzdata."
        ) from None


def _active(entry: Entry, zone: tzinfo, at: datetime) -> bool:
    local = at.astimezone(zone)
    minute = local.hour * 60 + local.minute
    return any(begin <= minute < end for begin, end in minutes_on(entry, local.date()))
