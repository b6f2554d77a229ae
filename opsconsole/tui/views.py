"""The views of an item."""

from textual.binding import Binding, BindingType

VERIFY, ALERT_TEST = "verify", "alert-test"
"""Kinds of runs: one works through a checklist, one tests alerts."""

VIEWS = {"result": "Result", "evidence": "Evidence", "runbook": "What to do", "history": "History"}
"""What can be looked at, by the numbers from 1 on. A large screen shows the first beside any other."""

ALERT_VIEWS = {"trace": "Trace", **VIEWS}
"""What can be looked at of an alert under test."""


def views_of(kind: str) -> dict[str, str]:
    """The views of the items of such a run, by their names, with their titles."""
    return ALERT_VIEWS if kind == ALERT_TEST else VIEWS


def view_bindings(kind: str) -> list[BindingType]:
    """The number keys of the views of such a run."""
    return [
        Binding(str(number), f"view('{name}')", title, tooltip=f"Show: {title}", show=False)
        for number, (name, title) in enumerate(views_of(kind).items(), 1)
    ]
