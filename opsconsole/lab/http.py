"""A small HTTP/1.1 server: what the lab's own services share.

Every process of the lab must listen within a few hundred milliseconds, and a web framework alone takes
longer to import. This one serves loopback clients that behave: requests with a length or in chunks,
connections kept open, nothing else.
"""

import asyncio
import json
import os
import re
import sys
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from opsconsole.lab import distortion

MAX_BODY_BYTES = 16 * 1024 * 1024


class Invalid(Exception):
    """This request cannot be answered; `response` says so to whoever sent it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.response = reply({"error": {"message": message}}, status)


@dataclass(frozen=True)
class Request:
    """One request; the names of `headers` are in lower case, `parameters` come from the path."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes
    parameters: dict[str, str] = field(default_factory=dict)

    def json_object(self) -> dict[str, Any]:
        """The body as a JSON object; anything else is answered with 400."""
        try:
            value = json.loads(self.body or b"{}")
        except ValueError as error:
            raise Invalid(400, f"the body is not JSON: {error}") from error
        if not isinstance(value, dict):
            raise Invalid(400, "the body is not a JSON object")
        return value

    @property
    def bearer(self) -> str | None:
        """The token of `Authorization: Bearer ...`, if there is one."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" and token.strip() else None


@dataclass(frozen=True)
class Response:
    status: int
    body: bytes
    content_type: str


def reply(value: object, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(status, json.dumps(value).encode(), "application/json")


def reply_text(text: str, status: int = 200) -> Response:
    """A plain text answer."""
    return Response(status, text.encode(), "text/plain; charset=utf-8")


Handler = Callable[[Request], Awaitable[Response]]


class Routes:
    """Handlers by method and path; `{name}` in a path matches one segment."""

    def __init__(self) -> None:
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = []
        self._distorted: list[distortion.Distorted] = []
        self.add("GET", distortion.PATH, self._show_distortions)
        self.add("POST", distortion.PATH, self._distort)

    def add(self, method: str, path: str, handler: Handler) -> None:
        pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)
        self._routes.append((method, re.compile(pattern), handler))

    async def answer(self, request: Request) -> Response:
        """What the matching handler says, spoilt where it is to be (see `distortion`)."""
        spoilt = next((each for each in self._distorted if each.applies(request)), None)
        if spoilt and request.path != distortion.PATH:
            return await spoilt.answer(lambda: self._true_answer(request))
        return await self._true_answer(request)

    async def _true_answer(self, request: Request) -> Response:
        """404 or 405 where there is no handler, 500 where it breaks."""
        known_path = False
        for method, pattern, handler in self._routes:
            if match := pattern.fullmatch(request.path):
                known_path = True
                if method == request.method:
                    request.parameters.update(
                        {name: unquote(text) for name, text in match.groupdict().items()}
                    )
                    return await _shielded(handler, request)
        return (
            reply({"message": "Method not allowed"}, 405)
            if known_path
            else reply({"message": "Not found"}, 404)
        )

    async def _show_distortions(self, request: Request) -> Response:
        return reply([each.distortion.as_dict() for each in self._distorted])

    async def _distort(self, request: Request) -> Response:
        if request.bearer is None or request.bearer != os.environ.get("OPSCONSOLE_LAB_API_KEY"):
            raise Invalid(401, "Invalid API key")
        try:
            wishes = distortion.read(json.loads(request.body))
        except (ValueError, TypeError, LookupError, re.error) as error:
            raise Invalid(400, f"no list of distortions: {error}") from error
        self._distorted = [distortion.Distorted(wish) for wish in wishes]
        return await self._show_distortions(request)


async def _shielded(handler: Handler, request: Request) -> Response:
    try:
        return await handler(request)
    except Invalid as error:
        return error.response
    except Exception:
        traceback.print_exc(file=sys.stderr)
        return reply({"message": "Internal server error"}, 500)


async def listen(routes: Routes, port: int) -> asyncio.Server:
    """Serve `routes` on this port of 127.0.0.1."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while request := await _read_request(reader, writer):
                response = await routes.answer(request)
                keep = request.headers.get("connection", "").lower() != "close"
                writer.write(_head(response, keep) + response.body)
                await writer.drain()
                if not keep:
                    break
        except (Invalid, ValueError, IndexError) as error:
            refusal = error.response if isinstance(error, Invalid) else reply({"message": "Bad request"}, 400)
            writer.write(_head(refusal, keep=False) + refusal.body)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    return await asyncio.start_server(converse, "127.0.0.1", port)


def _head(response: Response, keep: bool) -> bytes:
    return (
        f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}\r\n"
        f"Content-Type: {response.content_type}\r\nContent-Length: {len(response.body)}\r\n"
        f"Connection: {'keep-alive' if keep else 'close'}\r\n\r\n"
    ).encode()


async def _read_request(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> Request | None:
    line = await reader.readline()
    if not line.strip():
        return None
    method, target, _ = line.decode("latin-1").split(" ", 2)
    headers: dict[str, str] = {}
    while (line := await reader.readline()).strip():
        name, _, text = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = text.strip()
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    url = urlsplit(target)
    query = dict(parse_qsl(url.query, keep_blank_values=True))
    return Request(method, url.path, query, headers, await _read_body(reader, headers))


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() != "chunked":
        length = int(headers.get("content-length", 0))
        if length > MAX_BODY_BYTES:
            raise Invalid(413, "the body is too large")
        return await reader.readexactly(length)
    body = bytearray()
    while size := int((await reader.readline()).split(b";")[0], 16):
        if len(body) + size > MAX_BODY_BYTES:
            raise Invalid(413, "the body is too large")
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readline()
    return bytes(body)
