"""Events as JSON and back: what the records keep and what `--json` prints."""

import dataclasses
import json

import msgspec

from opsconsole.errors import RecordsError
from opsconsole.model import EVENTS, Entry, Event


def encode(event: Event) -> tuple[str, str]:
    """The event's kind and its JSON. Text that is no valid Unicode (a file name, say) keeps a `?` there."""
    kind = type(event).__name__
    try:
        return kind, msgspec.json.encode(event).decode()
    except UnicodeEncodeError:
        plain = json.dumps(dataclasses.asdict(event), ensure_ascii=False)
        return kind, plain.encode(errors="replace").decode()


def decode(kind: str, body: str) -> Event:
    """The event that `encode` was given. Raises RecordsError for what this opsconsole cannot read."""
    if (shape := EVENTS.get(kind)) is None:
        raise RecordsError(
            f"there is an event of the kind {kind!r}, which this opsconsole does not know",
            hint="a newer opsconsole wrote it: update this one",
        )
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.MsgspecError as error:
        raise RecordsError(
            f"an event of the kind {kind} cannot be read: {error}",
            hint="`opsconsole runs verify` tells whether the records were changed",
        ) from error


def line(entry: Entry) -> str:
    """The entry as one line of JSON, without its end: run, number, at (unix seconds), kind, event."""
    kind, body = encode(entry.event)
    head = msgspec.json.encode(
        {"run": entry.run, "number": entry.number, "at": entry.at, "kind": kind, "event": msgspec.Raw(body)}
    )
    return head.decode()
