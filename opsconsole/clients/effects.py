"""The one door to changes: every effect is journalled before it begins and when its end was seen.

Only checks that ask for `effects` get here, and a protected environment does not hand it out.
"""

import hashlib
import hmac
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

import msgspec

from opsconsole import config
from opsconsole.alive import me
from opsconsole.clients.ending import prolonged, taken_back
from opsconsole.clients.http import Answer, Http
from opsconsole.errors import ConfigError, EffectRefused, Nonsense

MARK = "opsconsole_run"
"""The label that marks a test alert with its run's id; routes and inboxes recognise it."""

DRILL = "DRILL: nothing needs doing"
"""How the summary of every test alert begins."""

_LASTS_SECONDS = 240.0
_POSTED_EVERY_SECONDS = 60.0
_END_WITHIN_SECONDS = 15.0
_CLOCKS_AGREE_SECONDS = 1.5  # the Date header is cut to whole seconds
_ANY_STATUS = tuple(range(100, 600))


def _by_empty_secret(at: str, body: bytes) -> dict[str, str]:
    signature = hmac.new(b"", f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return {"stripe-signature": f"t={at},v1={signature}"}


FORGERIES: dict[str, Callable[[str, bytes], dict[str, str]]] = {
    "an invalid signature": lambda at, body: {"stripe-signature": f"t={at},v1={'0' * 64}"},
    "no signature": lambda at, body: {},
    "a signature made with an empty secret": _by_empty_secret,
}
"""The headers of a webhook that Stripe did not send, by when it was made (unix seconds) and its body."""

Begin = Callable[[str, str, str, dict[str, str]], None]
"""Journals that an effect begins: its id, what is changed, how it is taken back, what that needs."""

End = Callable[[str, str], None]
"""Journals that an effect's end was seen: its id, and how it ended."""


class SentAlert(msgspec.Struct, frozen=True, kw_only=True):
    """A test alert as it was posted; `sent_at` in unix seconds."""

    labels: dict[str, str]
    annotations: dict[str, str]
    sent_at: float

    @property
    def filters(self) -> list[str]:
        """Matchers that select exactly this alert, for `Alertmanager.alerts`."""
        return _filters(self.labels)


class Effects:
    """What a run may change. `alertmanager` and `service` are None where the environment names none."""

    def __init__(
        self,
        run: str,
        begin: Begin,
        end: End,
        *,
        alertmanager: Http | None = None,
        service: Http | None = None,
        service_settings: config.Service | None = None,
    ) -> None:
        self.run = run
        self._begin = begin
        self._end = end
        self._alertmanager = alertmanager
        self._service = service
        self._service_settings = service_settings
        self._numbers = itertools.count(1)

    @asynccontextmanager
    async def test_alert(
        self, labels: Mapping[str, str], annotations: Mapping[str, str]
    ) -> AsyncIterator[SentAlert]:
        """Have Alertmanager hold a marked test alert while the block runs, then end it and see it gone.

        It is posted to end by itself in four minutes, and again each minute while the block lives: whatever
        becomes of this process, no alert stays. Its end is seen to also where the block fails or is
        cancelled. Raises EffectRefused (no Alertmanager, a live key), Unseen from the door, and TimedOut
        where the end could not be seen: then the effect stays open in the journal.
        """
        refuse_live_keys(self._service_settings)
        http = _named(self._alertmanager, "alertmanager")
        began = time.time()
        summary = annotations.get("summary", "")
        sent = SentAlert(
            labels={**labels, MARK: self.run},
            annotations={**annotations, "summary": f"{DRILL}. {summary}".strip()},
            sent_at=began,
        )
        effect = self._announce(
            f"a test alert {labels.get('alertname', '')} in Alertmanager",
            f"resolve it; it ends by itself {_LASTS_SECONDS:g} s after it was last posted",
            "test_alert",
            http,
            {"labels": json.dumps(sent.labels), "starts_at": repr(began)},
        )

        async def post() -> Answer:
            return await _post_alert(http, sent, ends_at=time.time() + _LASTS_SECONDS)

        async with taken_back(
            lambda: _ended(http, sent),
            lambda: self._end(effect, "resolved, and Alertmanager no longer holds it"),
            what="the test alert",
            where=f"{http.server} {http.base}",
            hint=f"it ends by itself {_LASTS_SECONDS:g} s after it was last posted",
            within_seconds=_END_WITHIN_SECONDS,
        ):
            await post()
            async with prolonged(post, every_seconds=_POSTED_EVERY_SECONDS):
                yield sent

    async def refused_webhook(
        self, *, event_type: str = "test", forgery: str = "an invalid signature"
    ) -> Answer:
        """Send one forged webhook, which the service must refuse; any answer is returned. `forgery` is one of
        `FORGERIES`.

        Raises EffectRefused (no service, a live key) and Unseen where there is no answer at all.
        """
        refuse_live_keys(self._service_settings)
        http = _named(self._service, "service")
        settings = self._service_settings
        path = settings.webhook_path if settings else config.Service.webhook_path
        effect = self._announce(
            f"one webhook with {forgery} to {path}",
            "nothing: a counter moves by one",
            "requests",
            http,
            {},
        )
        body = json.dumps({"id": f"evt_{self.run}", "type": event_type, "data": {}}).encode()
        headers = FORGERIES[forgery](str(int(time.time())), body)
        answer = await http.post(path, body=body, headers=headers, accept=_ANY_STATUS)
        self._end(effect, f"answered {answer.status}; a counter has moved by one, nothing to take back")
        return answer

    def _announce(self, what: str, undo: str, kind: str, http: Http, data: dict[str, str]) -> str:
        effect = f"{self.run}-{next(self._numbers)}"
        self._begin(effect, what, undo, {"kind": kind, "url": http.base, "process": me(), **data})
        return effect


def refuse_live_keys(service: config.Service | None) -> None:
    """Reveal the service's secrets: a live key raises EffectRefused, always, before anything is changed. One
    that cannot be found cannot be live."""
    if service is None:
        return
    for secret in (service.api_key, service.webhook_secret, service.token, service.password):
        with suppress(ConfigError):
            if secret is not None:
                secret.reveal()


async def take_back(http: Http, labels: Mapping[str, str]) -> str:
    """End the test alert with exactly these labels, which another process has posted; to be called until it
    says how that has ended. Posts nothing where Alertmanager does not hold it. Raises Unseen.

    A label that was redacted in the journal is not compared; without the mark of a run nothing is ended.
    """
    known = {name: value for name, value in labels.items() if "{{" not in value}
    if not known.get(MARK):
        raise Nonsense(f"the journal does not tell its {MARK}", where=http.server)
    answer = await http.get("/api/v2/alerts", {"filter": _filters(known)})
    held = [alert for alert in answer.json(list[_Held]) if alert.labels.keys() == labels.keys()]
    for alert in held:
        await _ended(http, SentAlert(labels=alert.labels, annotations=alert.annotations, sent_at=time.time()))
    return "" if held else "Alertmanager does not hold it any more"


class _Held(msgspec.Struct):
    labels: dict[str, str]
    annotations: dict[str, str] = {}


async def _post_alert(http: Http, sent: SentAlert, *, ends_at: float) -> Answer:
    alert = {
        "labels": sent.labels,
        "annotations": sent.annotations,
        "startsAt": _rfc3339(min(sent.sent_at, ends_at)),
        "endsAt": _rfc3339(ends_at),
    }
    return await http.post("/api/v2/alerts", json=[alert])


async def _ended(http: Http, sent: SentAlert) -> bool:
    """Post the alert's end, by Alertmanager's clock where that is behind, and look whether it is gone."""
    answer = await _post_alert(http, sent, ends_at=time.time())
    behind_seconds = -(answer.clock_offset_seconds or 0.0)
    if behind_seconds > _CLOCKS_AGREE_SECONDS:
        await _post_alert(http, sent, ends_at=time.time() - behind_seconds)
    return not (await http.get("/api/v2/alerts", {"filter": sent.filters})).json(list[_Held])


def _named(http: Http | None, name: str) -> Http:
    if http is None:
        raise EffectRefused(f"the environment names no {name}")
    return http


def _filters(labels: Mapping[str, str]) -> list[str]:
    return [f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in sorted(labels.items())]


def _rfc3339(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
