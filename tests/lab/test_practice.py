"""What a person means by a line in a practice, what helps, and which fault it is."""

import pytest

from opsconsole.lab import practice
from opsconsole.lab.faults import Fault
from opsconsole.lab.practice import Answer, Ask, Cannot, Listing, Look, Meaning, Perhaps


def fault(name: str, link: str, said: str, shows: str = "it is down") -> Fault:
    return Fault(breaks=lambda lab: None, shows={"scraping": shows}, name=name, link=link, said=said)


DOWN = fault("target_down", "target", "The billing service is down")
SLOW = fault("target_slow", "target", "The metrics endpoint is slow")
SILENCED = fault("silenced_for_ever", "alertmanager", "A silence of ten years is in force")
FAULTS = [DOWN, SLOW, SILENCED]


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("", None),
        ("  \t", None),
        ("help", Ask("help")),
        ("Hint!", Ask("hint")),
        ("give up", Ask("give up")),
        ("quit", Ask("give up")),
        ("list", Listing()),
        ("lab list", Listing()),
        ("list alertm", Listing(link="alertmanager")),
        ("list slow", Listing(words="slow")),
        ("verify -k 'two words'", Look(("verify", "-k", "two words"))),
        ("opsconsole verify --env lab", Look(("verify", "--env", "lab"))),
        ("alert send severity=info", Look(("alert", "send", "severity=info"))),
        ("runs", Look(("runs", "list"))),
        ("status", Look(("lab", "status"))),
        ("3", Answer(SILENCED)),
        ("#1", Answer(DOWN)),
        ("0", Perhaps(())),
        ("4", Perhaps(())),
        ("9" * 6000, Perhaps(())),
        ("target_down", Answer(DOWN)),
        ("Target down.", Answer(DOWN)),
        ("`the billing service is DOWN`", Answer(DOWN)),
        ("ten years", Perhaps((SILENCED,))),
        ("target", Perhaps((DOWN, SLOW))),
        ("silencd_for_evr", Perhaps((SILENCED,))),
        ("something else entirely", Perhaps(())),
        ("a", Perhaps(())),
    ],
    ids=lambda each: each[:30] if isinstance(each, str) else "",
)
def test_what_is_meant(line: str, meant: Meaning | None) -> None:
    assert practice.meaning(line, FAULTS) == meant


@pytest.mark.parametrize("line", ["lab mend", "lab down", "alert-test", "verify -k 'half"])
def test_what_is_not_done_is_said_with_its_reason(line: str) -> None:
    assert isinstance(practice.meaning(line, FAULTS), Cannot)


def test_only_the_very_fault_is_right_and_the_link_is_told() -> None:
    assert practice.judged(DOWN, DOWN) == ""
    assert practice.judged(SLOW, DOWN) == "the right link, another fault"
    assert practice.judged(SILENCED, DOWN) == "not this one"


def test_hints_lead_from_the_link_to_the_item() -> None:
    link, item = practice.hints(DOWN, {"scraping": "Prometheus scrapes"})
    assert link == "the link is target: what Prometheus scrapes"
    assert item == "`verify` tells of it at scraping (Prometheus scrapes)"


def test_a_seed_always_draws_the_same_whatever_the_order() -> None:
    drawn = [practice.drawn(seed, FAULTS).name for seed in range(30)]
    assert drawn == [practice.drawn(seed, FAULTS[::-1]).name for seed in range(30)]
    assert set(drawn) == {fault.name for fault in FAULTS}


def test_what_only_the_test_of_an_alert_finds_is_not_for_practice() -> None:
    possible = practice.possible()
    assert possible
    assert not [fault for fault in possible if fault.drill]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("connection refused", "connection refused"),
        (r"(?s)differs from the reference.*\+  0\.52", "differs from the reference…+ 0.52"),
        (r"\d+ of (?:two|many) targets?", "… of two targets"),
        (r"(yaml: (?:no|bad) line|other) \(status 5\d\d\)$", "yaml: no line (status 5…)"),
        (r"127.0.0.1:\d+ says[^\n]* no", "127.0.0.1:… says… no"),
        (r"first words|others", "first words"),
    ],
)
def test_a_regular_expression_in_words(expression: str, said: str) -> None:
    assert practice.in_words(expression) == said
