"""The same request as a line for the shell."""

import re
import shlex
from urllib.parse import quote

from opsconsole.model import Exchange
from opsconsole.reports.wording import CONTROL, clean

_PLACEHOLDER = re.compile(r"\{\{(env|file|keyring)?:?([^{}]*)\}\}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BASIC = re.compile(r"Basic (\{\{[^{}]+\}\})")


def curl_line(exchange: Exchange) -> str:
    """A POSIX shell line that sends the request of `exchange` again; a comment where it was no HTTP.

    Redacted credentials come from where they are kept: `{{env:NAME}}` is "$NAME", `{{file:PATH}}` is
    "$(cat PATH)"; any other stays a visible `<placeholder>`. This is done in headers alone: an address or
    a body may quote what a server said, and a server must not choose which secret is sent to it.
    """
    if not exchange.url.startswith(("http://", "https://")):
        return f"# no curl line for {clean(f'{exchange.method} {exchange.url}')}".replace("\n", " ")
    words = ["curl", "-sS"]
    has_body = bool(exchange.request_body) or exchange.method in ("POST", "PUT", "PATCH")
    if exchange.method == "HEAD":
        words.append("--head")
    elif exchange.method != ("POST" if has_body else "GET"):
        words += ["-X", shlex.quote(clean(exchange.method))]
    headers = {name.lower(): value for name, value in exchange.request_headers.items()}
    for name, value in headers.items():
        words += _header(name, value)
    if has_body and "content-type" not in headers:
        words += ["-H", "'content-type:'"]
    before = ""
    if has_body and (CONTROL.search(exchange.request_body) or "\n" in exchange.request_body):
        before = f"printf {shlex.quote(_printf(exchange.request_body))} | "
        words += ["--data-binary", "@-"]
    elif has_body:
        words += ["--data-raw", shlex.quote(exchange.request_body)]
    if set(exchange.url) & set("[]{}"):
        words.append("--globoff")
    url = re.sub(r"[\s]|" + CONTROL.pattern, lambda found: quote(found.group()), exchange.url)
    return f"{before}{' '.join(words)} {shlex.quote(url)}"


def _header(name: str, value: str) -> list[str]:
    if name == "authorization" and (basic := _BASIC.fullmatch(value)):
        return ["-u", f"'<user>:'{_with_secrets(basic[1])}"]
    return ["-H", _with_secrets(f"{name}: {clean(value)}".replace("\n", " "))]


def _with_secrets(text: str) -> str:
    """`text` quoted for the shell, with what was redacted taken from where it is kept."""
    parts, end = [], 0
    for found in _PLACEHOLDER.finditer(text):
        parts.append(text[end : found.start()])
        parts.append(_kept(found))
        end = found.end()
    parts.append(text[end:])
    return "".join(part if place % 2 else shlex.quote(part) for place, part in enumerate(parts) if part)


def _kept(found: re.Match[str]) -> str:
    scheme, rest = found.groups()
    if scheme == "env" and _NAME.fullmatch(rest):
        return f'"${rest}"'
    if scheme == "file":
        home = "~/" if rest.startswith("~/") else ""
        return f'"$(cat {home}{shlex.quote(rest.removeprefix("~/") if home else rest)})"'
    return shlex.quote(f"<{found.group()[2:-2]}>")


def _printf(body: str) -> str:
    """`body` as a format of printf, all on one line and without control characters."""
    escaped = body.replace("\\", "\\\\").replace("%", "%%").replace("\n", "\\n")
    return CONTROL.sub(lambda found: "".join(f"\\{byte:03o}" for byte in found.group().encode()), escaped)
