"""What is called dead is attacked with random series by promtool, and never fires.

Larger by hand: `OPSCONSOLE_ATTACKS=50 python -m pytest tests/rehearse/dead/test_attacks.py`, times as many.
"""

import os
from pathlib import Path
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from opsconsole.errors import Nonsense
from opsconsole.lab.servers import Servers
from opsconsole.promql import parse, selectors
from opsconsole.rehearse.dead import prove, unfed
from opsconsole.rehearse.model import Rule
from opsconsole.rehearse.reasons import KINDS
from opsconsole.rehearse.schema import Schema
from tests.rehearse.dead import billing, small
from tests.rehearse.dead.attacks import fired, random_series
from tests.rehearse.dead.expressions import vector
from tests.rehearse.dead.mutations import MUTATIONS

TIMES = int(os.environ.get("OPSCONSOLE_ATTACKS", "1"))
SAMPLES = 40
PACES = (15, 60, 300, 900)


def _names(rules: list[Rule], schema: Schema) -> list[str]:
    read = {each.metric or "" for rule in rules for each in selectors(parse(rule.expr))}
    return sorted(read & schema.metrics.keys())


def test_no_incident_fires_what_was_broken(servers: Servers, tmp_path: Path) -> None:
    broken = [mutation.rule() for mutation in MUTATIONS if mutation.kind != "not-promql"]
    rules = [*broken, *billing.alerts().values()]
    names = _names(rules, billing.SCHEMA)
    whole: set[int] = set()
    tried: set[int] = set()
    for seed in range(3 * TIMES):
        series = random_series(Random(seed), billing.SCHEMA, SAMPLES, names)
        pace = PACES[seed % 3 + 1]
        seen, failed = fired(
            servers.promtool, rules, series, tmp_path, interval_seconds=pace, samples=SAMPLES
        )
        assert [rules[place].expr for place in seen if place < len(broken)] == [], f"seed {seed}"
        whole |= {place for place in seen if place >= len(broken)}
        tried |= {*range(len(rules))} - failed
    assert whole, "the incidents are too tame: they fire nothing of what is not broken"
    assert tried == {*range(len(rules))}


def _expressions(seed: int, count: int) -> list[Rule]:
    random = Random(seed)
    found: list[Rule] = []
    while len(found) < count:
        rule = Rule(
            expr=vector(random, 3), alert="A", for_seconds=random.choice((0.0,) * 8 + (600.0, 7200.0))
        )
        try:
            parse(rule.expr)
        except Nonsense:
            continue
        found.append(rule)
    return found


def test_no_incident_fires_what_is_dead_of_random_expressions(servers: Servers, tmp_path: Path) -> None:
    for seed in range(TIMES):
        rules = [rule for rule in _expressions(seed, 250) if prove(rule, small.SCHEMA)]
        for attack in range(3):
            random = Random(f"{seed} {attack}")
            series = random_series(random, small.SCHEMA, SAMPLES, [*small.SCHEMA.metrics])
            series["nosuch"] = "1+1x100"
            pace = PACES[attack]
            seen, _ = fired(servers.promtool, rules, series, tmp_path, interval_seconds=pace, samples=SAMPLES)
            assert [rules[place].expr for place in seen] == [], f"seed {seed}, attack {attack}"


SCHEMAS = [small.SCHEMA, Schema(origin="guess"), Schema(origin="exposition", metrics=small.SCHEMA.metrics)]


@settings(max_examples=60)
@given(random=st.randoms(use_true_random=False), depth=st.integers(0, 4), schema=st.sampled_from(SCHEMAS))
def test_whatever_is_written_reasons_are_in_order(random: Random, depth: int, schema: Schema) -> None:
    rule = Rule(expr=vector(random, depth), alert="A", for_seconds=random.choice((0.0, 7200.0)))
    reasons = prove(rule, schema)
    assert not (reasons and unfed(rule, schema))
    assert reasons == sorted(reasons, key=lambda reason: bool(reason.guess))
    for reason in reasons:
        assert reason.kind in KINDS
        assert reason.summary
        if reason.kind != "not-promql":
            assert str(parse(rule.expr)).count(reason.guilty) > reason.nth
