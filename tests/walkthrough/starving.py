"""Drills that had too little computing time: they say so, and are tried again."""

from opsconsole.model import Outcome
from opsconsole.runview import ItemView

TRIES = 4
_STARVED = ("cannot be held", "could not be held", "it did not hold for", "beside it")


def starved(item: ItemView) -> bool:
    """Whether it could not be tested for want of computing time: it says so, and is to be tried again."""
    return item.outcome is Outcome.UNKNOWN and any(words in item.text for words in _STARVED)
