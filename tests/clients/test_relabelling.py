"""Alerts as Prometheus relabels them before it sends them; the real one is asked in tests/checks."""

from typing import Any

import msgspec
import pytest

from opsconsole.clients.relabelling import Outgoing, Step
from opsconsole.errors import Nonsense

LABELS = {"alertname": "A", "severity": "critical", "job": "billing"}


def sent(labels: dict[str, str] | None = None, **step: Any) -> dict[str, str] | None:
    """With the defaults that the running configuration writes out."""
    written = {"separator": ";", "replacement": "$1", "action": "replace", **step}
    return Outgoing({}, [msgspec.convert(written, Step)]).sent(LABELS if labels is None else labels)


def changed(**labels: str) -> dict[str, str]:
    return {name: value for name, value in {**LABELS, **labels}.items() if value}


def test_external_labels_give_way_to_the_alerts_own() -> None:
    assert Outgoing({"job": "x", "env": "lab"}, []).sent(LABELS) == changed(env="lab")


CASES: dict[str, tuple[dict[str, Any], dict[str, str] | None]] = {
    "drop": ({"action": "drop", "source_labels": ["severity"], "regex": "critical"}, None),
    "drop is anchored": ({"action": "drop", "source_labels": ["severity"], "regex": "crit"}, LABELS),
    "keep": ({"action": "keep", "source_labels": ["severity"], "regex": "warning"}, None),
    "joined": ({"action": "drop", "source_labels": ["job", "severity"], "regex": "billing;critical"}, None),
    "keepequal": ({"action": "keepequal", "source_labels": ["job"], "target_label": "alertname"}, None),
    "dropequal": ({"action": "dropequal", "source_labels": ["job"], "target_label": "job"}, None),
    "replace": ({"target_label": "severity", "replacement": "info"}, changed(severity="info")),
    "replace a part": (
        {"source_labels": ["job"], "regex": "b(.*)(ing)", "target_label": "t", "replacement": "${2}-$1"},
        changed(t="ing-ill"),
    ),
    "no match": ({"source_labels": ["job"], "regex": "x", "target_label": "severity"}, LABELS),
    "the longest name": (
        {"source_labels": ["job"], "regex": "(.*)", "target_label": "t", "replacement": "$1x"}, LABELS,
    ),
    "a named group": (
        {"source_labels": ["job"], "regex": "(?P<a>.).*", "target_label": "t", "replacement": "$a$$"},
        changed(t="b$"),
    ),
    "a target from the value": ({"source_labels": ["job"], "target_label": "x_$1", "replacement": "1"},
                                changed(x_billing="1")),
    "emptied": ({"target_label": "job", "replacement": ""}, changed(job="")),
    "lowercase": ({"action": "lowercase", "source_labels": ["alertname"], "target_label": "t"},
                  changed(t="a")),
    "uppercase": ({"action": "uppercase", "source_labels": ["job"], "target_label": "t"},
                  changed(t="BILLING")),
    "labeldrop": ({"action": "labeldrop", "regex": "sev.*"}, changed(severity="")),
    "labelkeep": ({"action": "labelkeep", "regex": "alertname|job"}, changed(severity="")),
    "labelmap": ({"action": "labelmap", "regex": "sev(.*)", "replacement": "x_$1"},
                 changed(x_erity="critical")),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_an_action(case: str) -> None:
    step, wanted = CASES[case]
    assert sent(**step) == wanted


def test_what_is_missing_was_set_to_be_empty() -> None:
    emptied = Step(source_labels=["job", "severity"], target_label="job")
    assert Outgoing({}, [emptied]).sent(LABELS) == changed(job="")
    assert Outgoing({}, [Step(action="drop", source_labels=["none"], regex=None)]).sent(LABELS) is None


@pytest.mark.parametrize(
    "step",
    [
        {"action": "drop", "source_labels": ["job"], "regex": r"\p{Greek}+"},
        {"source_labels": ["job"], "target_label": "a.b", "replacement": "c"},
        {"action": "labelmap", "regex": "job|severity", "replacement": "x"},
    ],
)
def test_what_cannot_be_told_exactly_is_no_guess(step: dict[str, Any]) -> None:
    with pytest.raises(Nonsense):
        sent(**step)
