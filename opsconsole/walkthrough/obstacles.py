"""Why the test of an alert cannot succeed, as far as it is seen before anything is sent."""

from collections.abc import Iterable, Iterator, Sequence

from opsconsole.clients.prometheus import Rule, Target
from opsconsole.clients.reference import ReferenceRule
from opsconsole.config import Environment
from opsconsole.errors import OpsconsoleError, Unseen
from opsconsole.faults import Fault
from opsconsole.model import Finding, Hop, Obstacle, Outcome

GUARDED = ("payments", "webhooks")
"""What a fault may touch in a protected environment only where its configuration says `allow_faults`."""

_HOPS = list(Hop)


def in_the_way(obstacles: Iterable[Obstacle]) -> tuple[Obstacle, ...]:
    """Each once, the one that the signal would meet first at the beginning."""
    return tuple(sorted(dict.fromkeys(obstacles), key=lambda obstacle: _HOPS.index(obstacle.hop)))


def wrong(hop: Hop, finding: Finding) -> Obstacle:
    """What was seen to be wrong."""
    return Obstacle(outcome=Outcome.FAIL, summary=finding.summary, remedy=finding.remedy, hop=hop)


def unseen(hop: Hop, what: str, error: OpsconsoleError) -> Obstacle:
    """What could not be seen: `what` begins the sentence."""
    where = f" ({error.where})" if error.where else ""
    return Obstacle(
        outcome=Outcome.UNKNOWN, summary=f"{what}: {error.message}{where}", remedy=error.hint, hop=hop
    )


def of_rules(named_so: Sequence[Rule]) -> Iterator[Obstacle]:
    """Of the rules that are loaded under the alert's name."""
    if not named_so:
        finding = Finding(
            summary="no rule of this name is loaded in Prometheus",
            remedy="name its file under rule_files in prometheus.yml and reload; opsconsole verify -k rules",
        )
        yield wrong(Hop.PENDING, finding)
    if len(named_so) > 1:
        groups = " and ".join(dict.fromkeys(rule.group for rule in named_so))
        yield Obstacle(
            outcome=Outcome.UNKNOWN,
            summary=f"{len(named_so)} rules have this name, in {groups}: they cannot be told apart",
            remedy="give each rule a name of its own",
            hop=Hop.PENDING,
        )
    for rule in named_so:
        if rule.health == "err":
            yield wrong(Hop.PENDING, Finding(summary=f"its rule fails to evaluate: {rule.last_error}"))


def of_reading(named_so: Sequence[Rule], read: object) -> Iterator[Obstacle]:
    """Of the reading of its value; that a rule which fails cannot be read says nothing more."""
    if isinstance(read, Unseen) and not any(rule.health == "err" for rule in named_so):
        yield unseen(Hop.METRIC, "its value cannot be read", read)


def of_reference(rule: Rule, meant: Iterable[ReferenceRule]) -> Iterator[Obstacle]:
    """Of the rule's labels, by which it finds its way, against those of the rule file as it is meant."""
    for reference in meant:
        if reference.name != rule.name:
            continue
        for name in sorted(reference.labels.keys() | rule.labels.keys()):
            have, want = rule.labels.get(name, ""), reference.labels.get(name, "")
            if have != want:
                finding = Finding(
                    summary=f"its label {name} is {have!r}, and {want!r} in the reference file",
                    remedy="load the rules as they are meant; opsconsole verify -k rules tells more",
                )
                yield wrong(Hop.RECEIVER, finding)


def of_targets(job: str, targets: Sequence[Target]) -> Iterator[Obstacle]:
    """Of the targets that Prometheus has of the service's job."""
    if not targets:
        finding = Finding(
            summary=f"Prometheus has no target of the job {job}: nothing scrapes what the test moves",
            remedy="look at scrape_configs in prometheus.yml",
        )
        yield wrong(Hop.METRIC, finding)


def of_fault(environment: Environment, alert: str, fault: Fault | None) -> Iterator[Obstacle]:
    """Of what would bring the alert about; None where the checklist names nothing."""
    if why := _unavailable(environment, fault):
        yield only_watched(alert, why)
    elif fault and fault.touches in GUARDED and environment.protected and not environment.allow_faults:
        yield Obstacle(
            outcome=Outcome.UNKNOWN,
            summary=f"faults on {fault.touches} are not allowed in {environment.name}",
            remedy="allow_faults = true in its configuration allows them",
            hop=Hop.CAUSE,
        )


def only_watched(alert: str, why: str) -> Obstacle:
    """The alert cannot be brought about here."""
    return Obstacle(
        outcome=Outcome.UNKNOWN,
        summary=f"can only be rehearsed or watched here: {why}",
        remedy=f"opsconsole alert-test {alert} --watch 1h watches it",
        hop=Hop.CAUSE,
    )


def _unavailable(environment: Environment, fault: Fault | None) -> str:
    if fault is None:
        return "the checklist's [drills] names nothing that brings it about"
    if environment.service is None:
        return "the environment names no service"
    return fault.unavailable(environment.service)
