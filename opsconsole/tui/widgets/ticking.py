"""What turns while time passes: the sign of what is running, and its clock."""

from opsconsole.runview import ItemView
from opsconsole.tui.text import duration

_SPINNER = "⠋⠙⠸⠴⠦⠇"


def spinner(now: float) -> str:
    """The sign of what is running, as it is at this time."""
    return _SPINNER[int(now * 8) % len(_SPINNER)]


def clock(item: ItemView, now: float) -> str:
    """What a running item waits for yet, else how long it has been at work."""
    if item.waiting:
        return f"{duration(max(0.0, item.waiting_until - now))} left"
    return duration(max(0.0, now - (item.started_at or now)))
