"""Work that computes for long, beside the screen and not in its way."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from threading import Event
from typing import Any, TypeVar

T = TypeVar("T")


async def beside(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What `work()` comes to, in a thread with a loop of its own.

    Cancelled, it cancels the work and waits until that has cleaned up behind itself.
    """
    begun = Event()
    running: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    async def told() -> T:
        task = asyncio.current_task()
        if task is not None:
            running.append((asyncio.get_running_loop(), task))
        begun.set()
        return await work()

    thread = asyncio.ensure_future(asyncio.to_thread(lambda: asyncio.run(told())))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        begun.wait()
        for loop, task in running:
            with suppress(RuntimeError):  # it has ended by itself
                loop.call_soon_threadsafe(task.cancel)
        await asyncio.wait([thread])
        thread.cancelled() or thread.exception()
        raise
