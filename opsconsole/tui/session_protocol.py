"""What the screen needs of a session; `opsconsole.session` makes them."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from opsconsole.config import Environment
    from opsconsole.engine.record import Recorder
    from opsconsole.store import Records


class Work(Protocol):
    """What a run does: a `Verification` works through a checklist, a `Drill` tests alerts."""

    async def run(self, ids: Collection[str] | None = None) -> int: ...

    def sign_off(self, item: str, *, who: str, passed: bool, note: str) -> None: ...


@runtime_checkable
class Planning(Protocol):
    """Work that is planned before any of it is done: `prepare` records the plans, and sends nothing."""

    async def prepare(self) -> None: ...


class Session(Protocol):
    """A run in an environment, ready to be worked through; its start is recorded already."""

    @property
    def environment(self) -> "Environment": ...

    @property
    def verification(self) -> Work: ...

    @property
    def recorder(self) -> "Recorder": ...

    @property
    def records(self) -> "Records": ...
