"""Inhibition: which alert mutes which, by which rule of Alertmanager's `inhibit_rules:`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from opsconsole.clients.matching import Labels, Matcher, all_pass, contradicts


@dataclass(frozen=True, slots=True)
class Inhibition:
    """`source` is the label set of the alert that mutes; `rule` names the inhibit rule for a person.

    `certain` is False where the muted alert is itself on both sides of the rule: Alertmanager may then
    overlook the source if others share its labels of `equal` (its issue 5162; seen in 0.33.1).
    """

    source: Labels
    rule: str
    certain: bool = True


@dataclass(frozen=True, slots=True)
class InhibitRule:
    """One entry of `inhibit_rules:`, compiled."""

    name: str
    source: Sequence[Matcher]
    target: Sequence[Matcher]
    equal: Sequence[str]

    def mutes(self, source: Labels, target: Labels) -> bool:
        """Whether `source`, while it fires, mutes `target`.

        Labels of `equal` must have one value; missing on both sides is one value. Alerts that are both
        on both sides of the rule do not mute each other, nor themselves.
        """
        if not all_pass(self.target, target) or not all_pass(self.source, source):
            return False
        if any(source.get(label, "") != target.get(label, "") for label in self.equal):
            return False
        return not (all_pass(self.source, target) and all_pass(self.target, source))

    def could_mute(self, source: Labels, target: Labels) -> bool:
        """As `mutes`, where the alerts may carry labels besides those given: true unless a label that is
        given forbids it."""
        if contradicts(self.target, target) or contradicts(self.source, source):
            return False
        if any(source[label] != target[label] for label in self.equal if label in source and label in target):
            return False
        return not (self._certainly_both(source) and self._certainly_both(target))

    def _certainly_both(self, labels: Labels) -> bool:
        sides = (*self.source, *self.target)
        return all(matcher[0] in labels for matcher in sides) and all_pass(sides, labels)


def inhibitions(rules: Iterable[InhibitRule], target: Labels, active: Sequence[Labels]) -> list[Inhibition]:
    """What mutes `target` while the `active` alerts fire: by rule, then in the order of the alerts."""
    return [
        Inhibition(source, rule.name, not all_pass(rule.source, target))
        for rule in rules
        if all_pass(rule.target, target)
        for source in active
        if rule.mutes(source, target)
    ]


def possible_inhibitions(
    rules: Iterable[InhibitRule], target: Labels, candidates: Sequence[Labels]
) -> list[Inhibition]:
    """What could mute `target`, were the `candidates` to fire; see `InhibitRule.could_mute`."""
    return [
        Inhibition(source, rule.name, not all_pass(rule.source, target))
        for rule in rules
        for source in candidates
        if rule.could_mute(source, target)
    ]
