"""A list of lines, drawn one by one: the checklist, the evidence, the history and the runs are all of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from opsconsole.tui.themes import row_styles

Span = tuple[str, str]
"""Text and the name of its style in `opsconsole.tui.themes`."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line. `right` is kept whole at the right edge; a row with a `key` can be selected."""

    spans: tuple[Span, ...] = ()
    right: Span = ("", "")
    key: str = ""


class RowList(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows, of which those with a key can be selected. Only rows that changed are drawn again."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "step(-1)", "Up", show=False),
        Binding("down,j", "step(1)", "Down", show=False),
        Binding("home,g", "edge(0)", "First", show=False),
        Binding("end,G", "edge(-1)", "Last", show=False),
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown,space", "page_down", "Page down", show=False),
        Binding("enter", "choose", "Open", show=False),
    ]

    class Highlighted(Message):
        """Another row is selected."""

        def __init__(self, rows: "RowList", key: str) -> None:
            super().__init__()
            self.rows = rows
            self.key = key

        @property
        def control(self) -> "RowList":
            return self.rows

    class Resized(Message):
        """The rows have another width now."""

        def __init__(self, rows: "RowList") -> None:
            super().__init__()
            self.rows = rows

    class Chosen(Highlighted):
        """The selected row was entered or clicked again."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._rows: list[Row] = []
        self._cursor: int | None = None
        self._palette: dict[str, Style] = {}

    def on_mount(self) -> None:
        self._take_palette()
        self.app.theme_changed_signal.subscribe(self, self._take_palette)

    def _take_palette(self, _: object = None) -> None:
        self._palette = row_styles(self.app.theme_variables, colour=not self.app.no_color)
        self.refresh()

    def on_resize(self) -> None:
        self.post_message(self.Resized(self))

    @property
    def rows(self) -> Sequence[Row]:
        return self._rows

    @property
    def key(self) -> str:
        """The key of the selected row; "" where none is."""
        return "" if self._cursor is None else self._rows[self._cursor].key

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show these rows; the selection stays at its key, else goes to the first row that has one."""
        old_key, old, old_cursor = self.key, self._rows, self._cursor
        self._rows = list(rows)
        keys = [row.key for row in self._rows]
        first = next((index for index, key in enumerate(keys) if key), None)
        self._cursor = keys.index(old_key) if old_key and old_key in keys else first
        if len(old) != len(self._rows):
            self.virtual_size = Size(1, len(self._rows))
            self.refresh()
        else:
            changed = {y for y, (a, b) in enumerate(zip(old, self._rows, strict=True)) if a != b}
            if old_cursor != self._cursor:
                changed |= {y for y in (old_cursor, self._cursor) if y is not None}
            for y in changed:
                self.refresh_line(y)
        if self.key != old_key:
            self.post_message(self.Highlighted(self, self.key))

    def select(self, key: str) -> None:
        """Select the row with this key, if there is one, and bring it into sight."""
        index = next((i for i, row in enumerate(self._rows) if row.key == key), None)
        if index is not None and index != self._cursor:
            self._move(index)

    def show_selected(self) -> None:
        """Bring the selected row into sight."""
        if self._cursor is not None:
            self.scroll_to_region(Region(0, self._cursor, 1, 1), animate=False, force=True)

    def render_line(self, y: int) -> Strip:
        index = y + self.scroll_offset.y
        width = self.scrollable_content_region.width
        if index >= len(self._rows):
            return Strip.blank(width, self.rich_style)
        row, at_cursor = self._rows[index], index == self._cursor
        strip = self._strip(row, width, "▌" if at_cursor else " ")
        if at_cursor:
            strip = strip.apply_style(self._palette["cursor" if self.has_focus else "cursor-blurred"])
        return strip.apply_style(self.rich_style)

    def _strip(self, row: Row, width: int, gutter: str) -> Strip:
        right_text, right_style = row.right
        right = (
            Strip([Segment(f" {right_text} ", self._palette[right_style])]) if right_text else Strip.blank(1)
        )
        room = max(0, width - 1 - right.cell_length)
        left = Strip([Segment(text, self._palette[style]) for text, style in row.spans])
        if left.cell_length > room:
            left = Strip([*left.crop(0, max(0, room - 1)), Segment("…")])
        return Strip([Segment(gutter), *left.adjust_cell_length(room), *right]).crop(0, width)

    def action_step(self, by: int) -> None:
        """Select the next row; where that is far away, scroll towards it first."""
        candidates = [i for i, row in enumerate(self._rows) if row.key]
        position = -1 if self._cursor is None else candidates.index(self._cursor) + by
        if (
            self._cursor is not None
            and 0 <= position < len(candidates)
            and (abs(candidates[position] - self._cursor) < 4 or self._in_sight(candidates[position]))
        ):
            self._move(candidates[position])
        else:
            self.scroll_relative(y=by, animate=False)

    def action_edge(self, position: int) -> None:
        candidates = [i for i, row in enumerate(self._rows) if row.key]
        if candidates:
            self._move(candidates[position])
        self.scroll_to(y=0 if position == 0 else self.max_scroll_y, animate=False)

    def action_choose(self) -> None:
        if self.key:
            self.post_message(self.Chosen(self, self.key))

    def on_click(self, event: events.Click) -> None:
        index = event.y + self.scroll_offset.y
        if index < len(self._rows) and self._rows[index].key:
            if index == self._cursor:
                self.action_choose()
            else:
                self._move(index)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def _in_sight(self, index: int) -> bool:
        top = self.scroll_offset.y
        return top <= index < top + self.scrollable_content_region.height

    def _move(self, index: int) -> None:
        old, self._cursor = self._cursor, index
        for y in (old, index):
            if y is not None:
                self.refresh_line(y)
        above = 2 if index < 3 else 0
        self.scroll_to_region(
            Region(0, index - min(above, index), 1, 1 + min(above, index)), animate=False, force=True
        )
        self.post_message(self.Highlighted(self, self.key))
