"""Inhibit rules the wrong way round: a less severe alert mutes a more severe one."""

from collections.abc import Iterable, Iterator

from opsconsole.clients.inhibition import Inhibition, InhibitRule
from opsconsole.clients.matching import Labels, all_pass

_SEVERITIES = (("info", "low"), ("warning", "medium"), ("error", "high"), ("critical", "page"))
_RANK = {word: rank for rank, words in enumerate(_SEVERITIES) for word in words}


class WrongWayRound:
    """What mutes a more severe alert, of alerts that are known by their label sets.

    Each of them is looked at once for each rule, since there may be thousands of both sides. Alerts whose
    label `severity` is not one of the words known here are left alone.
    """

    def __init__(self, rules: Iterable[InhibitRule], alerts: Iterable[Labels]) -> None:
        ranked = [(rank, alert) for alert in alerts if (rank := _rank(alert)) is not None]
        self._rules = [(rule, _sources(rule, ranked)) for rule in rules]

    def muting(self, target: Labels) -> Iterator[Inhibition]:
        """What mutes it while it fires, by rule; of sources alike in name and severity the first."""
        own = _rank(target)
        if own is None:
            return
        for rule, sources in self._rules:
            if all_pass(rule.target, target):
                for rank, source in sources.get(_equal(rule, target), {}).values():
                    if rank < own and rule.mutes(source, target):
                        yield Inhibition(source, rule.name, not all_pass(rule.source, target))


def _rank(labels: Labels) -> int | None:
    return _RANK.get(labels.get("severity", "").lower())


_Sources = dict[tuple[str, ...], dict[tuple[str, int, bool], tuple[int, Labels]]]
"""By the values of the labels in `equal`, then by what tells one source from another."""


def _sources(rule: InhibitRule, ranked: Iterable[tuple[int, Labels]]) -> _Sources:
    found: _Sources = {}
    for rank, alert in ranked:
        if all_pass(rule.source, alert):
            kind = alert.get("alertname", ""), rank, all_pass(rule.target, alert)
            found.setdefault(_equal(rule, alert), {}).setdefault(kind, (rank, alert))
    return found


def _equal(rule: InhibitRule, labels: Labels) -> tuple[str, ...]:
    return tuple(labels.get(label, "") for label in rule.equal)
