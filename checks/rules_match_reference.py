"""The alert rules that run are those of the reference file, and they are evaluated."""

import asyncio
import difflib
from collections.abc import AsyncIterator, Iterable, Iterator

from opsconsole.checkkit import (
    Finding,
    Prometheus,
    Reason,
    Reference,
    ReferenceRule,
    Rule,
    Seen,
    Service,
    SignOff,
    Unseen,
    known,
    lasting,
    promql,
    scraped_no_longer,
    until,
)

DIAGNOSIS = ("rules_are_loading", "prometheus_answers")

_BUSY_SECONDS = 1.0
"""What a busy machine may be late by."""

_LONGEST_WAIT_SECONDS = 120.0
"""For a first evaluation; that of a group with a longer interval is not waited for."""


async def check(
    prometheus: Prometheus,
    reference: Reference,
    service: Service | None = None,
    *,
    expected: int | None = None,
) -> AsyncIterator[Finding | Seen]:
    """Names, expressions, `for`, `keep_firing_for` and labels as in the reference (a drift is shown as a
    diff); health ok; evaluated within two intervals; able to fire, which is refuted by the series that there
    are and those that are scraped still; inactive, or why not. `expected` is how many there should be. Where
    a metric is gone that may only wait for an event, or a refutation rests on a guess, a person tells."""
    wanted = reference.rules()
    if expected is not None and len(wanted) != expected:
        yield Finding(
            summary=f"the reference has {len(wanted)} alert rules, not {expected}", detail=str(reference.path)
        )
    runtime, now, everything = await asyncio.gather(
        prometheus.runtime(), prometheus.now(), _evaluated(prometheus, {rule.name for rule in wanted})
    )
    loaded = [rule for rule in everything if rule.kind == "alerting"]
    if not runtime.reload_ok:
        yield Finding(
            summary="the last reload was refused: what runs is older than what is configured",
            remedy="promtool check config prometheus.yml, then reload",
        )
    if not loaded:
        yield Finding(
            summary="Prometheus has no alert rule at all", remedy="name the file under rule_files and reload"
        )
        return
    names, groups = {rule.name for rule in wanted}, {rule.group for rule in wanted}
    for finding in _compared(wanted, loaded):
        yield finding
    for running in loaded:
        if running.group in groups and running.name not in names:
            summary = f"runs in the group {running.group}, and is not in the reference"
            yield Finding(subject=running.name, summary=summary)
    meant = [rule for rule in loaded if rule.name in names]
    exists = await known(prometheus, [*meant, *(rule for rule in everything if rule.kind == "recording")])
    guessed, doubtful = [], []
    for running in meant:
        if reasons := exists.never(running):
            if reasons[0].guess:  # those that are proven come first
                guessed.append(_perhaps_dead(running, reasons[0]))
            else:
                yield _dead(running, reasons[0])
    for running in meant:
        async for said in _well(running, now):
            yield said
    blind = await scraped_no_longer(prometheus, service, exists, [rule.expr for rule in meant])
    for running in meant:
        for gone in blind.get(running.expr, ()):
            if gone.proof:
                yield Finding(subject=running.name, summary=f"rests on {gone}", detail=gone.proof)
            else:
                doubtful.append(f"{running.name} rests on {gone}")
    if unborn := [rule for rule in meant if rule.last_evaluation <= 0 and _seldom(rule)]:
        every = lasting(max(rule.interval_seconds for rule in unborn))
        which = ", ".join(rule.name for rule in unborn)
        raise Unseen(f"{which}: not evaluated yet, only every {every}, which is not waited for")
    found = len({rule.name for rule in meant})
    yield Seen(f"{found} of {len(wanted)} loaded and evaluated, {_states(meant)}")
    if doubtful:
        guessed.insert(0, f"{'; '.join(doubtful)}. Has none happened since a restart, or was it renamed?")
    if guessed:
        raise SignOff(" ".join(guessed))


def _compared(wanted: list[ReferenceRule], loaded: list[Rule]) -> Iterator[Finding]:
    """Each rule of the reference has its own among those loaded, and none of these is left over."""
    left = list(loaded)
    unmatched = []
    for rule in wanted:
        namesakes = (running for running in left if running.name == rule.name)
        same = next((running for running in namesakes if not _drift(rule, running)), None)
        if same is None:
            unmatched.append(rule)
        else:
            left.remove(same)
    for rule in unmatched:
        others = [running for running in left if running.name == rule.name]
        if not others:
            yield Finding(subject=rule.name, summary="is not loaded", remedy=_close(rule.name, loaded))
            continue
        left.remove(others[0])
        detail = "\n".join(_drift(rule, others[0]))
        yield Finding(subject=rule.name, summary="differs from the reference", detail=detail)
    for running in left:
        if twin := next((rule for rule in wanted if rule.name == running.name), None):
            detail = "\n".join([f"group {running.group} in {running.file}", *_drift(twin, running)])
            yield Finding(subject=running.name, summary="is loaded once more", detail=detail)


def _dead(rule: Rule, reason: Reason) -> Finding:
    return Finding(
        subject=rule.name,
        summary=f"can never fire: {reason.summary}",
        detail=rule.expr,
        remedy=f"instead: {reason.correction}" if reason.correction else "",
    )


def _perhaps_dead(rule: Rule, reason: Reason) -> str:
    return f"{rule.name} can never fire ({reason.summary}), given {reason.guess}. Is that so?"


async def _evaluated(prometheus: Prometheus, names: set[str]) -> list[Rule]:
    """All rules, when the alerts named have been evaluated, or when it has taken too long."""
    loaded: list[Rule] = []

    async def evaluated() -> bool:
        loaded[:] = await prometheus.rules()
        alerting = [rule for rule in loaded if rule.kind == "alerting"]
        awaited = [rule for rule in alerting if rule.name in names and not _seldom(rule)]
        return bool(alerting) and all(rule.last_evaluation > 0 for rule in awaited)

    _, settling = await asyncio.gather(evaluated(), prometheus.settling_seconds())
    interval = max((rule.interval_seconds for rule in loaded), default=0.0)
    within = min(_LONGEST_WAIT_SECONDS, max(2 * interval, settling))
    await until(evaluated, within_seconds=within, what="the first evaluation of the rules")
    return loaded


def _seldom(rule: Rule) -> bool:
    return rule.interval_seconds > _LONGEST_WAIT_SECONDS


async def _well(rule: Rule, now: float) -> AsyncIterator[Finding | Seen]:
    age = now - rule.last_evaluation
    if rule.health == "err":
        yield Finding(subject=rule.name, summary=f"fails to evaluate: {rule.last_error}")
    elif rule.last_evaluation <= 0 and _seldom(rule):
        return
    elif rule.last_evaluation <= 0:
        yield Finding(subject=rule.name, summary="has never been evaluated")
    elif age > 2 * rule.interval_seconds + _BUSY_SECONDS:
        every = lasting(rule.interval_seconds)
        yield Finding(
            subject=rule.name, summary=f"was evaluated {lasting(age)} ago, though it should be every {every}"
        )
    elif rule.state in ("pending", "firing"):
        for alert in rule.alerts:
            since = lasting(now - alert.active_at)
            yield Seen(
                f"is {alert.state} since {since}: value {alert.value:g}, {alert.labels}", subject=rule.name
            )


def _drift(wanted: ReferenceRule, loaded: Rule) -> list[str]:
    """The lines of a diff from the reference to what is loaded; none where they mean the same."""
    before, after = _as_lines(wanted), _as_lines(loaded)
    if before[-3:] == after[-3:] and promql.same(wanted.expr, loaded.expr):
        return []
    return list(difflib.unified_diff(before, after, "reference", "loaded", lineterm="", n=10))


def _as_lines(rule: Rule | ReferenceRule) -> list[str]:
    labels = ", ".join(f"{name}={value}" for name, value in sorted(rule.labels.items()))
    return [
        *promql.pretty(rule.expr).splitlines(),
        f"for: {rule.for_seconds:g} s",
        f"keep_firing_for: {rule.keep_firing_for_seconds:g} s",
        f"labels: {labels}",
    ]


def _close(name: str, loaded: Iterable[Rule]) -> str:
    close = difflib.get_close_matches(name, [rule.name for rule in loaded], n=1)
    return (
        f"a rule {close[0]} is loaded: is the name misspelt?" if close else "add it to a rule file and reload"
    )


def _states(rules: Iterable[Rule]) -> str:
    states = [rule.state for rule in rules]
    return ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states)) or "none running"
