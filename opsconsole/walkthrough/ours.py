"""Whether what was seen is of the alert under test, and not of another that only looks like it."""

import re
from collections.abc import Mapping, Sequence

from opsconsole.clients.inbox import Message
from opsconsole.clients.receivers import Target

_STATED = re.compile(r'^\W*(\w+)\W*\s=\s*"?(.*?)"?\s*$', re.MULTILINE)


def is_of(message: Message, labels: Mapping[str, str]) -> bool:
    """Whether a message tells of the alert with these labels.

    It names the alert, as a whole word; and of each label whose values it states in lines of their own, as
    Alertmanager's templates do, one is the alert's: a group may hold others beside it.
    """
    text = f"{message.subject}\n{message.body_excerpt}".replace("\\n", "\n")
    name = labels.get("alertname", "")
    if name in text and not re.search(rf"(?<![\w:]){re.escape(name)}(?![\w:])", text):
        return False
    stated: dict[str, set[str]] = {}
    for label, value in _STATED.findall(text):
        stated.setdefault(label, set()).add(value)
    return all(labels[label] in values for label, values in stated.items() if label in labels)


def assign(message: Message, targets: Sequence[Target], arrived: dict[Target, Message]) -> None:
    """Take a message for the target that it came to. One message counts for one target, a mail for each of
    its recipients; where a receiver has several channels of one kind, it must name the one it is in."""
    of_kind = [target for target in targets if target.kind == message.channel]
    names = {name.lstrip("#") for name in message.to}
    for target in of_kind:
        named = target.address.lstrip("#") in names
        if named or (len(of_kind) == 1 and target.kind != "email"):
            arrived.setdefault(target, message)
