"""What is tested before what: alerts that share a metric, or of which one mutes the other, one by one."""

from collections.abc import Sequence
from dataclasses import dataclass

from opsconsole.promql import Comparison
from opsconsole.walkthrough.siblings import extremity


@dataclass(frozen=True)
class Turn:
    """An alert that can be tested: what it reads and its fault moves (`metrics`), whether the fault is dosed
    (`counted`), and the alerts that Alertmanager mutes while it fires."""

    alert: str
    comparison: Comparison | None
    metrics: frozenset[str]
    counted: bool
    mutes: frozenset[str] = frozenset()


def turns(wanted: Sequence[Turn]) -> dict[str, tuple[str, ...]]:
    """For each alert those that go before it, so that each is seen alone.

    A lower threshold on the same left side goes before a higher one, and what is there for as long as its
    fault is open, as silence is, goes last. Alerts that have nothing in common do not wait for each other.
    """
    sides: dict[str, int] = {}
    for turn in wanted:
        sides.setdefault(_side(turn), len(sides))

    def place(turn: Turn) -> tuple[bool, int, float]:
        return not turn.counted, sides[_side(turn)], extremity(turn.comparison)

    ordered = sorted(wanted, key=place)
    return {
        turn.alert: tuple(before.alert for before in ordered[:number] if _clash(before, turn))
        for number, turn in enumerate(ordered)
    }


def _side(turn: Turn) -> str:
    return turn.comparison.left if turn.comparison else turn.alert


def _clash(one: Turn, other: Turn) -> bool:
    return bool(one.metrics & other.metrics) or one.alert in other.mutes or other.alert in one.mutes
