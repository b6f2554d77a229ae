"""The verdict on a panel, from what is known of its queries."""

from opsconsole.rehearse.model import Panel, Reason, Warned, Word
from opsconsole.rehearse.panels import QueryResult, panel_verdict

PANEL = Panel(title="Payments", queries=("a", "b"), dashboard="Billing", file="billing.json", line=3)
DEAD = Reason(kind="no-label", summary="no series of b carries plan", guilty="b{}")
GUESSED = Reason(kind="no-metric", summary="nobody exports a", guess="the rules alone")
HAS = QueryResult(expr="a", shows=True)
EMPTY = QueryResult(expr="b", shows=False)


def test_data_in_one_query_is_data() -> None:
    verdict = panel_verdict(PANEL, [EMPTY, HAS])
    assert (verdict.word, verdict.reasons, verdict.because) == (Word.DATA, (), "")
    assert (verdict.subject, verdict.kind, verdict.expr) == ("Payments", "panel", "a\nb")
    assert (verdict.group, verdict.file, verdict.line) == ("Billing", "billing.json", 3)


def test_one_query_that_is_never_makes_the_panel_never() -> None:
    verdict = panel_verdict(PANEL, [HAS, QueryResult(expr="b", shows=False, reasons=(DEAD,))])
    assert (verdict.word, verdict.reasons[0].kind) == (Word.NEVER, "no-label")
    assert verdict.because == "query b: no series of b carries plan"


def test_a_single_query_is_not_named() -> None:
    alone = Panel(title="Payments", queries=("b",))
    assert panel_verdict(alone, [QueryResult(expr="b", reasons=(DEAD,))]).because == DEAD.summary


def test_what_is_proven_comes_before_a_guess() -> None:
    queries = [QueryResult(expr="a", reasons=(GUESSED,)), QueryResult(expr="b", reasons=(DEAD,))]
    verdict = panel_verdict(PANEL, queries)
    assert [reason.kind for reason in verdict.reasons] == ["no-label", "no-metric"]
    assert verdict.guess == ""
    assert panel_verdict(PANEL, queries[:1]).guess == "the rules alone"


def test_an_error_comes_before_all_else() -> None:
    refused = QueryResult(expr="a", error="parse error: unexpected end of input")
    verdict = panel_verdict(PANEL, [refused, QueryResult(expr="b", reasons=(DEAD,))])
    assert (verdict.word, verdict.because) == (Word.ERROR, "parse error: unexpected end of input")
    assert [reason.kind for reason in verdict.reasons] == ["not-promql"]
    unfilled = panel_verdict(Panel(title="P", queries=('a{plan="$plan"}',), unfilled=("plan",)), [])
    assert (unfilled.word, unfilled.because) == (Word.ERROR, "the variable plan has no value")
    assert unfilled.reasons[0].kind == "unfilled-variable"


def test_quiet_says_whether_anybody_was_asked() -> None:
    asked = panel_verdict(PANEL, [EMPTY, EMPTY])
    assert (asked.word, asked.because) == (Word.QUIET, "it can show data, and has none now")
    files = panel_verdict(PANEL, [QueryResult(expr="a", guess="the rules alone"), EMPTY])
    assert (files.word, files.guess) == (Word.QUIET, "the rules alone")
    assert "only an environment tells" in files.because


def test_warnings_are_kept_once() -> None:
    warned = Warned(kind="unit-mismatch", summary="ms")
    queries = [QueryResult(expr="a", warnings=(warned,)), QueryResult(expr="b", warnings=(warned,))]
    assert panel_verdict(PANEL, queries).warnings == (warned,)
