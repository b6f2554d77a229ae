"""The last question before faults are injected."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Button, Static

from opsconsole.model import AlertPlan
from opsconsole.reports.wording import one_line
from opsconsole.runview import ItemView
from opsconsole.tui.screens.modal import Modal


class GoScreen(Modal[bool]):
    """Says what will be sent and who will be notified; in a protected environment Cancel is at hand first."""

    def __init__(self, items: Sequence[ItemView], *, environment: str, protected: bool) -> None:
        super().__init__()
        self._plans = [item.plan for item in items if item.plan is not None]
        self._where = f"PROTECTED: {environment.upper()}" if protected else environment
        self._protected = protected

    def compose(self) -> ComposeResult:
        with Vertical(id="dialog", classes="failure" if self._protected else "") as dialog:
            dialog.border_title = f"Inject the faults · {self._where}"
            with VerticalScroll(id="asked", can_focus=False):
                for line in in_short(self._plans):
                    yield Static(line, markup=False)
            yield Static("Inject the faults as planned?", markup=False, classes="question")
            with Horizontal(id="buttons"):
                yield Button("Go", id="go", variant="error" if self._protected else "primary", compact=True)
                yield Button("Cancel (Esc)", id="cancel", compact=True)

    def on_mount(self) -> None:
        self.query_one("#cancel" if self._protected else "#go").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        self.dismiss(event.button.id == "go")


def in_short(plans: Sequence[AlertPlan]) -> list[str]:
    """What the plans come to: alerts, requests, test objects, people, and which cannot succeed."""
    requests, objects = sum(plan.requests for plan in plans), sum(plan.objects for plan in plans)
    told = [f"{_counted(len(plans), 'alert')}, about {_counted(requests, 'request')}"]
    if objects:
        told.append(f"{_counted(objects, 'test object')}, removed at the end")
    sends = dict.fromkeys(plan.sends for plan in plans if plan.sends)
    told += [f"sends {one_line(what)}" for what in sends]
    if people := dict.fromkeys(name for plan in plans for name in plan.recipients):
        told.append(f"notifies {', '.join(map(one_line, people))}")
    if beside := dict.fromkeys(name for plan in plans for name in plan.beside):
        told.append(f"also fires {', '.join(map(one_line, beside))}")
    if barred := [plan.alert for plan in plans if plan.obstacles]:
        told.append(f"✗ cannot succeed: {', '.join(map(one_line, barred))}")
    return told


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
