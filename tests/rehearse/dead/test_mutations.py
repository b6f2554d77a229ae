"""The reference rules and dashboard: nothing dead in them, and everything that is broken on purpose."""

import pytest

from opsconsole.promql import parse
from opsconsole.rehearse.dead import prove, unfed
from opsconsole.rehearse.load import guessed
from opsconsole.rehearse.model import Rule
from opsconsole.rehearse.schema import Schema
from tests.rehearse.dead.billing import SCHEMA, alerts, panels
from tests.rehearse.dead.mutations import MUTATIONS, Mutation

WHOLE = [
    *alerts().values(),
    *(Rule(alert=title, expr=expr) for title, all_ in panels().items() for expr in all_),
]
ANY_LABELS = Schema(origin="environment")


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda mutation: mutation.name.replace(" ", "-"))
def test_what_is_broken_is_found_with_its_reason(mutation: Mutation) -> None:
    rule = mutation.rule()
    reasons = prove(rule, SCHEMA)
    assert [reason.kind for reason in reasons[:1]] == [mutation.kind], reasons
    assert mutation.correction in reasons[0].correction
    assert not reasons[0].guess
    assert unfed(rule, SCHEMA) == []
    if mutation.kind != "not-promql":
        assert str(parse(rule.expr)).count(reasons[0].guilty) > reasons[0].nth


@pytest.mark.parametrize("rule", WHOLE, ids=lambda rule: rule.alert.replace(" ", "-"))
@pytest.mark.parametrize("schema", [SCHEMA, guessed(WHOLE)], ids=["environment", "guess"])
def test_what_is_whole_is_not_dead(rule: Rule, schema: Schema) -> None:
    assert prove(rule, schema) == []
    assert unfed(rule, schema) == []


@pytest.mark.parametrize("rule", WHOLE, ids=lambda rule: rule.alert.replace(" ", "-"))
def test_what_nobody_exports_is_unfed_and_not_dead(rule: Rule) -> None:
    assert prove(rule, ANY_LABELS) == []
    reasons = unfed(rule, ANY_LABELS)
    if "absent" in rule.expr:
        assert reasons == []
    else:
        assert {reason.kind for reason in reasons} == {"no-metric"}
