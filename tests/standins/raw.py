"""A server that answers with the bytes it is told to, however wrong they are."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress

Answer = Callable[[bytes], Iterable[bytes]]
"""Given the request as it came (head and body), the pieces to send; the connection is closed after them."""


@asynccontextmanager
async def raw_server(
    answer: Answer | bytes,
    *,
    pause_seconds: float = 0.0,
    hang: bool = False,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[str]:
    """Serve on loopback; yields the URL.

    `pause_seconds` lies between two pieces; with `hang` the connection stays open after the last one.
    """
    conversations: set[asyncio.Task[None]] = set()

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        conversations.add(task)
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError, ValueError):
            request = await _request(reader)
            for piece in [answer] if isinstance(answer, bytes) else answer(request):
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(pause_seconds)
            if hang:
                await reader.read()
        writer.close()
        conversations.discard(task)

    server = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        server.close()
        for task in conversations:
            task.cancel()
        await server.wait_closed()


def http(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    """A whole answer; `headers` have underscores for dashes."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length:")
        ),
        0,
    )
    return head + await reader.readexactly(length)
