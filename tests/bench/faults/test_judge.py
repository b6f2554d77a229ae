"""The judge of the bench: it finds fault where there is one, and none where there is none."""

import pytest

from opsconsole.lab.faults import Fault
from opsconsole.model import Outcome
from tests.bench.faults.bench import Run, Told, told
from tests.bench.faults.judge import judge, unseen
from tests.bench.faults.others import TOOLS, Look, found
from tests.bench.faults.table import line, summary

FAULT = Fault(
    breaks=lambda lab: None,
    shows={"scraping": "connection refused"},
    follows={"plugin": "no target is up"},
    unseen="Slack was not looked at",
    name="target_down",
)
WELL = Told("PASS", 0.5, "", "all is well")
REFUSED = Told("FAIL", 1.0, "app: is down: connection refused", "")
BESIDE = dict.fromkeys(TOOLS, "-")


def run(**items: Told) -> Run:
    return {"scraping": REFUSED, "plugin": WELL, "panels": WELL} | items


@pytest.mark.parametrize(
    ("seen", "wrong"),
    [
        pytest.param(run(), (), id="told"),
        pytest.param(run(plugin=Told("UNKNOWN", 1.0, "no target is up", "")), (), id="follows"),
        pytest.param(run(scraping=WELL), ("scraping is PASS", "scraping does not name"), id="passed"),
        pytest.param(
            run(scraping=Told("FAIL", 1.0, "is down", "connection refused")),
            ("scraping does not name",),
            id="unnamed",
        ),
        pytest.param(
            run(plugin=Told("UNKNOWN", 1.0, "nothing", "")), ("plugin does not say on what",), id="silent"
        ),
        pytest.param(run(panels=Told("SIGN-OFF", 1.0, "hm", "")), ("panels is SIGN-OFF too",), id="beside"),
        pytest.param({"panels": WELL}, ("scraping is not run", "scraping does not name"), id="not-run"),
    ],
)
def test_what_is_not_as_it_should_be(seen: Run, wrong: tuple[str, ...]) -> None:
    row = judge(FAULT, seen, BESIDE)
    assert len(row.wrong) == len(wrong)
    assert all(said.startswith(beginning) for said, beginning in zip(row.wrong, wrong, strict=True))
    assert row.found is not any("scraping is" in each for each in wrong)
    assert all(said in line(row) for said in row.wrong)


def test_an_outcome_other_than_fail_is_asked_for_by_the_fault() -> None:
    denied = Fault(breaks=lambda lab: None, shows={"dashboard": "permission"}, outcome=Outcome.UNKNOWN)
    seen = {"dashboard": Told("UNKNOWN", 1.0, "lacks the permission", "")}
    assert not judge(denied, seen, BESIDE).wrong
    assert judge(denied, {"dashboard": Told("FAIL", 1.0, "permission", "")}, BESIDE).wrong


def test_whether_verify_says_that_it_did_not_look() -> None:
    row = judge(FAULT, run(), BESIDE)
    assert unseen(row, run(plugin=Told("PASS", 1.0, "", "Slack was not looked at"))) == row
    assert "did not look" in unseen(row, run()).wrong[0]


def test_what_a_run_says_is_read_from_its_events() -> None:
    finding = {"subject": "app", "summary": "is down", "detail": "refused", "remedy": ""}
    entries = [
        {"at": 10.0, "kind": "RunStarted", "event": {}},
        {"at": 11.0, "kind": "Found", "event": {"item": "scraping", "finding": finding}},
        {"at": 11.5, "kind": "Observed", "event": {"item": "scraping", "seen": {"text": "1 of 2"}}},
        {
            "at": 12.0,
            "kind": "ItemFinished",
            "event": {"item": "scraping", "outcome": "FAIL", "summary": "app: is down", "question": ""},
        },
    ]
    seen = told(iter(entries))["scraping"]
    assert (seen.outcome, seen.seconds, seen.seen) == ("FAIL", 2.0, "1 of 2")
    assert "refused" in seen.complaint


def test_another_tool_finds_what_it_did_not_complain_of_before() -> None:
    before = {"amtool": Look("a", frozenset({"old"}))}
    assert found(before, {"amtool": Look("b", frozenset({"old", "new"}))}) == {"amtool": "found"}
    assert found(before, {"amtool": Look("b", frozenset({"old"}))}) == {"amtool": "not found"}
    assert found(before, {"amtool": Look("a", frozenset({"old"}))}) == {"amtool": "-"}


def test_the_summary_counts() -> None:
    rows = [judge(FAULT, run(), BESIDE), judge(FAULT, run(scraping=WELL), BESIDE)]
    assert "1 of 2 faults found by the right item, the cause named in 1; 1 not as" in summary(rows, 3.0)
