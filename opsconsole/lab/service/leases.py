"""Settings that go back by themselves: whoever changed them may be gone before it can change them back."""

import asyncio
from collections.abc import Callable, Iterable

MAX_LEASE_SECONDS = 3600.0


class Leases:
    """At most one lease for each setting; `restore` is called with its name when the lease runs out."""

    def __init__(self, restore: Callable[[str], None]) -> None:
        self._restore = restore
        self._running: dict[str, asyncio.TimerHandle] = {}

    def take(self, settings: Iterable[str], seconds: float | None) -> None:
        """These settings are changed for so long, or with None for good: an earlier lease of them is over."""
        for setting in settings:
            if earlier := self._running.pop(setting, None):
                earlier.cancel()
            if seconds is not None:
                loop = asyncio.get_running_loop()
                self._running[setting] = loop.call_later(seconds, self._run_out, setting)

    def _run_out(self, setting: str) -> None:
        del self._running[setting]
        self._restore(setting)
