"""Webhooks as Stripe sends them: the event, and the header `t=<unix>,v1=<HMAC-SHA256 of "{t}.{body}">`."""

import hashlib
import hmac
import itertools
import json
import time

from opsconsole import config
from opsconsole.clients.http import Answer
from opsconsole.faults import Means
from opsconsole.faults._bracket import secret_of
from opsconsole.faults._requests import ANY_STATUS, let_in, unexpected

HEADER = "stripe-signature"
EVENT_TYPE = "test"
"""No type of Stripe's, which all have a dot in them: nothing acts upon it. The deployment guide's."""

_numbers = itertools.count(1)


def event(run: str) -> bytes:
    """A new event, marked with the run."""
    told = {
        "id": f"evt_{run}_{next(_numbers)}",
        "object": "event",
        "type": EVENT_TYPE,
        "livemode": False,
        "data": {"object": {}},
    }
    return json.dumps(told).encode()


def signature(settings: config.Service, body: bytes, at: float | None = None) -> str:
    """The header for this body, signed at `at` (unix seconds), by default now. Raises as `secret_of`."""
    seconds = int(time.time() if at is None else at)
    secret = secret_of(settings, "webhook_secret").reveal()
    signed = hmac.new(secret.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={signed}"


async def well_signed(means: Means, headers: dict[str, str] | None = None) -> Answer:
    """Send a webhook that the service must take. Raises Unexpected where it does not."""
    body = event(means.run)
    signed = {HEADER: signature(means.settings, body), **(headers or {})}
    answer = await means.service.post(
        means.settings.webhook_path, body=body, headers=signed, accept=ANY_STATUS
    )
    if answer.status // 100 != 2:
        raise unexpected(
            let_in(answer, "api_key") if headers else answer,
            "200 to a webhook with a true signature",
            hint="is service.webhook_secret that of this endpoint?",
        )
    return answer
