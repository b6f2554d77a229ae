"""The fold beside Prometheus' own rule engine: the same results must make the same alerts.

One run of promtool decides all cases. It reads out at which evaluations each rule's expression had a result,
which is what the fold is given, and at which its alert was pending and firing, which is what must come out. A
sum of powers of two carries fifty evaluations out of promtool, in one number for each series.
"""

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import pytest

from opsconsole.lab.servers import Servers
from opsconsole.rehearse.answers import failures
from opsconsole.rehearse.backtest.fold import Fold, Seen, Spell
from opsconsole.rehearse.promtool import Promtool

MINUTE = 60_000
WINDOW = 50  # evaluations in one number: a double holds 53 bits exactly
WINDOWS = 3
TICKS = range(0, WINDOW * WINDOWS * MINUTE, MINUTE)
CASES = 48
SERIES = 3


@dataclass(frozen=True)
class Case:
    """A rule, in minutes, and the values of its series: numbers, `_` for none, `stale`."""

    for_minutes: int
    keep_minutes: int
    values: tuple[tuple[str, ...], ...]


def case(number: int) -> Case:
    rng = random.Random(number)
    waits = (0, 0, 1, 3, 7, 20)
    changes = rng.choice((0.05, 0.15, 0.4))
    kinds = ("0", "1", "1", "0") if number % 3 else ("0", "1", "_", "stale")

    def course() -> Iterator[str]:
        value = rng.choice(kinds)
        for _ in TICKS:
            value = rng.choice(kinds) if rng.random() < changes else value
            yield value

    return Case(rng.choice(waits), rng.choice(waits), tuple(tuple(course()) for _ in range(SERIES)))


EVERY = [case(number) for number in range(CASES)]


def rules() -> Iterator[str]:
    yield "groups: [{name: g, rules: ["
    for number, each in enumerate(EVERY):
        waits = f"for: {each.for_minutes}m, keep_firing_for: {each.keep_minutes}m"
        yield f"{{alert: C, expr: 'm{{case=\"{number}\"}} > 0', {waits}}},"
    yield "]}]"


def unit_test() -> Iterator[str]:
    yield "rule_files: [rules.yml]\nevaluation_interval: 1m\ntests: [{interval: 1m, input_series: ["
    for number, each in enumerate(EVERY):
        for s, values in enumerate(each.values):
            yield f"{{series: 'm{{case=\"{number}\",s=\"{s}\"}}', values: '{' '.join(values)}'}},"
    yield "], promql_expr_test: ["
    for window in range(WINDOWS):
        for what in ("ALERTS", 'label_replace(m > 0, "alertstate", "seen", "", "")'):
            bits = f"sum_over_time(({what} * 0 + 2 ^ (time() / 60 - {window * WINDOW}))[49m30s:1m])"
            yield f"{{expr: '{bits}', eval_time: {window * WINDOW + WINDOW - 1}m, exp_samples: []}},"
    yield "]}]"


Told = dict[tuple[int, int, str], set[int]]
"""By case, series and state (seen, pending, firing): the evaluations."""


@pytest.fixture(scope="module")
async def told(servers: Servers) -> Told:
    said = await Promtool(servers.promtool).run(
        {"a_test.yml": "\n".join(unit_test()), "rules.yml": "\n".join(rules())}
    )
    found: Told = defaultdict(set)
    for failure in failures(said):
        assert not failure.error
        base = round(failure.at_seconds / 60) - WINDOW + 1
        for sample in failure.got:
            labels = dict(sample.labels)
            bits = int(sample.value)
            ticks = {TICKS[base + bit] for bit in range(WINDOW) if bits >> bit & 1}
            found[int(labels["case"]), int(labels["s"]), labels["alertstate"]] |= ticks
    return found


def folded(each: Case, seen: Iterable[Seen], cuts: Sequence[int]) -> list[Spell]:
    """What the fold makes of it, fed in stretches that begin at these places."""
    fold = Fold(60 * each.for_minutes, 60 * each.keep_minutes)
    spells: list[Spell] = []
    for first, last in zip([0, *cuts], [*cuts, len(TICKS)], strict=True):
        part = TICKS[first:last]
        some = [Seen(one.key, [tick for tick in one.ticks if tick in part], ()) for one in seen]
        spells += fold.feed(part, [one for one in some if one.ticks])
    return spells + fold.ongoing()


def states(spells: Iterable[Spell], number: int) -> Told:
    found: Told = defaultdict(set)
    for spell in spells:
        s = int(dict(spell.key)["s"])
        for tick in TICKS:
            if spell.pending <= tick and (spell.ended is None or tick < spell.ended):
                firing = spell.firing is not None and tick >= spell.firing
                found[number, s, "firing" if firing else "pending"].add(tick)
    return found


@pytest.mark.parametrize("number", range(CASES))
def test_as_the_rule_engine(told: Told, number: int) -> None:
    seen = [
        Seen((("s", str(s)),), sorted(ticks), ()) for s in range(SERIES) if (ticks := told[number, s, "seen"])
    ]
    expected = {key: ticks for key, ticks in told.items() if key[0] == number and key[2] != "seen" and ticks}
    rng = random.Random(number)
    for cuts in ([], sorted(rng.sample(range(1, len(TICKS)), 6))):
        assert states(folded(EVERY[number], seen, cuts), number) == expected


def test_the_cases_are_worth_it(told: Told) -> None:
    """They do have what they are meant to have: alerts that wait, fire, and fire on."""
    firing = {key[:2] for key, ticks in told.items() if key[2] == "firing" and ticks}
    pending = {key[:2] for key, ticks in told.items() if key[2] == "pending" and ticks}
    fire_on = {key for key in firing if told[*key, "firing"] - told[*key, "seen"]}
    assert len(firing) > 90
    assert pending - firing
    assert len(fire_on) > 40
