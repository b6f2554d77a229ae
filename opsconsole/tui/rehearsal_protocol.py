"""What the screen of a rehearsal needs of the work; `opsconsole.cli` makes it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from opsconsole.rehearse.curve import Curve
    from opsconsole.rehearse.model import Rehearsal, Verdict

Progress = Callable[[str], None]
OnTotal = Callable[[int], None]
OnVerdict = Callable[["Verdict"], None]


class RehearsalWork(Protocol):
    """A rehearsal that is ready to begin. `tests_folder` is where it writes unit tests, empty: nowhere."""

    @property
    def tests_folder(self) -> str: ...

    async def rehearse(self, progress: Progress, on_total: OnTotal, on_verdict: OnVerdict) -> "Rehearsal":
        """All verdicts; each is told as it comes, in any order, and before them how many there will be. It
        computes for long, and is run in a thread of its own."""
        ...

    async def curve(self, verdict: "Verdict") -> "Curve | None":
        """The course of the value under the verdict's witness; None where it has none that can be drawn."""
        ...

    def exit_code(self, rehearsal: "Rehearsal") -> int: ...
