"""The rules that run against those of the reference: which are missing, differ, or run once more."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase

from opsconsole import promql
from opsconsole.checkkit import lasting
from opsconsole.clients.prometheus import Loading, Rule
from opsconsole.clients.reference import ReferenceRule
from opsconsole.model import Finding

Pair = tuple[ReferenceRule, Rule | None]
"""A rule as it is meant, and the one that runs in its place."""


def pairs(wanted: Iterable[ReferenceRule], loaded: Iterable[Rule]) -> tuple[list[Pair], list[Rule]]:
    """Each rule of the reference with its own among those loaded, one that means the same before any other of
    the name; and the namesakes that are left over."""
    left, wanted = list(loaded), list(wanted)
    own: dict[int, Rule] = {}
    for alike in (True, False):
        for at, rule in enumerate(wanted):
            namesakes = (running for running in left if _alike(rule, running))
            found = next((one for one in namesakes if not alike or not drift(rule, one)), None)
            if at not in own and found is not None:
                own[at] = found
                left.remove(found)
    over = [running for running in left if any(_alike(rule, running) for rule in wanted)]
    return [(rule, own.get(at)) for at, rule in enumerate(wanted)], over


def compared(
    wanted: Sequence[ReferenceRule], loaded: Sequence[Rule], loading: Loading | None, *, read_ago: str
) -> Iterator[Finding]:
    """What is wrong with the rules that are meant. `loading` is None where the server does not tell;
    `read_ago` is how long ago it has read its rule files."""
    paired, more = pairs(wanted, loaded)
    missing = [rule for rule, running in paired if running is None]
    different = [(rule, running) for rule, running in paired if running and drift(rule, running)]
    if len(missing) + len(different) > 1 and len(missing) < len(paired):
        yield Finding(
            summary=f"other rules run than those of the reference: of {len(paired)}, {len(missing)} are "
            f"missing and {len(different)} differ",
            detail=f"Prometheus has read its rule files {read_ago} ago",
            remedy="is another version of the file deployed, or was it not reloaded since?",
        )
    for rule in missing:
        yield Finding(subject=rule.name, summary="is not loaded", remedy=_where(rule, loaded, loading))
    for rule, running in different:
        yield Finding(
            subject=rule.name,
            summary="differs from the reference",
            detail="\n".join(drift(rule, running)),
            remedy=f"{running.file} was read {read_ago} ago: load what is meant, or correct the reference",
        )
    for running in more:
        if running.kind == "alerting":  # a recording rule may share its name with others
            twin = next(rule for rule in wanted if _alike(rule, running))
            first = [f"{one.file}, group {one.group}" for rule, one in paired if rule is twin and one]
            places = " and ".join([f"{running.file}, group {running.group}", *first])
            detail = "\n".join([places, *drift(twin, running)])
            yield Finding(subject=running.name, summary="is loaded once more", detail=detail)
    yield from dict.fromkeys(_groups(paired, loading))


def _alike(rule: ReferenceRule, running: Rule) -> bool:
    return (rule.kind, rule.name) == (running.kind, running.name)


def drift(wanted: ReferenceRule, loaded: Rule) -> list[str]:
    """The lines of a diff from the reference to what is loaded; none where they mean the same. Annotations
    are compared where the reference has any for the rule, without white space at their ends."""
    annotated = bool(wanted.annotations)
    meant, runs = _beside(wanted, annotated=annotated), _beside(loaded, annotated=annotated)
    if meant == runs and promql.same(wanted.expr, loaded.expr):
        return []
    before, after = [*_expression(wanted), *meant], [*_expression(loaded), *runs]
    return list(difflib.unified_diff(before, after, "reference", "loaded", lineterm="", n=10))


def rule_files_not_found(loading: Loading | None, loaded: Iterable[Rule]) -> str:
    """The rule files of the configuration from which no rule comes, in words; empty where there are none."""
    files = {rule.file for rule in loaded}
    empty = [path for path in (loading.rule_files if loading else ()) if not any(_of(path, f) for f in files)]
    return (
        f"no rule comes from {', '.join(empty)}, which rule_files names: is the file there?" if empty else ""
    )


def _of(pattern: str, file: str) -> bool:
    """Whether Prometheus would find the file by the pattern, or by one that is relative to its own folder."""
    return fnmatchcase(file, pattern) or fnmatchcase(file, f"*/{pattern}")


def _groups(paired: Iterable[Pair], loading: Loading | None) -> Iterator[Finding]:
    """Of the groups that the rules run in; once for each rule."""
    default = loading.interval_seconds if loading else None
    for rule, running in paired:
        if running is None:
            continue
        meant = rule.interval_seconds or default
        if meant is not None and meant != running.interval_seconds:
            own = "" if rule.interval_seconds else ", as the reference leaves it to the server"
            yield Finding(
                subject=f"group {running.group}",
                summary=f"is evaluated every {lasting(running.interval_seconds)}, not every "
                f"{lasting(meant)}{own}",
                detail=running.file,
                remedy="correct the interval of the group, or the reference",
            )
        if rule.limit != running.limit:
            yield Finding(
                subject=f"group {running.group}",
                summary=f"has the limit {running.limit or 'none'}, and {rule.limit or 'none'} in the "
                "reference: a rule that brings more alerts or series than that fails",
                detail=running.file,
                remedy="correct the limit of the group, or the reference",
            )


def _expression(rule: Rule | ReferenceRule) -> list[str]:
    return promql.pretty(rule.expr).splitlines()


def _beside(rule: Rule | ReferenceRule, *, annotated: bool) -> list[str]:
    """What a rule says beside its expression, in lines."""
    labels = ", ".join(f"{name}={value}" for name, value in sorted(rule.labels.items()))
    annotations = sorted(rule.annotations.items()) if annotated else ()
    return [
        f"for: {rule.for_seconds:g} s",
        f"keep_firing_for: {rule.keep_firing_for_seconds:g} s",
        f"labels: {labels}",
        *(
            line
            for name, value in annotations
            if value.strip()
            for line in f"annotation {name}: {value.strip()}".splitlines()
        ),
    ]


def _where(missing: ReferenceRule, loaded: Sequence[Rule], loading: Loading | None) -> str:
    if close := difflib.get_close_matches(missing.name, [rule.name for rule in loaded], n=1):
        return f"a rule {close[0]} is loaded: is the name misspelt?"
    return rule_files_not_found(loading, loaded) or "add it to a rule file and reload"
