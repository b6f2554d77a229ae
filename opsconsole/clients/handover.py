"""How Alertmanager hands mails over, by its running configuration, and what a mail server's answers mean for
that."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from email.utils import getaddresses
from typing import Any

import yaml

from opsconsole.clients.shape import mappings
from opsconsole.errors import Nonsense
from opsconsole.model import Finding

_WHERE = "Alertmanager's configuration"
_TLS_PORT = 465
_TEMPLATE = "{{"


@dataclass(frozen=True, slots=True)
class Handover:
    """Mails of one receiver, or of several that use the mail server alike.

    `hello` is said at the beginning, `sender` and `recipients` are addresses; those that templates make are
    left out, so that the sender may be empty. `tls`: whether the conversation must become a TLS one by
    STARTTLS, `tls_at_once`: whether it is one from its first byte. `verified`: whether the certificate is to
    be of this host and of an authority that everybody trusts. `login`: whether a name to log in is given.
    """

    host: str
    port: int
    hello: str = "localhost"
    sender: str = ""
    recipients: tuple[str, ...] = ()
    tls: bool = True
    tls_at_once: bool = False
    verified: bool = True
    login: bool = False

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Reception:
    """What a mail server said.

    `starttls`: whether it offers that; `extensions` are the names of those that it has in the end, in lower
    case. `replies` maps the sender and each recipient that were asked for to the reply, such as `250 OK`.
    `certificate` is what is wrong with its certificate, whoever asks.
    """

    starttls: bool = False
    extensions: Collection[str] = ()
    replies: Mapping[str, str] = field(default_factory=dict)
    certificate: str = ""


def mail_handovers(config_text: str, receivers: Collection[str]) -> list[Handover]:
    """How the mails of these receivers leave, those that leave alike as one. Raises Nonsense."""
    try:
        document = yaml.load(config_text, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise Nonsense(f"it is not YAML: {' '.join(str(error).split())}", where=_WHERE) from None
    if not isinstance(document, dict):
        raise Nonsense("it is not a mapping", where=_WHERE)
    common = {
        name.removeprefix("smtp_"): value
        for name, value in (document.get("global") or {}).items()
        if name.startswith("smtp_")
    }
    found: dict[Handover, list[str]] = {}
    for receiver in mappings(document, "receivers", _WHERE):
        if receiver.get("name") in receivers:
            for settings in mappings(receiver, "email_configs", f"receiver {receiver.get('name')}"):
                handover = _handover(common | {n: v for n, v in settings.items() if v is not None})
                found.setdefault(handover, []).extend(_addresses(settings.get("to")))
    return [replace(one, recipients=tuple(dict.fromkeys(people))) for one, people in found.items()]


def _handover(settings: Mapping[str, Any]) -> Handover:
    host, _, port = str(settings.get("smarthost", "")).rpartition(":")
    if not host or not port.isdecimal():
        raise Nonsense(f"smarthost {settings.get('smarthost')!r} is no host and port", where=_WHERE)
    tls = settings.get("tls_config") or {}
    own_ways = any(tls.get(name) for name in ("insecure_skip_verify", "ca_file", "ca", "server_name"))
    at_once = settings.get("force_implicit_tls")
    return Handover(
        host=host.strip("[]"),
        port=int(port),
        hello=str(settings.get("hello") or "localhost"),
        sender=next(iter(_addresses(settings.get("from"))), ""),
        tls=bool(settings.get("require_tls", True)),
        tls_at_once=int(port) == _TLS_PORT if at_once is None else bool(at_once),
        verified=not own_ways,
        login=bool(settings.get("auth_username")),
    )


def _addresses(written: object) -> list[str]:
    """The addresses of a header's text; none where a template makes it."""
    text = str(written or "")
    return [] if _TEMPLATE in text else [mailbox for _, mailbox in getaddresses([text]) if mailbox]


def refusals(handover: Handover, said: Reception) -> Iterator[Finding]:
    """What keeps Alertmanager from handing mails over, of what the mail server said."""
    if said.certificate:
        yield Finding(
            subject=handover.address,
            summary=f"the mail server's certificate is wrong: {said.certificate}",
            remedy="renew it, or use the name that it is of in smtp_smarthost",
        )
    elif handover.tls and not handover.tls_at_once and not said.starttls:
        yield Finding(
            subject=handover.address,
            summary="the mail server does not offer STARTTLS, and Alertmanager is to send nothing without it",
            remedy="let the mail server offer STARTTLS; only in a network that nobody listens to, "
            "smtp_require_tls: false",
        )
    for address, reply in said.replies.items():
        if not reply.startswith("2"):
            yield _refused(handover, address, reply)


def _refused(handover: Handover, address: str, reply: str) -> Finding:
    if reply.startswith("530") and "STARTTLS" in reply.upper():
        return Finding(
            subject=handover.address,
            summary=f"the mail server takes nothing without TLS, and Alertmanager is to do without: {reply}",
            remedy="smtp_require_tls: true",
        )
    if reply.startswith("530"):
        return Finding(
            subject=handover.address,
            summary=f"the mail server wants a login, and Alertmanager is given none: {reply}",
            remedy="give Alertmanager smtp_auth_username and a password",
        )
    whom = "sender" if address == handover.sender else "recipient"
    for_now = " for now" if reply.startswith("4") else ""
    return Finding(
        subject=address,
        summary=f"the mail server {handover.address} refuses the {whom}{for_now}: {reply}",
        detail="It was asked from here; it may judge by who asks.",
        remedy="mend the mailbox, or the address in Alertmanager's receiver",
    )
