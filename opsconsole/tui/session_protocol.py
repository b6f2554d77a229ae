"""What the screen needs of a session; `opsconsole.session` makes them."""

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from opsconsole.config import Environment
    from opsconsole.engine.record import Recorder
    from opsconsole.engine.schedule import Verification
    from opsconsole.store import Records


class Session(Protocol):
    """A run in an environment, ready to be worked through; its start is recorded already."""

    @property
    def environment(self) -> "Environment": ...

    @property
    def verification(self) -> "Verification": ...

    @property
    def recorder(self) -> "Recorder": ...

    @property
    def records(self) -> "Records": ...
