"""The alert rules that run are those of the reference file, and they are evaluated."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence

from opsconsole.checkkit import (
    Finding,
    Prometheus,
    Reason,
    Reference,
    Rule,
    Runtime,
    Seen,
    Service,
    SignOff,
    Unseen,
    compared,
    first_evaluation,
    holds_one_scrape,
    ill_evaluated,
    judged_late,
    known,
    lasting,
    promql,
    rule_files_not_found,
    scraped_no_longer,
)

DIAGNOSIS = ("rules_are_loading", "prometheus_answers")


async def check(
    prometheus: Prometheus,
    reference: Reference,
    service: Service | None = None,
    *,
    expected: int | None = None,
) -> AsyncIterator[Finding | Seen]:
    """Names, expressions, `for`, `keep_firing_for`, labels, annotations, interval and limit as in the
    reference, recording rules too (a drift is shown as a diff); health ok; evaluated within two intervals, in
    less time than one, as often as what is looked at asks, and of the present; so too the recording rules
    that alerts rest on; able to fire, which is refuted by the series that there are and those that are
    scraped still; inactive, or why not. `expected` is how many there should be. Where a metric is gone that
    may only wait for an event, or a refutation rests on a guess, a person tells."""
    wanted = reference.rules()
    if expected is not None and len(wanted) != expected:
        summary = f"the reference has {len(wanted)} alert rules, not {expected}"
        yield Finding(summary=summary, detail=str(reference.path))
    names = {rule.name for rule in wanted}
    runtime, now, loaded = await asyncio.gather(
        prometheus.runtime(), prometheus.now(), first_evaluation(prometheus, names)
    )
    if not runtime.reload_ok:
        yield _refused(runtime, now)
    async for said in _loaded(prometheus, reference, loaded, read_ago=lasting(now - runtime.config_time)):
        yield said
    meant = [rule for rule in loaded if rule.kind == "alerting" and rule.name in names]
    if not meant:
        return
    async for finding in ill_evaluated(prometheus, meant, loaded, now):
        yield finding
    for said in _under_way(meant, now):
        yield said
    questions: list[str] = []
    async for finding in _unable(prometheus, service, meant, loaded, questions):
        yield finding
    if unborn := [rule for rule in meant if rule.last_evaluation <= 0 and rule.health != "err"]:
        every = lasting(max(rule.interval_seconds for rule in unborn))
        which = ", ".join(rule.name for rule in unborn)
        raise Unseen(f"{which}: not evaluated yet, only every {every}, which is not waited for")
    yield Seen(
        f"{len({rule.name for rule in meant})} of {len(wanted)} loaded and evaluated, {_states(meant)}"
    )
    if questions:
        raise SignOff(" ".join(questions))


def _refused(runtime: Runtime, now: float) -> Finding:
    return Finding(
        summary="the last reload was refused: what runs is older than what is configured",
        detail=f"what runs was loaded {lasting(now - runtime.config_time)} ago",
        remedy="promtool check config prometheus.yml names the mistake; correct it, then reload",
    )


async def _loaded(
    prometheus: Prometheus, reference: Reference, loaded: Sequence[Rule], *, read_ago: str
) -> AsyncIterator[Finding | Seen]:
    """What is loaded against the reference."""
    try:
        loading = await prometheus.loading()
    except Unseen as unseen:
        loading = None
        yield Seen(f"its rule_files and its usual interval were not looked at: {unseen.message}")
    alerting = [rule for rule in loaded if rule.kind == "alerting"]
    if not alerting:
        yield Finding(
            summary="Prometheus has no alert rule at all",
            detail=rule_files_not_found(loading, loaded),
            remedy="name the file under rule_files and reload",
        )
        return
    wanted = reference.rules()
    whole = [*wanted, *reference.recordings()]
    for finding in compared(whole, loaded, loading, read_ago=read_ago):
        yield finding
    async for said in judged_late(prometheus, whole, loaded, loading):
        yield said
    names, groups = {rule.name for rule in wanted}, {rule.group for rule in wanted}
    for running in alerting:
        if running.group in groups and running.name not in names:
            summary = f"runs in the group {running.group}, and is not in the reference"
            yield Finding(subject=running.name, summary=summary)


async def _unable(
    prometheus: Prometheus,
    service: Service | None,
    meant: Sequence[Rule],
    loaded: Sequence[Rule],
    questions: list[str],
) -> AsyncIterator[Finding]:
    """The alerts that can never fire, or cannot any more; to `questions` goes what a person must tell."""
    exists = await known(prometheus, [*meant, *(rule for rule in loaded if rule.kind == "recording")])
    recorded = {rule.name for rule in loaded if rule.kind == "recording"}
    guessed, dead = [], []
    for running in meant:
        if reasons := exists.never(running):
            if reasons[0].guess:  # those that are proven come first
                guessed.append(_perhaps_dead(running, reasons[0]))
            else:
                dead.append(running)
                yield _dead(running, reasons[0], recorded)
    living = [running for running in meant if running not in dead]
    for finding in holds_one_scrape(living, loaded, exists.scrape_interval_seconds):
        yield finding
    doubtful = []
    blind = await scraped_no_longer(prometheus, service, exists, [rule.expr for rule in meant])
    for running in meant:
        for gone in blind.get(running.expr, ()):
            if gone.proof:
                yield Finding(subject=running.name, summary=f"rests on {gone}", detail=gone.proof)
            else:
                doubtful.append(f"{running.name} rests on {gone}")
    if doubtful:
        questions.append(f"{'; '.join(doubtful)}. Has none happened since a restart, or was it renamed?")
    questions.extend(guessed)


def _dead(rule: Rule, reason: Reason, recorded: set[str]) -> Finding:
    unread = _colons(reason.guilty) if reason.kind == "no-metric" else []
    if unrecorded := {name for name in unread if name not in recorded}:
        missing = ", ".join(sorted(unrecorded))
        remedy = f"no rule that is loaded records {missing}: load the file that does, or read other metrics"
    else:
        remedy = f"instead: {reason.correction}" if reason.correction else ""
    return Finding(
        subject=rule.name,
        summary=f"can never fire: {reason.summary}",
        detail=rule.expr,
        remedy=remedy,
    )


def _colons(expr: str) -> list[str]:
    """The metrics with a name as recording rules give it."""
    names = [one.metric or "" for one in promql.selectors(promql.parse(expr))]
    return [name for name in names if ":" in name]


def _perhaps_dead(rule: Rule, reason: Reason) -> str:
    return f"{rule.name} can never fire ({reason.summary}), given {reason.guess}. Is that so?"


def _under_way(rules: Sequence[Rule], now: float) -> Iterator[Seen]:
    for rule in rules:
        for alert in rule.alerts if rule.state in ("pending", "firing") else ():
            since = lasting(now - alert.active_at)
            yield Seen(
                f"is {alert.state} since {since}: value {alert.value:g}, {alert.labels}", subject=rule.name
            )


def _states(rules: Sequence[Rule]) -> str:
    states = [rule.state for rule in rules]
    return ", ".join(f"{states.count(state)} {state}" for state in dict.fromkeys(states)) or "none running"
