"""The screen of an alert test: the plans first, then each alert on its way from the cause to the inbox."""

from typing import ClassVar

from textual.binding import Binding, BindingType

from opsconsole.tui.messages import RunRequested, State
from opsconsole.tui.screens.run import RunScreen
from opsconsole.tui.views import ALERT_TEST, view_bindings


class AlertTestScreen(RunScreen):
    """A run of alert tests. Where it `asks`, nothing is sent before the user has said go."""

    KIND = ALERT_TEST
    HEADING = "alert test"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g", "go", "Go", tooltip="Inject the faults as planned", priority=True),
        Binding("r", "run_item", "Again", tooltip="Test the selected alert again"),
        Binding("R,a", "run_all", "All", tooltip="Test all alerts again"),
        Binding("s", "sign_off", "Sign off", tooltip="Judge the selected alert: pass or fail, with a note"),
        Binding("slash", "filter", "Filter", tooltip="Show alerts by words and by outcome"),
        *view_bindings(ALERT_TEST),
        Binding("escape", "back", "Back", tooltip="Back to the alerts, or to the run before", show=False),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "go":
            return self.state is State.PLANNED
        return super().check_action(action, parameters)

    def action_go(self) -> None:
        self._request(None)

    def _request(self, ids: list[str] | None) -> None:
        if not self._asks:
            self.post_message(RunRequested(ids))
            return
        from opsconsole.tui.screens.go import GoScreen

        items = [item for id, item in self.view.items.items() if ids is None or id in ids]
        screen = GoScreen(items, environment=self._environment, protected=self._protected)

        def answered(said: bool | None) -> None:
            if said:
                self.post_message(RunRequested(ids))

        self.app.push_screen(screen, answered)


def screen_of(kind: str) -> type[RunScreen]:
    """The screen for a run of this kind."""
    return AlertTestScreen if kind == ALERT_TEST else RunScreen
