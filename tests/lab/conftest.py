"""What the lab's own tests share."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx
import pytest

from opsconsole.lab import stack
from opsconsole.lab.http import Routes, listen
from opsconsole.lab.servers import Pair, Servers
from opsconsole.lab.state import LabState


@asynccontextmanager
async def served(routes: Routes) -> AsyncIterator[httpx.AsyncClient]:
    """These routes on a free port, and a client for them."""
    server = await listen(routes, 0)
    host, port = server.sockets[0].getsockname()
    async with httpx.AsyncClient(base_url=f"http://{host}:{port}", timeout=60) as client:
        yield client
    server.close()


@pytest.fixture(scope="session")
def lab(pair: Pair, servers: Servers) -> Iterator[LabState]:
    """A whole lab in the chosen versions, shared by all tests that leave it as it was."""
    state = asyncio.run(stack.start("foreground", pair.prometheus, pair.alertmanager))
    yield state
    stack.stop(state)
