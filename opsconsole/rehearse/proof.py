"""Proof of life: the incident that fires an alert as a unit test that promtool passes.

The rule runs as it stands, with the recording rules it rests on and nothing renamed. What is expected are the
alerts' own series, with all their labels: nothing before, pending, firing, and nothing after.
"""

import asyncio
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from opsconsole.errors import Unseen
from opsconsole.rehearse.answers import Failure, failures
from opsconsole.rehearse.model import Candidate, Fired, Incident, Rule, Witness
from opsconsole.rehearse.packing import plain_error
from opsconsole.rehearse.promtool import AT_ONCE, TEST_ENDING, Promtool
from opsconsole.rehearse.unit_tests import Check, alerts_selector, groups, rules_file, unit_test
from opsconsole.rehearse.written_tests import write_tests

__all__ = ["prove", "write_tests"]

_MOST_TESTS_IN_A_RUN = 20
_MOST_ROUNDS = 5
_ASIDE_STEPS = 2  # what Prometheus 2 and 3 may differ by, as 3 leaves the beginning of a range out
_END_MARK = re.compile(r"vector\((\d+)\)")


@dataclass(frozen=True, slots=True)
class _Step:
    """One check, and the moments at which it may be made instead, the best first."""

    check: Check
    something: bool
    elsewhere: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class _Attempt:
    candidate: Candidate
    fired: Fired
    steps: tuple[_Step, ...]
    alone: bool = False

    @property
    def rules(self) -> tuple[Rule, ...]:
        return (*self.candidate.rests_on, self.candidate.rule)

    def test(self, **options: Sequence[str]) -> str:
        checks = [step.check for step in self.steps]
        order = groups(self.rules)
        return unit_test(
            self.candidate.rule, self.candidate.incident, self.fired, checks, groups=order, **options
        )


async def prove(promtool: Promtool, found: Sequence[tuple[Candidate, Fired]]) -> list[Witness | str]:
    """A witness for each, in their order; a text says why there is none.

    Each test was run by promtool and passed. Its checks stand a little aside of the moments at which the
    alert was seen to change, where there is room, so that it passes in other versions of promtool too; where
    it is pending too briefly for that, this is not checked. Raises MissingServer where promtool cannot be
    run.
    """
    proofs: dict[int, Witness | str] = {}
    attempts: dict[int, _Attempt] = {}
    for place, (candidate, fired) in enumerate(found):
        if fired.firing_at is None:
            proofs[place] = fired.error or "it did not fire"
        else:
            attempts[place] = _Attempt(candidate, fired, tuple(_steps(candidate, fired)))
    for _ in range(_MOST_ROUNDS):
        rounds = await asyncio.gather(*(_tried(promtool, run) for run in _runs(attempts)))
        outcomes = {place: outcome for each in rounds for place, outcome in each.items()}
        attempts = {place: each for place, each in outcomes.items() if isinstance(each, _Attempt)}
        proofs |= {place: each for place, each in outcomes.items() if not isinstance(each, _Attempt)}
        if not attempts:
            break
    proofs |= dict.fromkeys(attempts, "promtool does not give the same answer twice")
    return [proofs[place] for place in range(len(found))]


def _runs(attempts: Mapping[int, _Attempt]) -> Iterator[dict[int, _Attempt]]:
    yield from ({place: attempt} for place, attempt in attempts.items() if attempt.alone)
    together = [place for place, attempt in attempts.items() if not attempt.alone]
    count = max(min(AT_ONCE, len(together)), math.ceil(len(together) / _MOST_TESTS_IN_A_RUN))
    yield from ({place: attempts[place] for place in together[nth::count]} for nth in range(count))


async def _tried(promtool: Promtool, run: Mapping[int, _Attempt]) -> dict[int, _Attempt | Witness | str]:
    """What one run of promtool made of the attempts: done, or to be tried again in another form."""
    files = {name: text for place, attempt in run.items() for name, text in _files(place, attempt)}
    alone = len(run) == 1
    try:
        output = await promtool.run(files)
        failed = _failed(output)
    except Unseen as error:
        return {place: str(error) if alone else replace(each, alone=True) for place, each in run.items()}
    outcomes: dict[int, _Attempt | Witness | str] = {}
    for place, attempt in run.items():
        if place not in failed:
            outcomes[place] = plain_error(output) if alone else replace(attempt, alone=True)
        elif failed[place]:
            outcomes[place] = _amended(attempt, failed[place])
        else:
            outcomes[place] = _witness(attempt, promtool.version)
    return outcomes


def _files(place: int, attempt: _Attempt) -> Iterator[tuple[str, str]]:
    """The test with its rules; at its end a check that always fails, to tell where in promtool's answer it
    ends."""
    rules = f"{place}_rules.yml"
    yield rules, rules_file(attempt.rules)
    mark = f"      - expr: vector({place})\n        eval_time: 0s\n"
    yield f"{place}{TEST_ENDING}", attempt.test(rule_files=[rules]) + mark


def _failed(output: str) -> dict[int, list[Failure]]:
    """The failures of each test that was run, by its place."""
    failed: dict[int, list[Failure]] = {}
    since: list[Failure] = []
    for failure in failures(output):
        if mark := _END_MARK.fullmatch(failure.expr):
            failed[int(mark[1])] = since
            since = []
        else:
            since.append(failure)
    return failed


def _witness(attempt: _Attempt, version: str) -> Witness:
    return Witness(
        incident=attempt.candidate.incident,
        fired=attempt.fired,
        test=attempt.test(),
        rules_file=rules_file(attempt.rules),
        promtool_version=version,
        rests_on=attempt.candidate.rests_on,
    )


def _steps(candidate: Candidate, fired: Fired) -> Iterator[_Step]:
    rule, incident = candidate.rule, candidate.incident
    step = incident.evaluation_seconds
    assert fired.firing_at is not None  # noqa: S101, prove() looks
    begins = fired.firing_at if fired.pending_at is None else fired.pending_at
    if begins > 0:
        calm = Check("all is calm", alerts_selector(rule), max(0.0, begins - _ASIDE_STEPS * step))
        yield _Step(calm, False, (begins - step,))
    if fired.pending_at is not None and fired.firing_at - fired.pending_at > _ASIDE_STEPS * step:
        yield _held(rule, fired, "pending", fired.pending_at, fired.firing_at - step, step)
    last = (fired.resolved_at or _last(incident) + step) - step
    yield _held(rule, fired, "firing", fired.firing_at, last, step)
    if fired.resolved_at is not None:
        later = min(fired.resolved_at + _ASIDE_STEPS * step, _last(incident))
        over = Check("it is over", alerts_selector(rule, "firing"), later)
        yield _Step(over, False, (fired.resolved_at,))


def _held(rule: Rule, fired: Fired, state: str, first: float, last: float, step: float) -> _Step:
    """A check that the alert is in a state which it was seen in from `first` to `last`."""
    aside = first + step * min(_ASIDE_STEPS, (last - first) // step // 2)
    labels = {"alertname": rule.alert, "alertstate": state, **fired.labels}
    comment = {"pending": "true, and not for long enough yet", "firing": "it fires"}[state]
    check = Check(comment, alerts_selector(rule, state), aside, (labels,))
    return _Step(check, True, (first,) if aside > first else ())


def _last(incident: Incident) -> float:
    """The moment of the last evaluation."""
    return incident.evaluation_seconds * math.floor(incident.seconds / incident.evaluation_seconds)


def _amended(attempt: _Attempt, failed: Sequence[Failure]) -> _Attempt | str:
    """The attempt with what promtool got in place of what was expected, where that makes sense: other labels,
    or more alerts than one. Else at another moment; else why not."""
    by_check = {(failure.expr, failure.at_seconds): failure for failure in failed}
    steps = []
    for step in attempt.steps:
        failure = by_check.get((step.check.expr, step.check.at_seconds))
        if failure is None:
            steps.append(step)
        elif step.something and failure.got:
            got = tuple(
                {name: value for name, value in sample.labels if name != "__name__"} for sample in failure.got
            )
            steps.append(replace(step, check=replace(step.check, expected=got)))
        elif step.elsewhere:
            check = replace(step.check, at_seconds=step.elsewhere[0])
            steps.append(replace(step, check=check, elsewhere=step.elsewhere[1:]))
        else:
            got_text = "nothing" if step.something else "an alert"
            wanted = failure.error or f"{got_text} where it should be: {step.check.comment}"
            return f"unrenamed and alone it behaves otherwise: at {step.check.at_seconds:g} s {wanted}"
    return replace(attempt, steps=tuple(steps))
