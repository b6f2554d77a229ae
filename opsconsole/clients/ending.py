"""How every change ends: taken back, in whatever way its block is left, and seen to be, not only asked to be.

A change that must not outlive its console is made for a short time only, and prolonged while its block
lives.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from opsconsole.errors import TimedOut, Unseen

_PAUSE_SECONDS = 0.3


@asynccontextmanager
async def taken_back(
    attempt: Callable[[], Awaitable[bool]],
    ended: Callable[[], None],
    *,
    what: str,
    where: str,
    hint: str,
    within_seconds: float,
) -> AsyncIterator[None]:
    """Have something changed while the block runs, and take it back however the block ends.

    `attempt` takes it back and looks: true when the end was seen. It is called again and again, and what it
    cannot see (Unseen) is not the end. `ended` is called once, when the end was seen. Cancelling waits for
    it. Raises TimedOut where it was not seen within `within_seconds`, unless the block itself has failed.
    """
    failed = True
    try:
        yield
        failed = False
    finally:
        seen = await _to_its_end(asyncio.create_task(_end(attempt, ended, within_seconds)))
        if not seen and not failed:
            raise TimedOut(f"{what} was not seen to end within {within_seconds:g} s", where=where, hint=hint)


@asynccontextmanager
async def prolonged(prolong: Callable[[], Awaitable[object]], *, every_seconds: float) -> AsyncIterator[None]:
    """Call `prolong` at this interval while the block runs. A try that cannot be seen to succeed is not the
    last one: what is prolonged outlasts several intervals. When the block is left none is on its way.
    """
    left = asyncio.Event()

    async def again() -> bool:
        while not await _set_within(left, every_seconds):
            with suppress(Unseen):
                await prolong()
        return True

    task = asyncio.create_task(again())
    try:
        yield
    finally:
        left.set()
        await _to_its_end(task)


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


async def _end(attempt: Callable[[], Awaitable[bool]], ended: Callable[[], None], within: float) -> bool:
    try:
        async with asyncio.timeout(within):
            while not await _seen(attempt):  # noqa: ASYNC110 - servers tell nobody by themselves
                await asyncio.sleep(_PAUSE_SECONDS)
    except TimeoutError:
        return False
    ended()
    return True


async def _seen(attempt: Callable[[], Awaitable[bool]]) -> bool:
    try:
        return await attempt()
    except Unseen:
        return False


async def _to_its_end(task: asyncio.Task[bool]) -> bool:
    """Wait for bounded work through cancellations; the cancellation goes on afterwards."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        raise cancelled
    return task.result()
