"""An exchange as evidence: what was asked, what came back, cut where it is long."""

import hashlib
import itertools
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from opsconsole.model import Exchange
from opsconsole.redaction import excerpt

if TYPE_CHECKING:
    from opsconsole.clients.http import Answer

KEPT_BYTES = 16 * 1024
"""How much of a body is kept as evidence; the rest is represented by the SHA-256 of the whole."""

_numbers = itertools.count(1)


def next_id() -> str:
    return f"x{next(_numbers)}"


def on_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    return host in ("localhost", "::1") or host.startswith("127.")


def _kept(body: bytes) -> str:
    return excerpt(body[: 2 * KEPT_BYTES].decode("utf-8", errors="replace"), KEPT_BYTES)


def evidence(
    id: str,
    server: str,
    method: str,
    url: str,
    headers: dict[str, str],
    body: bytes,
    answer: "Answer | None",
    at: float,
    seconds: float,
    error: str,
) -> Exchange:
    received = answer.body if answer else b""
    return Exchange(
        id=id,
        server=server,
        method=method,
        url=url,
        request_headers=headers,
        request_body=_kept(body),
        status=answer.status if answer else None,
        response_type=answer.headers.get("content-type", "") if answer else "",
        response_body=_kept(received),
        response_bytes=len(received),
        response_sha256=hashlib.sha256(received).hexdigest() if answer else "",
        at=at,
        seconds=seconds,
        error=error,
    )
