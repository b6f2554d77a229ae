"""How the screen writes: durations, moments, outcomes, and text from servers made harmless."""

from datetime import UTC, datetime

from textual.content import Content

from opsconsole.model import SIGNS, Outcome
from opsconsole.reports.wording import clean


def plain(text: str) -> str:
    """`text` without anything that steers a terminal; its line breaks are kept."""
    return clean(text).expandtabs(4)


def wrap(text: str, width: int) -> list[str]:
    """`text` in lines of at most `width` cells; its own line breaks are kept."""
    return [line.plain.rstrip() for line in Content(plain(text)).wrap(max(width, 8))]


def fold(text: str, width: int) -> list[str]:
    """`text` in lines of `width` cells, broken anywhere: for code, whose spaces are no places to break."""
    lines = plain(text).splitlines()
    return [part.plain for line in lines for part in Content(line).fold(max(width, 8))]


def duration(seconds: float) -> str:
    """12 ms, 0.4 s, 12 s, 2:05 (minutes and seconds), 1:00:15 (hours before them)."""
    if 0 < seconds < 0.095:
        return f"{max(1, round(1000 * seconds))} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 59.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def moment(at: float) -> str:
    """A time as everyone on the team reads it: 2026-11-22 17:16 UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")


def size(count: int) -> str:
    """812 B, 5.4 kB, 11.8 MB."""
    if count < 1000:
        return f"{count} B"
    return f"{count / 1000:.1f} kB" if count < 999_950 else f"{count / 1_000_000:.1f} MB"


def style_of(outcome: Outcome) -> str:
    """The name of an outcome's style: "pass", "sign-off" ..."""
    return outcome.value.lower()


def labelled(outcome: Outcome) -> str:
    """Sign and word together, as wide for every outcome."""
    return f"{SIGNS[outcome]} {outcome.value:<8}"
