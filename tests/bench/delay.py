"""A server far away: a TCP proxy on loopback that holds every answer back for some milliseconds."""

import asyncio
import sys
from contextlib import suppress
from functools import partial


async def serve(delay_seconds: float, ways: list[tuple[int, int]]) -> None:
    """For each (port here, port there): pass on what comes, and what comes back only after the delay."""

    async def connect(there: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", there)
            await asyncio.gather(_pass(reader, far_writer, 0.0), _pass(far_reader, writer, delay_seconds))

    for here, there in ways:
        await asyncio.start_server(partial(connect, there), "127.0.0.1", here)
    print("ready", flush=True)
    await asyncio.Event().wait()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_seconds: float) -> None:
    """Pass on piece by piece, each `delay_seconds` after it came, in order."""
    clock = asyncio.get_running_loop().time
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def take() -> None:
        with suppress(OSError):
            while piece := await reader.read(65_536):
                pieces.put_nowait((clock() + delay_seconds, piece))
        pieces.put_nowait((clock() + delay_seconds, b""))

    taking = asyncio.create_task(take())
    with suppress(OSError):
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(max(0.0, due - clock()))
            if not piece:
                break
            writer.write(piece)
            await writer.drain()
        writer.close()
    taking.cancel()


if __name__ == "__main__":
    delay, *pairs = sys.argv[1:]
    ways = [(int(here), int(there)) for here, there in (pair.split(":") for pair in pairs)]
    asyncio.run(serve(float(delay), ways))
