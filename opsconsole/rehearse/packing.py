"""Many incidents decided by few runs of promtool.

Some two dozen candidates share one test group, each with metric names of its own. What fired is read from
tests that are meant to fail: promtool then tells the series that it got.
"""

import asyncio
import heapq
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from opsconsole.errors import Unseen
from opsconsole.rehearse.answers import Failure, Labels, failures
from opsconsole.rehearse.model import Candidate, Fired, Rule
from opsconsole.rehearse.promtool import AT_ONCE, TEST_ENDING, Promtool, document
from opsconsole.rehearse.renaming import can_be_renamed, renamed
from opsconsole.rehearse.timeline import duration, series_name, series_values

_IN_A_PACK = (8, 25)
_MOST_PACKS_IN_A_RUN = 10
_LONGEST_TO_SHORTEST = 1.5
_STEPS_IN_A_WINDOW = 100
_MOST_EVALUATIONS = 20_000  # a run of promtool takes minutes for more
_TOO_MANY = "too many samples"  # promtool gives up on a query that holds more than 10,000
_READ = re.compile(r"(?P<which>min|max)_over_time\(.*\) or vector\((?P<pack>\d+)\)", re.DOTALL)
_NAME = "opsconsole{}"  # of a candidate's group and alert
_PREFIX = "opsconsole{}_"  # of its metrics
_FAILED_RULE = re.compile(r"rule: opsconsole(\d+)(?:_.*?)?, time: (\S+), err: (.*)")
_REFUSED_RULE = re.compile(r'group "opsconsole(\d+)", rule ')

Edges = dict[Labels, tuple[float, float]]
"""The first and the last moment, in seconds, at which each alert of a candidate was seen, by its labels."""


@dataclass(frozen=True, slots=True)
class _Pack:
    """Candidates of one test group, by their places among all. `apart`: in a run of its own, so that all that
    promtool says is about it. `steps` is how many evaluations are read at a time."""

    members: tuple[int, ...]
    renamed: bool = True
    apart: bool = False
    steps: int = _STEPS_IN_A_WINDOW

    @property
    def number(self) -> int:
        return self.members[0]


async def observe(promtool: Promtool, candidates: Sequence[Candidate]) -> list[Fired]:
    """What promtool sees of each candidate's alert under its incident, in the order of the candidates.

    A rule that promtool refuses, or that fails in it, is told by its `error`; so is one that makes promtool
    crash or take too long. The others of its pack are not disturbed. Raises MissingServer where promtool
    cannot be run.
    """
    observation = _Observation(promtool, candidates)
    packs = list(_packed(candidates, observation.decidable()))
    while packs:
        rounds = await asyncio.gather(*(observation.run(run) for run in _runs(packs, candidates)))
        packs = [pack for again in rounds for pack in again]
    return [observation.fired[place] for place in range(len(candidates))]


class _Observation:
    """The candidates and what is known of them so far."""

    def __init__(self, promtool: Promtool, candidates: Sequence[Candidate]) -> None:
        self.promtool = promtool
        self.candidates = candidates
        self.fired: dict[int, Fired] = {}

    def decidable(self) -> list[int]:
        """The places of the candidates that promtool can decide in a bearable time; of the others it is told
        at once."""
        for place, candidate in enumerate(self.candidates):
            if (evaluations := _evaluations(candidate)) > _MOST_EVALUATIONS:
                error = f"its incident is too long for promtool: {evaluations:.0f} evaluations of the rule"
                self.fired[place] = Fired(error=error)
        return [place for place in range(len(self.candidates)) if place not in self.fired]

    async def run(self, packs: Sequence[_Pack]) -> list[_Pack]:
        """Decides the packs in one run of promtool; gives those that must be run again, made smaller."""
        files = {name: text for pack in packs for name, text in _files(pack, self.candidates)}
        try:
            output = await self.promtool.run(files)
            reads = _reads(output)
        except Unseen as error:
            if len(packs) > 1:
                return [replace(pack, apart=True) for pack in packs]
            return self._smaller(packs[0], str(error), True)
        again: list[_Pack] = []
        for pack in packs:
            read = reads.get(pack.number, [])
            if any(_TOO_MANY in each.error for each in read) and pack.steps > 1:
                again.append(replace(pack, steps=pack.steps // 10))
            elif sum(not each.error for each in read) == 2 * len(_windows(pack, self.candidates)):
                self._conclude(pack, read)
            else:
                again += self._without_the_blamed(pack, output)
        return again

    def _conclude(self, pack: _Pack, reads: Sequence[Failure]) -> None:
        for place in pack.members:
            candidate = self.candidates[place]
            alert = _NAME.format(place) if pack.renamed else candidate.rule.alert
            self.fired[place] = _fired(_edges(reads, alert, candidate.incident.seconds), candidate)

    def _without_the_blamed(self, pack: _Pack, output: str) -> list[_Pack]:
        if not pack.renamed:
            return self._smaller(pack, plain_error(output), pack.apart)
        failed = {int(found[1]): found for found in _FAILED_RULE.finditer(output)}
        refused = {int(found[1]) for found in _REFUSED_RULE.finditer(output)} & set(pack.members)
        for place in failed.keys() & set(pack.members):
            _, at, error = failed[place].groups()
            self.fired[place] = Fired(error=f"after {at}: {error.replace(_PREFIX.format(place), '')}")
        rest = tuple(place for place in pack.members if place not in failed and place not in refused)
        if rest == pack.members:
            return self._smaller(pack, plain_error(output), pack.apart)
        again = [_Pack((place,), renamed=False, apart=True) for place in sorted(refused)]
        return [*again, _Pack(rest)] if rest else again

    def _smaller(self, pack: _Pack, error: str, alone: bool) -> list[_Pack]:
        if len(pack.members) > 1:
            half = len(pack.members) // 2
            parts = (pack.members[:half], pack.members[half:])
            return [_Pack(part, pack.renamed, apart=alone) for part in parts]
        if pack.renamed or not alone:
            return [_Pack(pack.members, renamed=False, apart=True)]
        self.fired[pack.number] = Fired(error=error)
        return []


def _packed(candidates: Sequence[Candidate], places: Sequence[int]) -> Iterator[_Pack]:
    """The candidates in packs of like length and interval; by itself each that cannot be renamed."""
    least, most = _IN_A_PACK
    size = max(least, min(most, math.ceil(len(places) / AT_ONCE)))
    pack: list[int] = []
    for place in sorted(places, key=lambda place: _pace(candidates[place])):
        if not can_be_renamed(candidates[place]):
            yield _Pack((place,), renamed=False)
            continue
        if pack and (len(pack) == size or not _alike(candidates[pack[0]], candidates[place])):
            yield _Pack(tuple(pack))
            pack = []
        pack.append(place)
    if pack:
        yield _Pack(tuple(pack))


def _pace(candidate: Candidate) -> tuple[float, float, float]:
    incident = candidate.incident
    return incident.interval_seconds, incident.evaluation_seconds, incident.seconds


def _alike(shortest: Candidate, longest: Candidate) -> bool:
    *paces, short = _pace(shortest)
    *others, long = _pace(longest)
    return paces == others and long <= _LONGEST_TO_SHORTEST * short


def _runs(packs: Sequence[_Pack], candidates: Sequence[Candidate]) -> list[list[_Pack]]:
    """The packs dealt to runs of promtool that take about as long as each other: the longest first, each to
    the run that has the least to do."""
    together = sorted((pack for pack in packs if not pack.apart), key=lambda pack: -_work(pack, candidates))
    count = max(min(AT_ONCE, len(together)), math.ceil(len(together) / _MOST_PACKS_IN_A_RUN))
    runs: list[list[_Pack]] = [[] for _ in range(count)]
    loads = [(0.0, nth) for nth in range(count)]
    for pack in together:
        load, nth = heapq.heappop(loads)
        runs[nth].append(pack)
        heapq.heappush(loads, (load + _work(pack, candidates), nth))
    return [[pack] for pack in packs if pack.apart] + runs


def _work(pack: _Pack, candidates: Sequence[Candidate]) -> float:
    return len(pack.members) * max(_evaluations(candidates[place]) for place in pack.members)


def _evaluations(candidate: Candidate) -> float:
    return candidate.incident.seconds / candidate.incident.evaluation_seconds


def _files(pack: _Pack, candidates: Sequence[Candidate]) -> Iterator[tuple[str, str]]:
    """The rules file and the test file of a pack, each with its name."""
    rules, test = f"{pack.number}_rules.yml", f"{pack.number}{TEST_ENDING}"
    first = candidates[pack.number].incident
    members = [(place, candidates[place]) for place in pack.members]
    groups = [
        {"name": _NAME.format(place), "rules": list(_rules(candidate, place if pack.renamed else None))}
        for place, candidate in members
    ]
    yield rules, document({"groups": groups})
    series = [
        {"series": series_name(key, prefix), "values": series_values(course, candidate.incident)}
        for place, candidate in members
        for prefix in [_PREFIX.format(place) if pack.renamed else ""]
        for key, course in candidate.incident.courses.items()
    ]
    group = {
        "interval": duration(first.interval_seconds),
        "input_series": series,
        "promql_expr_test": list(_reading(pack, candidates)),
    }
    evaluation = duration(first.evaluation_seconds)
    yield test, document({"rule_files": [rules], "evaluation_interval": evaluation, "tests": [group]})


def _rules(candidate: Candidate, place: int | None) -> Iterator[Mapping[str, object]]:
    """The rules of a candidate as a rules file has them, renamed where a place is given."""
    for rule in (*candidate.rests_on, candidate.rule):
        if place is None:
            yield rule_entry(rule)
        else:
            prefix = _PREFIX.format(place)
            names = {"record": prefix + rule.record} if rule.record else {"alert": _NAME.format(place)}
            yield rule_entry(rule) | names | {"expr": renamed(rule.expr, prefix) or rule.expr}


def rule_entry(rule: Rule) -> dict[str, object]:
    """A rule as a rules file has it, without annotations."""
    entry: dict[str, object] = {"record": rule.record} if rule.record else {"alert": rule.alert}
    entry["expr"] = rule.expr
    if rule.for_seconds:
        entry["for"] = duration(rule.for_seconds)
    if rule.keep_firing_for_seconds:
        entry["keep_firing_for"] = duration(rule.keep_firing_for_seconds)
    if rule.labels:
        entry["labels"] = dict(rule.labels)
    return entry


def _windows(pack: _Pack, candidates: Sequence[Candidate]) -> list[tuple[float, float]]:
    """Beginnings and ends, in seconds, of what is read at a time.

    Each candidate's end is one of the ends; the first window begins before time 0, as Prometheus 3 leaves the
    beginning of a range out.
    """
    step = candidates[pack.number].incident.evaluation_seconds
    ends = {step * math.floor(candidates[place].incident.seconds / step) for place in pack.members}
    window = pack.steps * step
    borders = sorted(ends | {window * nth for nth in range(1, math.ceil(max(ends) / window))})
    return list(zip([-step, *borders[:-1]], borders, strict=True))


def _reading(pack: _Pack, candidates: Sequence[Candidate]) -> Iterator[Mapping[str, str]]:
    """Tests that always fail, as something is got that is not expected: the pack's number at least."""
    step = duration(candidates[pack.number].incident.evaluation_seconds)
    for begin, end in _windows(pack, candidates):
        for which in ("min", "max"):
            seen = f"{which}_over_time(timestamp(ALERTS)[{duration(end - begin)}:{step}])"
            yield {"expr": f"{seen} or vector({pack.number})", "eval_time": duration(end)}


def _reads(output: str) -> dict[int, list[Failure]]:
    """What was read of each pack, by its number; also what could not be."""
    reads: dict[int, list[Failure]] = {}
    for failure in failures(output):
        if found := _READ.fullmatch(failure.expr):
            reads.setdefault(int(found["pack"]), []).append(failure)
    return reads


def _edges(reads: Sequence[Failure], alert: str, end_seconds: float) -> Edges:
    edges: Edges = {}
    for read in reads:
        if read.at_seconds > end_seconds:
            continue
        for sample in read.got:
            if ("alertname", alert) in sample.labels:
                first, last = edges.get(sample.labels, (math.inf, -math.inf))
                edges[sample.labels] = (min(first, sample.value), max(last, sample.value))
    return edges


def _fired(edges: Edges, candidate: Candidate) -> Fired:
    pending = [first for labels, (first, _) in edges.items() if ("alertstate", "pending") in labels]
    firing = {labels: edge for labels, edge in edges.items() if ("alertstate", "firing") in labels}
    if not firing:
        return Fired(pending_at=min(pending, default=None))
    labels, (first, _) = min(firing.items(), key=lambda item: (item[1][0], item[0]))
    resolved = max(last for _, last in firing.values()) + candidate.incident.evaluation_seconds
    return Fired(
        pending_at=min(pending, default=None),
        firing_at=first,
        resolved_at=resolved if resolved <= candidate.incident.seconds else None,
        labels={name: value for name, value in labels if name not in ("alertname", "alertstate")},
    )


def plain_error(output: str) -> str:
    """What promtool says of one rule, without where its file was."""
    if failed := re.search(r"rule: .*, time: (\S+), err: (.*)", output):
        return f"after {failed[1]}: {failed[2]}"
    if refused := re.search(r'group ".*", rule \d+, ".*?": (.*)', output):
        return refused[1]
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return " ".join(line for line in lines if line != "FAILED:" and not line.startswith("Unit Testing:"))
