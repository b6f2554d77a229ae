"""The events themselves, one line of JSON each, as they come."""

import re
from typing import TextIO

from opsconsole.model import Entry
from opsconsole.store.codec import line

_RAW_CONTROL = re.compile(r"[\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


class JsonReport:
    """A reader that prints each entry as {"run", "number", "at", "kind", "event"}; `at` in unix seconds."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __call__(self, entry: Entry) -> None:
        self._stream.write(json_line(entry) + "\n")
        self._stream.flush()


def json_line(entry: Entry) -> str:
    """One entry as a line of JSON in which no control character is left as it is."""
    return escaped(line(entry))


def escaped(text: str) -> str:
    """JSON in which no control character is left as it is, also where JSON would allow it."""
    return _RAW_CONTROL.sub(lambda found: f"\\u{ord(found.group()):04x}", text)
