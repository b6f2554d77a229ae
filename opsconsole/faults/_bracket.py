"""What every fault is opened in: secrets shown to be no live ones, the journal, and an end that is seen."""

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager

from opsconsole import config
from opsconsole.alive import me
from opsconsole.clients.effects import refuse_live_keys
from opsconsole.clients.ending import taken_back
from opsconsole.errors import ConfigError
from opsconsole.faults import Means
from opsconsole.secrets import Secret

_numbers = itertools.count(1)


@asynccontextmanager
async def journalled(
    means: Means,
    *,
    what: str,
    undo: str,
    kind: str,
    end: Callable[[], Awaitable[str]],
    within_seconds: float,
    data: Mapping[str, str] | None = None,
) -> AsyncIterator[None]:
    """Journal that a fault begins, and strike it off when its end was seen, however the block ends.

    `end` takes the fault back and answers how it has ended, nothing while that is not to be seen: it is asked
    again and again, for `within_seconds` in all. `kind` and `data` are what `opsconsole cleanup` goes by.
    Raises EffectRefused for a live key before the journal, and TimedOut where the end was not seen.
    """
    refuse_live_keys(means.settings)
    effect = f"{means.run}-{kind}-{next(_numbers)}"
    needed = {"kind": kind, "url": means.service.base, "process": me(), "run": means.run, **(data or {})}
    how = ""

    async def attempt() -> bool:
        nonlocal how
        how = await end()
        return bool(how)

    means.journal.effect_begun(effect, what, undo, needed)
    async with taken_back(
        attempt,
        lambda: means.journal.effect_ended(effect, how),
        what=what,
        where=f"{means.service.server} {means.service.base}",
        hint="opsconsole cleanup",
        within_seconds=within_seconds,
    ):
        yield


def bearer(settings: config.Service) -> dict[str, str]:
    """The header that opens the billing API and the test hooks. Raises ConfigError where there is no key, and
    EffectRefused for a live one, whichever it is."""
    refuse_live_keys(settings)
    return {"authorization": f"Bearer {secret_of(settings, 'api_key').reveal()}"}


def secret_of(settings: config.Service, key: str) -> Secret:
    """A secret that the fault cannot do without. Raises ConfigError where it is not set."""
    secret: Secret | None = getattr(settings, key)
    if secret is None:
        raise ConfigError(unset(settings, key))
    return secret


def unset(settings: config.Service, *keys: str) -> str:
    """Which of these settings are missing, in words; empty where none is."""
    missing = [f"service.{key}" for key in keys if not getattr(settings, key)]
    if not missing:
        return ""
    return f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set"
