"""Stripe's webhooks, verified by Stripe's own library: slow to import, so that comes in the background."""

import hashlib
import hmac
import json
import re
from concurrent.futures import Future, ThreadPoolExecutor
from types import ModuleType
from typing import Any

TOLERANCE_SECONDS = 300  # Stripe's own; it refuses what is older, never what is ahead
MAX_UNKNOWN_TYPES = 50
ANYTHING, NO_SIGNATURE, EMPTY_SECRET = BELIEVED = ("anything", "no signature", "empty secret")
"""The ways in which an endpoint takes a forged webhook for Stripe's: it looks at no signature, or only where
there is one, or its secret was never set."""


class Refused(Exception):
    """This webhook is not to be trusted; `reason` is the label that the failure is counted under."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Verifier:
    """Checks `stripe-signature` headers against one endpoint's secret; `believed` are those of `BELIEVED`
    that it falls for."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self.believed: frozenset[str] = frozenset()
        self._importer = ThreadPoolExecutor(1, thread_name_prefix="import-stripe")
        self._stripe: Future[ModuleType] | None = None

    def warm_up(self) -> "Future[ModuleType]":
        """Begin to import the library, if that has not begun."""
        if self._stripe is None:
            self._stripe = self._importer.submit(_import_stripe)
        return self._stripe

    def verify(self, body: bytes, header: str | None) -> dict[str, Any]:
        """The event in this body. Raises Refused. Blocks until the library is there."""
        if ANYTHING in self.believed or (NO_SIGNATURE in self.believed and not header):
            return _parsed(body.decode("utf-8", "replace"))
        if not header:
            raise Refused("missing_header", "No stripe-signature header")
        if EMPTY_SECRET in self.believed and _signed_with_nothing(body, header):
            return _parsed(body.decode("utf-8", "replace"))
        stripe = self.warm_up().result()
        try:
            payload = body.decode("utf-8")
            stripe.WebhookSignature.verify_header(payload, header, self._secret)
        except (stripe.SignatureVerificationError, ValueError, TypeError) as error:
            raise Refused("invalid_signature", "Invalid signature") from error
        try:
            stripe.WebhookSignature.verify_header(payload, header, self._secret, TOLERANCE_SECONDS)
        except stripe.SignatureVerificationError as error:
            raise Refused("expired", "Timestamp outside the tolerance zone") from error
        event = _parsed(payload)
        if not isinstance(event.get("type"), str):
            raise Refused("invalid_payload", "The body is not a Stripe event")
        return event


class EventTypes:
    """Event types as label values: a bounded set, since anybody can send a body."""

    def __init__(self, known: frozenset[str]) -> None:
        self._seen = set(known)
        self._limit = len(known) + MAX_UNKNOWN_TYPES

    def label(self, body: bytes) -> str:
        """The type that this body claims, `unknown` if it claims none, `other` where too many were seen."""
        claimed = _parsed(body.decode("utf-8", "replace")).get("type")
        if not isinstance(claimed, str) or not re.fullmatch(r"[a-z0-9_.]{1,64}", claimed):
            return "unknown"
        if claimed not in self._seen and len(self._seen) >= self._limit:
            return "other"
        self._seen.add(claimed)
        return claimed


def _signed_with_nothing(body: bytes, header: str) -> bool:
    """Stripe's library for Python refuses an empty secret; others do not."""
    at, _, signature = header.removeprefix("t=").partition(",v1=")
    return hmac.new(b"", f"{at}.".encode() + body, hashlib.sha256).hexdigest() == signature


def _parsed(payload: str) -> dict[str, Any]:
    try:
        event = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _import_stripe() -> ModuleType:
    import stripe

    return stripe
