"""The one door through which text leaves: no secret that was ever resolved gets past it.

`opsconsole.secrets` teaches it each value at the moment it is resolved; the engine passes every event
through `redact_event` before it is stored or shown, and the CLI passes every error through `redact`.
A secret is replaced by its reference, `{{env:GRAFANA_TOKEN}}`, so that evidence stays readable and a
curl line can name the variable instead.
"""

import base64
import dataclasses
import html
import json
import re
from typing import Any, TypeVar
from urllib.parse import quote, quote_plus

_T = TypeVar("_T")

SHORTEST_SECRET = 6
"""Characters; anything shorter would be found by chance in ordinary text."""

_LONGEST_SECRET = 4096

_KEY_SHAPES = re.compile(
    r"\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{8,}"  # Stripe API keys
    r"|\bwhsec_[A-Za-z0-9+/=]{8,}"  # Stripe webhook signing secrets
    r"|\bxox[abposr]-[A-Za-z0-9-]{8,}"  # Slack tokens
    r"|\bgl(?:sa|c)_[A-Za-z0-9_=+/-]{16,}"  # Grafana tokens
    r"|hooks\.slack\.com/services/[A-Za-z0-9/]+"
)
_USERINFO = re.compile(r"(?<=://)[^/\s@:]*:[^/\s@]+(?=@)")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+(?!\{\{)[A-Za-z0-9._~+/=-]{8,}")

_SHAPES = (
    (("sk_", "rk_", "whsec_", "xox", "glsa_", "glc_", "hooks.slack.com"), _KEY_SHAPES, "{{redacted}}"),
    (("://",), _USERINFO, "{{redacted}}"),
    (("bearer", "basic"), _BEARER, r"\1 {{redacted}}"),
)
"""What every match of a pattern holds (in lower case): looking for that first is many times faster."""

_known: dict[str, str] = {}
_pattern: re.Pattern[str] | None = None


def learn(value: str, reference: str) -> None:
    """Never let `value` out again, in any of the forms in which it is sent; show `{{reference}}` instead."""
    global _pattern
    shown = f"{{{{{reference}}}}}"
    if _known.get(value) == shown:
        return
    for form in _forms(value):
        _known[form] = shown
    _pattern = re.compile("|".join(re.escape(form) for form in sorted(_known, key=len, reverse=True)))


def _forms(value: str) -> set[str]:
    """The value as it is written in URLs, forms, HTML and Base64, and each of these within JSON, and that
    within JSON once more."""
    raw = value.encode(errors="surrogatepass")
    quoted = [quote(raw, safe=""), quote_plus(raw)]
    forms = {
        value,
        *quoted,
        *(re.sub("%[0-9A-F]{2}", lambda found: found.group().lower(), one) for one in quoted),
        html.escape(value),
        html.escape(value, quote=False),
        base64.b64encode(raw).decode(),
        base64.urlsafe_b64encode(raw).decode(),
    }
    for _ in range(2):
        forms |= {json.dumps(form, ensure_ascii=plain)[1:-1] for form in forms for plain in (True, False)}
    return forms


def learn_basic(user: str, password: str, reference: str) -> str:
    """As `learn`, for a password sent as HTTP Basic; returns the header's encoded credentials."""
    encoded = base64.b64encode(f"{user}:{password}".encode()).decode()
    learn(password, reference)
    learn(encoded, reference)
    return encoded


def redact(text: str) -> str:
    """`text` with every known secret, and everything that looks like a key, replaced."""
    if _pattern is not None and any(form in text for form in _known):
        text = _pattern.sub(lambda found: _known[found.group()], text)
    lowered = text.lower()
    for marks, pattern, replacement in _SHAPES:
        if any(mark in lowered for mark in marks):
            text = pattern.sub(replacement, text)
    return text


def excerpt(text: str, length: int) -> str:
    """The first `length` characters, redacted before they are cut: half a secret is one as well."""
    begin = text[: length + _LONGEST_SECRET]
    redacted = redact(begin)
    return redacted[:length] if len(begin) == len(text) else redacted[:-_LONGEST_SECRET][:length]


def looks_secret(text: str) -> bool:
    """Whether `text` holds something in the shape of a key, or a name and password in a URL."""
    return bool(_KEY_SHAPES.search(text) or _USERINFO.search(text))


def redact_event(event: _T) -> _T:
    """A copy of a frozen dataclass with every string in it redacted, however deep."""
    return _walk(event)  # type: ignore[no-any-return]


def _walk(value: Any) -> Any:
    match value:
        case str():
            return redact(value) if type(value) is str else value
        case dict():
            return {_walk(key): _walk(inner) for key, inner in value.items()}
        case tuple() | list():
            return type(value)(_walk(inner) for inner in value)
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            changes = {
                f.name: walked
                for f in dataclasses.fields(value)
                if (walked := _walk(old := getattr(value, f.name))) is not old and walked != old
            }
            return dataclasses.replace(value, **changes) if changes else value
        case _:
            return value
