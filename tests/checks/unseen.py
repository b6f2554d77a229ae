"""Servers that cannot be seen, each for another reason."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from opsconsole.config import Environment
from tests.checks.conftest import changed
from tests.standins.raw import http, raw_server

NOBODY = "http://127.0.0.1:1"

_ANSWERS = {
    "a login": (http(b"{}", "401 Unauthorized"), "answered 401"),
    "no permission": (http(b"{}", "403 Forbidden"), "answered 403"),
    "a redirect": (http(b"", "302 Found", Location="http://127.0.0.1:1/login"), "redirects to"),
    "HTML": (http(b"<html><body>Please log in</body></html>", content_type="text/html"), "HTML"),
    "cut JSON": (http(b'{"status": "success", "data": {"resu', content_type="application/json"), "answered"),
    "a cut answer": (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{", "broke off"),
}
_SAYINGS = {"nobody": "connection refused", "silence": "no answer within", "a drip": "no answer within"}
_ENDLESS = ("silence", "a drip")
"""Where no whole answer ever comes: only there is waiting a waste, and only there is the wait short."""

every_reason = pytest.mark.parametrize("reason", [*_SAYINGS, *_ANSWERS])


@asynccontextmanager
async def blinded(environment: Environment, setting: str, reason: str) -> AsyncIterator[Environment]:
    """The environment with the server at this address (`setting`: "prometheus_url") not to be seen.

    The other servers keep the environment's patience.
    """
    async with unseen(reason) as url:
        unseeing = changed(environment, **{setting: url})
        if reason in _ENDLESS:
            server = setting.partition("_")[0]
            unseeing = changed(unseeing, **{f"{server}_timeout_seconds": 0.5})
        yield unseeing


@asynccontextmanager
async def unseen(reason: str) -> AsyncIterator[str]:
    """The URL of a server that is not to be seen for this reason."""
    if reason == "nobody":
        yield NOBODY
    elif reason == "silence":
        async with raw_server(b"", hang=True) as url:
            yield url
    elif reason == "a drip":
        drops = [b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", *[b"{"] * 500]
        async with raw_server(lambda _: drops, pause_seconds=0.05) as url:
            yield url
    else:
        async with raw_server(_ANSWERS[reason][0]) as url:
            yield url


def saying(reason: str) -> str:
    """What the outcome has to say of this reason."""
    return _SAYINGS.get(reason) or _ANSWERS[reason][1]
