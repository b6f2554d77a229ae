"""The header: which environment this is, whether it is protected, and what may be changed in it."""

from textual.content import Content
from textual.widget import Widget

_SHORTEST_NOTE = 24
"""Cells; a run's id and what keeps it apart. With less room there is no note."""


class Banner(Widget):
    """The environment's name, always in sight; a protected one is told by words and by colour.

    `title` says what the screen is for; `past` is the id of a run that is over."""

    def __init__(
        self, *, title: str, environment: str, protected: bool, effects: bool, past: str = ""
    ) -> None:
        super().__init__(id="banner", classes="-protected" if protected else "")
        self._title = title
        self._environment = environment
        self._protected = protected
        self._effects = effects
        self._past = past
        self._note = ""

    def tell(self, note: str) -> None:
        """Show `note` (run, versions) at the right, as far as there is room."""
        if note != self._note:
            self._note = note
            self.refresh()

    def render(self) -> Content:
        what = self._what()
        room = self.size.width - what.cell_length - 1
        note = self._note if len(self._note) <= room - 2 else f"{self._note[: max(0, room - 3)]}…"
        if room < _SHORTEST_NOTE:
            note = ""
        line = what + Content(" " * max(0, room - len(note)) + note)
        if self.size.height < 3:
            return line
        edge = ("▲ " * self.size.width)[: self.size.width]
        return Content("\n").join([Content(edge), line, Content(edge)])

    def _what(self) -> Content:
        who = f" PAST RUN {self._past} " if self._past else f" {self._title} "
        if self._protected:
            return Content(f" ▲{who}▲ PROTECTED: {self._environment.upper()} ▲ {self._allowed()} ▲ ")
        chip = Content.styled(f" {self._environment} ", "bold reverse")
        return Content(who) + chip + Content("" if self._effects else " read only: nothing is changed ")

    def _allowed(self) -> str:
        return "EFFECTS ALLOWED" if self._effects else "nothing is changed"
