"""What the screens that lie over a run have in common."""

from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

_R = TypeVar("_R")


class Modal(ModalScreen[_R | None]):
    """A dialog in a frame; Escape leaves it without an answer."""

    CSS_PATH = "modal.tcss"
    VERTICAL_BREAKPOINTS = [(0, "-short"), (32, "-roomy")]  # noqa: RUF012 - as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "Cancel", tooltip="Leave without a change")
    ]
