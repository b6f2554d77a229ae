"""The verdict on every alert and panel: dead where proven, alive where the rule engine has fired it."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from opsconsole.errors import OpsconsoleError
from opsconsole.promql import parse
from opsconsole.rehearse import dead, search
from opsconsole.rehearse.model import (
    Candidate,
    Fired,
    Incident,
    Panel,
    Reason,
    Rehearsal,
    Rule,
    Verdict,
    Witness,
    Word,
)
from opsconsole.rehearse.packing import observe
from opsconsole.rehearse.panels import QueryResult, panel_verdict
from opsconsole.rehearse.promtool import Promtool, peak_bytes
from opsconsole.rehearse.proof import prove
from opsconsole.rehearse.schema import Schema
from opsconsole.rehearse.warnings import warnings

Recorded = Mapping[str, Sequence[Rule]]
Shows = Callable[[str], Awaitable[bool | str]]
"""Whether a query has data now; a text is the error that it gave."""

_AT_ONCE = 50
_ROUNDS = ((0, 0, 1), (0, 1, 4), (0, 4, 16), *((seed, 0, 6) for seed in range(1, 11)))
"""Which incidents are tried in each round: the seed of their search, the first and the last of them. Most
alerts are fired by the very first."""

_GUESSED = "the labels and types of the series are guessed from the rules"


@dataclass
class _Case:
    """One expression on its way to a verdict."""

    rule: Rule
    reasons: tuple[Reason, ...] = ()
    unfed: bool = False
    witness: Witness | None = None
    found: list[tuple[Candidate, Fired]] = field(default_factory=list)
    tried: int = 0
    errors: dict[str, None] = field(default_factory=dict)

    @property
    def open(self) -> bool:
        return not self.reasons and self.witness is None


async def rehearse(
    rules: Sequence[Rule],
    panels: Sequence[Panel],
    schema: Schema,
    promtool: Promtool,
    *,
    on_verdict: Callable[[Verdict], None] = lambda _: None,
    shows: Shows | None = None,
) -> Rehearsal:
    """The verdicts on all alerts among the rules and on all panels, in their order.

    `on_verdict` is told each as it is found, in any order. `shows` asks whether a panel's query has data now;
    without it that is not known. Raises what promtool's runs raise where it cannot be run at all.
    """
    began = time.monotonic()
    recorded = _recorded(rules)
    alerts = [_Case(rule) for rule in rules if rule.alert]
    queries = {query: _Case(Rule(alert="panel", expr=query)) for panel in panels for query in panel.queries}
    said: dict[int, Verdict] = {}

    def tell(case: _Case) -> None:
        said[id(case)] = verdict = _verdict(case, schema, recorded)
        on_verdict(verdict)

    limit = asyncio.Semaphore(2)

    async def decided(cases: Sequence[_Case], told: Callable[[_Case], None]) -> None:
        async with limit:
            await _decide(cases, schema, recorded, promtool, told)

    chunks = [alerts[first : first + _AT_ONCE] for first in range(0, len(alerts), _AT_ONCE)]
    shown = await _shown(queries, shows)
    await asyncio.gather(
        *(decided(chunk, tell) for chunk in chunks),
        decided(
            [case for query, case in queries.items() if shown.get(query) in (None, False)], lambda _: None
        ),
    )
    of_panels = []
    for panel in panels:
        cases = [queries[query] for query in panel.queries]
        results = [_result(case, shown.get(case.rule.expr), schema, recorded) for case in cases]
        verdict = _sure(panel_verdict(panel, results), cases)
        of_panels.append(verdict)
        on_verdict(verdict)
    return Rehearsal(
        verdicts=(*(said[id(case)] for case in alerts), *of_panels),
        schema=schema.told,
        promtool_version=promtool.version,
        seconds=time.monotonic() - began,
        peak_bytes=peak_bytes(),
    )


def _recorded(rules: Sequence[Rule]) -> dict[str, list[Rule]]:
    recorded: dict[str, list[Rule]] = {}
    for rule in rules:
        if rule.record:
            recorded.setdefault(rule.record, []).append(rule)
    return recorded


async def _shown(queries: Mapping[str, _Case], shows: Shows | None) -> dict[str, bool | str | None]:
    if shows is None:
        return {}
    answers = await asyncio.gather(*(shows(query) for query in queries))
    return dict(zip(queries, answers, strict=True))


def _result(case: _Case, shown: bool | str | None, schema: Schema, recorded: Recorded) -> QueryResult:
    refused = next((reason.summary for reason in case.reasons if reason.kind == "not-promql"), "")
    return QueryResult(
        expr=case.rule.expr,
        reasons=() if refused else case.reasons,
        shows=shown if isinstance(shown, bool) else None,
        error=shown if isinstance(shown, str) else refused,
        warnings=tuple(warnings(case.rule, schema, recorded)),
        guess=_guessed(case, schema),
    )


def _sure(verdict: Verdict, cases: Sequence[_Case]) -> Verdict:
    """Undecided in place of quiet where a query was neither proven dead nor seen to give data."""
    doubtful = [case for case in cases if case.open]
    if verdict.word is not Word.QUIET or not doubtful:
        return verdict
    return replace(verdict, word=Word.UNDECIDED, tried=f"{_tried(doubtful[0])}: {doubtful[0].rule.expr}")


async def _decide(
    cases: Sequence[_Case],
    schema: Schema,
    recorded: Recorded,
    promtool: Promtool,
    tell: Callable[[_Case], None],
) -> None:
    """Decide the cases, and tell each as soon as it is."""
    for case in cases:
        _judge(case, schema, recorded)
    await _refused(cases, promtool)
    left = [case for case in cases if not _told(case, tell)]
    for number in range(len(_ROUNDS)):
        if not left:
            return
        await _round(left, number, schema, recorded, promtool)
        left = [case for case in left if not _told(case, tell)]
    for case in left:
        tell(case)


def _told(case: _Case, tell: Callable[[_Case], None]) -> bool:
    if case.open:
        return False
    tell(case)
    return True


def _judge(case: _Case, schema: Schema, recorded: Recorded) -> None:
    try:
        case.reasons = tuple(dead.prove(case.rule, schema, recorded))
        if not case.reasons:
            case.reasons = tuple(dead.unfed(case.rule, schema, recorded))
            case.unfed = bool(case.reasons)
    except Exception as error:
        case.errors[_defect("to prove it dead", error)] = None


async def _refused(cases: Sequence[_Case], promtool: Promtool) -> None:
    """What our parser does not take is refused only if the rule engine does not take it either."""
    odd = [case for case in cases if any(one.kind == "not-promql" for one in case.reasons)]
    nothing = Incident(courses={}, before_seconds=60, during_seconds=60, after_seconds=60)
    seen = (
        await observe(promtool, [Candidate(rule=case.rule, incident=nothing) for case in odd]) if odd else []
    )
    for case, fired in zip(odd, seen, strict=True):
        if not fired.error:
            case.reasons = ()
            case.errors["opsconsole's parser does not know this form of PromQL, though promtool does"] = None


async def _round(
    cases: Sequence[_Case], number: int, schema: Schema, recorded: Recorded, promtool: Promtool
) -> None:
    ideas = await asyncio.to_thread(lambda: [_ideas(case, number, schema, recorded) for case in cases])
    owners = [case for case, some in zip(cases, ideas, strict=True) for _ in some]
    flat = [candidate for some in ideas for candidate in some]
    for case, candidate, fired in zip(owners, flat, await observe(promtool, flat), strict=True):
        case.tried += 1
        if fired.error:
            case.errors[fired.error] = None
        if fired.firing_at is not None:
            case.found.append((candidate, fired))
    while ready := [case for case in cases if case.open and case.found and (number or _good(case.found[0]))]:
        for case in ready:
            case.found.sort(key=_merit)
        proofs = await prove(promtool, [case.found.pop(0) for case in ready])
        for case, proof in zip(ready, proofs, strict=True):
            if isinstance(proof, Witness):
                case.witness = proof
            else:
                case.errors[proof] = None


def _ideas(case: _Case, number: int, schema: Schema, recorded: Recorded) -> list[Candidate]:
    """The candidates of a round."""
    seed, first, last = _ROUNDS[number]
    try:
        return list(islice(search.candidates(case.rule, schema, recorded, seed=seed), first, last))
    except OpsconsoleError as error:
        case.errors[str(error)] = None
    except Exception as error:
        case.errors[_defect("to build an incident", error)] = None
    return []


def _defect(what: str, error: Exception) -> str:
    """One expression that our own code cannot cope with takes nothing away from the others."""
    return f"a defect of opsconsole, please report it: it failed {what}: {type(error).__name__}: {error}"


def _merit(found: tuple[Candidate, Fired]) -> tuple[bool, bool, float]:
    """The best first: calm before, resolved after, small."""
    candidate, fired = found
    begins = candidate.incident.before_seconds
    too_early = (fired.pending_at if fired.pending_at is not None else fired.firing_at or 0) < begins
    return too_early, fired.resolved_at is None, candidate.incident.size


def _good(found: tuple[Candidate, Fired]) -> bool:
    """Whether nothing better need be looked for: it fires with the incident, and ends with it."""
    return not any(_merit(found)[:2])


def _verdict(case: _Case, schema: Schema, recorded: Recorded) -> Verdict:
    rule = case.rule
    word = Word.UNFED if case.unfed else Word.DEAD if case.reasons else Word.UNDECIDED
    if case.witness:
        word = Word.ALIVE
    return Verdict(
        subject=rule.name,
        kind="alert",
        word=word,
        expr=rule.expr,
        reasons=case.reasons,
        witness=case.witness,
        warnings=tuple(warnings(rule, schema, recorded)),
        tried="" if word is not Word.UNDECIDED else _tried(case),
        guess=_guessed(case, schema),
        group=rule.group,
        file=rule.file,
        line=rule.line,
        rule=rule,
    )


def _guessed(case: _Case, schema: Schema) -> str:
    """What the verdict rests on that was only guessed."""
    if schema.origin == "guess" and not case.reasons:
        return _GUESSED
    return "; ".join(dict.fromkeys(reason.guess for reason in case.reasons if reason.guess))


def _tried(case: _Case) -> str:
    what = (
        f"{case.tried} incidents were tried, and none fired it"
        if case.tried
        else "no incident could be built"
    )
    beyond = _beyond(case.rule)
    named = [f"not handled: {', '.join(beyond)}"] if beyond else []
    return "; ".join([what, *named, *islice(case.errors, 2)])


def _beyond(rule: Rule) -> list[str]:
    try:
        return search.limits(parse(rule.expr))
    except OpsconsoleError:
        return []
