"""Time intervals of Alertmanager: is one active at a given moment, when does that change, and is there a
moment left to notify at?

Reading and calendar arithmetic are amlint's; the clock and the time zone are added here.
"""

from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import chain
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

    def turns(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """Moments at which it may begin or end, in UTC and in no order: all that there are between two aware
        times, and some that are not."""
        for entry, zone in self._entries:
            day, last = (at.astimezone(zone).date() for at in (since, until))
            while day <= last:
                for minute in chain.from_iterable(minutes_on(entry, day)):
                    wall = datetime.combine(day, time(), zone) + timedelta(minutes=minute)
                    yield from (wall.replace(fold=fold).astimezone(UTC) for fold in (0, 1))
                day += timedelta(days=1)
            yield from _clock_changes(zone, since, until)

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


def _clock_changes(zone: tzinfo, since: datetime, until: datetime) -> Iterator[datetime]:
    """The whole minute at which the zone's offset changes, once at the most."""
    start = since.astimezone(UTC).replace(second=0, microsecond=0)
    minutes = range((until - start) // timedelta(minutes=1) + 1)

    def changed(minute: int) -> bool:
        return (start + timedelta(minutes=minute)).astimezone(zone).utcoffset() != before

    before = start.astimezone(zone).utcoffset()
    first = bisect(minutes, False, key=changed)
    if first < len(minutes):
        yield start + timedelta(minutes=first)


def _active(entry: Entry, zone: tzinfo, at: datetime) -> bool:
    local = at.astimezone(zone)
    minute = local.hour * 60 + local.minute
    return any(begin <= minute < end for begin, end in minutes_on(entry, local.date()))
