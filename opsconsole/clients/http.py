"""The only door out: every request of opsconsole, bounded, recorded, and never followed astray."""

import asyncio
import importlib
import os
import ssl
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlencode, urlsplit

import msgspec

from opsconsole.clients.evidence import evidence, next_id, on_loopback
from opsconsole.errors import ConfigError, Nonsense, Refused, TimedOut, Unreachable
from opsconsole.model import Exchange
from opsconsole.redaction import excerpt, learn_basic, redact
from opsconsole.secrets import Secret

if TYPE_CHECKING:
    import httpx

_T = TypeVar("_T")
_Question = tuple[str, str, bytes]
"""Method, URL and body: what makes two questions the same."""

LARGEST_BYTES = 32 * 1024 * 1024
"""More than this is not read: 10,000 rules are 5.4 MB, 20,000 alerts 11.8 MB."""


class TooLarge(Nonsense):
    """It answered more than we read."""


_LONGEST_WORDS = 300


class _Refusal(msgspec.Struct):
    message: str = ""


@dataclass(frozen=True)
class Endpoint:
    """Where a server is and how it lets us in. `ca_file` is a PEM file to trust beside the system's."""

    url: str
    token: Secret | None = None
    user: str = ""
    password: Secret | None = None
    headers: Mapping[str, Secret] = field(default_factory=dict)
    ca_file: Path | None = None
    timeout_seconds: float = 10.0


@dataclass(frozen=True)
class Answer:
    """An answer with a body that was read whole. `at` is when it came, unix seconds by our own clock,
    `seconds` how long it took, with the time to connect."""

    server: str
    url: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    at: float
    seconds: float = 0.0

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", errors="replace")

    @property
    def clock_offset_seconds(self) -> float | None:
        """The server's clock minus ours, by its Date header (to the second); None where it sends none."""
        try:
            return parsedate_to_datetime(self.headers["date"]).timestamp() - self.at
        except (KeyError, ValueError, TypeError):
            return None

    def json(self, shape: type[_T]) -> _T:
        """The body as JSON of the given shape. Raises Nonsense with what is wrong and where."""
        try:
            return msgspec.json.decode(self.body, type=shape, strict=True)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
            raise Nonsense(f"answered {_describe(self)}: {error}", where=self.where) from error

    @property
    def where(self) -> str:
        return f"{self.server} {redact(self.url)}"


class Http:
    """The door to one server. `record` takes every exchange, also those that failed."""

    def __init__(self, server: str, endpoint: Endpoint, record: Callable[[Exchange], None]) -> None:
        self.server = server
        self.endpoint = endpoint
        self.base = endpoint.url.rstrip("/")
        self._record = record
        self._clients: dict[tuple[str, str, int | None], httpx.AsyncClient] = {}
        self._in_flight: dict[_Question, asyncio.Task[tuple[Answer, str]]] = {}

    async def close(self) -> None:
        """Give up what is still in flight and close the connections."""
        for task in self._in_flight.values():
            task.cancel()
        await asyncio.gather(*self._in_flight.values(), return_exceptions=True)
        for client in self._clients.values():
            await client.aclose()
        self._clients.clear()

    async def get(
        self,
        path: str,
        params: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        accept: tuple[int, ...] = (200,),
    ) -> Answer:
        """GET; questions that are asked at the same moment by several checks are asked once, but for those
        with `headers` of their own.

        Raises Unreachable, TimedOut, Refused (401, 403, a redirect) or Nonsense (a status not in `accept`).
        """
        url = self._url(path, params)
        if headers:
            answer, _ = await self._exchange("GET", url, dict(headers), b"")
        else:
            answer = await self._shared("GET", url, {}, b"")
        return self._accepted(answer, accept)

    async def _shared(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
        """Exchange once for all who ask the same while the answer is on its way; each gets it as evidence."""
        key = (method, url, body)
        task = self._in_flight.get(key)
        if task is None:
            task = asyncio.create_task(self._exchange(method, url, headers, body))
            self._in_flight[key] = task
            task.add_done_callback(lambda done: self._landed(key, done))
            answer, _ = await asyncio.shield(task)
            return answer
        answer, id = await asyncio.shield(task)
        self._record(
            Exchange(
                id=next_id(),
                server=self.server,
                method=method,
                url=url,
                status=answer.status,
                at=answer.at,
                repeats=id,
            )
        )
        return answer

    def _landed(self, key: _Question, task: "asyncio.Task[tuple[Answer, str]]") -> None:
        del self._in_flight[key]
        if not task.cancelled():
            task.exception()  # it may be that nobody waits for it any more

    async def post(
        self,
        path: str,
        *,
        json: Any = None,
        form: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        accept: tuple[int, ...] = (200,),
        asks: bool = False,
    ) -> Answer:
        """POST JSON, a form or raw bytes. Raises as `get`. Never repeated, and never shared, unless it only
        `asks`: a query whose body is too long for a URL is shared as a GET is."""
        headers = dict(headers or {})
        if json is not None:
            body, kind = msgspec.json.encode(json), "application/json"
        elif form is not None:
            body, kind = urlencode(form, doseq=True).encode(), "application/x-www-form-urlencoded"
        else:
            body, kind = body or b"", "application/json"
        headers.setdefault("content-type", kind)
        url = self._url(path, None)
        if asks:
            return self._accepted(await self._shared("POST", url, headers, body), accept)
        answer, _ = await self._exchange("POST", url, headers, body)
        return self._accepted(answer, accept)

    async def delete(
        self, path: str, *, headers: Mapping[str, str] | None = None, accept: tuple[int, ...] = (200, 204)
    ) -> Answer:
        """DELETE. Raises as `get`. Never repeated."""
        answer, _ = await self._exchange("DELETE", self._url(path, None), dict(headers or {}), b"")
        return self._accepted(answer, accept)

    def _url(self, path: str, params: Mapping[str, Any] | None) -> str:
        url = path if path.startswith(("http://", "https://")) else f"{self.base}{path}"
        return f"{url}?{urlencode(params, doseq=True)}" if params else url

    def _accepted(self, answer: Answer, accept: tuple[int, ...]) -> Answer:
        if answer.status in accept:
            return answer
        where = answer.where
        if answer.status in (401, 403):
            refused = "not logged in" if answer.status == 401 else "not permitted"
            raise Refused(
                f"answered {answer.status}: {refused}{_own_words(answer)}",
                where=where,
                hint=f"give the environment's {self.server} a token that may do this",
            )
        if 300 <= answer.status < 400:
            target = answer.headers.get("location", "nowhere")
            raise Refused(
                f"redirects to {redact(target)}",
                where=where,
                hint="name the final address in the configuration",
            )
        raise Nonsense(f"answered {answer.status}: {_excerpt(answer)}", where=where)

    async def _exchange(
        self, method: str, url: str, headers: dict[str, str], body: bytes
    ) -> tuple[Answer, str]:
        id, at, began = next_id(), time.time(), time.monotonic()
        sent = {**(self._credentials() if _origin(url) == _origin(self.base) else {}), **headers}
        answer: Answer | None = None
        error = ""
        try:
            async with asyncio.timeout(self.endpoint.timeout_seconds):
                answer = await self._send(method, url, sent, body)
            return answer, id
        except TimeoutError:
            error = f"no answer within {self.endpoint.timeout_seconds:g} s"
            raise TimedOut(error, where=f"{self.server} {redact(url)}") from None
        except (Unreachable, Nonsense) as failure:
            error = failure.message
            raise
        finally:
            self._record(
                evidence(
                    id, self.server, method, url, sent, body, answer, at, time.monotonic() - began, error
                )
            )

    async def _send(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Answer:
        _load_httpx()
        import httpx

        where, began = f"{self.server} {redact(url)}", time.monotonic()
        try:
            async with self._opened(url).stream(method, url, headers=headers, content=body) as response:
                parts, size = [], 0
                async for part in response.aiter_bytes():
                    parts.append(part)
                    if (size := size + len(part)) > LARGEST_BYTES:
                        raise TooLarge(f"answered more than {LARGEST_BYTES // 2**20} MiB", where=where)
                took = time.monotonic() - began
                return Answer(
                    self.server,
                    url,
                    response.status_code,
                    response.headers,
                    b"".join(parts),
                    time.time(),
                    took,
                )
        except httpx.ConnectError as error:
            raise Unreachable(_reason(error), where=where, hint=_tls_hint(error)) from error
        except (httpx.RemoteProtocolError, httpx.DecodingError) as error:
            raise Nonsense(f"broke off or spoke no HTTP: {error}", where=where) from error
        except httpx.TimeoutException as error:
            raise Unreachable(f"no connection: {type(error).__name__}", where=where) from error
        except httpx.TransportError as error:
            raise Unreachable(_reason(error), where=where) from error
        except (httpx.InvalidURL, ValueError) as error:
            raise Unreachable(f"no usable address: {error}", where=where) from error

    def _opened(self, url: str) -> "httpx.AsyncClient":
        """The connections to the URL's origin."""
        import httpx

        origin = _origin(url)
        if origin not in self._clients:
            self._clients[origin] = httpx.AsyncClient(
                verify=self._authorities() if origin[0] == "https" else False,
                timeout=None,  # noqa: S113 - asyncio.timeout bounds the whole exchange
                limits=httpx.Limits(max_connections=64),
                follow_redirects=False,
                trust_env=not on_loopback(url),
            )
        return self._clients[origin]

    def _authorities(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self.endpoint.ca_file:
            try:
                context.load_verify_locations(self.endpoint.ca_file)
            except (OSError, ssl.SSLError) as error:
                raise ConfigError(
                    f"the authorities cannot be read: {_reason(error)}", where=str(self.endpoint.ca_file)
                ) from error
        return context

    def _credentials(self) -> dict[str, str]:
        headers = {name.lower(): secret.reveal() for name, secret in self.endpoint.headers.items()}
        if self.endpoint.token is not None:
            headers["authorization"] = f"Bearer {self.endpoint.token.reveal()}"
        elif self.endpoint.password is not None:
            secret = self.endpoint.password
            headers["authorization"] = "Basic " + learn_basic(
                self.endpoint.user, secret.reveal(), secret.reference
            )
        return headers


def _origin(url: str) -> tuple[str, str, int | None]:
    """Scheme, host and port: credentials go nowhere else. Raises Unreachable where that is no address."""
    try:
        parts = urlsplit(url)
        return parts.scheme, parts.hostname or "", parts.port
    except ValueError as error:
        raise Unreachable(f"no usable address: {error}", where=redact(url)) from None


def _describe(answer: Answer) -> str:
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if kind == "text/html" or answer.body.lstrip()[:1] == b"<":
        return "HTML where JSON was expected"
    return "something that is not the JSON expected" if answer.body else "nothing where JSON was expected"


def _own_words(answer: Answer) -> str:
    """What the server says of a refusal where it does so in the usual way: which permission is missing."""
    with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        if said := msgspec.json.decode(answer.body, type=_Refusal).message:
            return f" ({excerpt(said, _LONGEST_WORDS)})"
    return ""


def _excerpt(answer: Answer, length: int = 160) -> str:
    text = " ".join(excerpt(answer.text, 4 * length).split())
    return text if len(text) <= length else f"{text[:length]}…"


def _reason(error: Exception) -> str:
    """The innermost thing that was said, in plain words."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted: {error.verify_message}"
    if isinstance(error, ssl.SSLError):  # its numbers are OpenSSL's
        return f"TLS: {(error.reason or str(error)).replace('_', ' ').lower()}"
    if isinstance(error, OSError) and error.strerror:
        # asyncio words it "Connect call failed (...)"; resolvers have numbers of their own, below zero.
        number = error.errno or 0
        return os.strerror(number).lower() if number > 0 else error.strerror
    return str(error) or type(error).__name__


def _tls_hint(error: Exception) -> str:
    if "CERTIFICATE_VERIFY" not in str(error):
        return ""
    if "expired" in str(error):
        return "renew the certificate"
    return 'for a private authority: ca_file = "…" in its table'


def _load_httpx() -> None:
    """Load httpx without its command line: that brings rich and pygments, half of the loading time.

    httpx itself does without where they are not installed; a None in `sys.modules` says that they are not.
    """
    if "httpx" not in sys.modules:
        sys.modules["httpx._main"] = None  # type: ignore[assignment]
        try:
            importlib.import_module("httpx")
        finally:
            del sys.modules["httpx._main"]
