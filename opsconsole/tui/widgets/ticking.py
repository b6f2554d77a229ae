"""What turns while time passes: the sign of what is running, and its clock."""

from opsconsole.runview import ItemView
from opsconsole.tui.text import duration

_SPINNER = "⠋⠙⠸⠴⠦⠇"


def spinner(now: float) -> str:
    """The sign of what is running, as it is at this time."""
    return _SPINNER[int(now * 8) % len(_SPINNER)]


def clock(item: ItemView, now: float) -> str:
    """How long a running item has to wait yet, or has waited too long; else how long it has been at work."""
    if item.waiting:
        left = item.waiting_until - now
        return f"{duration(left)} left" if left >= 0 else f"{duration(-left)} late"
    return duration(max(0.0, now - (item.started_at or now)))
