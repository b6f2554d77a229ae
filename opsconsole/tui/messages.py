"""What the application and its screens tell each other."""

from enum import StrEnum
from typing import TYPE_CHECKING

from textual.message import Message

from opsconsole.model import Entry

if TYPE_CHECKING:
    from opsconsole.store import Records


class State(StrEnum):
    """What the session does now, in the words that the screen shows."""

    STARTING = "starting"
    PLANNING = "planning"
    PLANNED = "planned"
    RUNNING = "running"
    IDLE = "done"
    CLOSING = "closing"
    PAST = "past run"


class Recorded(Message):
    """An entry is on disk and can be shown."""

    def __init__(self, entry: Entry) -> None:
        super().__init__()
        self.entry = entry


class Progressed(Message):
    """A step on the way to an open session, for instance "starting Prometheus 2.53"."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class Opened(Message):
    """The session is open; `entries` are those that its run has already."""

    def __init__(self, records: "Records", entries: list[Entry]) -> None:
        super().__init__()
        self.records = records
        self.entries = entries


class StateChanged(Message):
    """The session does something else now."""

    def __init__(self, state: State) -> None:
        super().__init__()
        self.state = state


class RunRequested(Message):
    """The user wants these items done again; None: all."""

    def __init__(self, ids: list[str] | None) -> None:
        super().__init__()
        self.ids = ids


class SignOffRequested(Message):
    """The user judged an item."""

    def __init__(self, item: str, who: str, passed: bool, note: str) -> None:
        super().__init__()
        self.item = item
        self.who = who
        self.passed = passed
        self.note = note
