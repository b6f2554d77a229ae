"""Mail servers, asked whether they would take a mail: none is sent, and no secret is used."""

import asyncio
import contextlib
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from opsconsole.clients.evidence import next_id
from opsconsole.clients.handover import Handover, Reception
from opsconsole.errors import Nonsense, OpsconsoleError, Refused, TimedOut, Unreachable, Unseen
from opsconsole.model import Exchange
from opsconsole.redaction import excerpt

_KEPT_CHARACTERS = 4_000
_MOST_RECIPIENTS = 20
_WRONG_FOR_ALL = (10, 62, 64)
"""What OpenSSL calls a certificate that is out of date, of another host, of another address."""

_FROM_HERE = "it was asked from here: whether Alertmanager reaches it from where it runs is not known"


class MailServer:
    """Speaks with the mail servers that Alertmanager hands mails over to. `record` takes every conversation;
    `timeout_seconds` bounds one."""

    def __init__(self, record: Callable[[Exchange], None], timeout_seconds: float) -> None:
        self._record = record
        self._timeout_seconds = timeout_seconds

    async def ask(self, handover: Handover) -> Reception:
        """Say what Alertmanager would say, up to the recipients (at most 20), and leave without a mail.

        Where TLS is asked for and not offered, or a login is needed, nothing more is asked.
        Raises Unseen where it cannot be reached from here, or speaks no SMTP.
        """
        talk = _Talk(handover, self._timeout_seconds)
        at, began, failure = time.time(), time.monotonic(), ""
        try:
            async with asyncio.timeout(self._timeout_seconds):
                return await asyncio.to_thread(talk.hold)
        except TimeoutError:
            failure = f"no answer within {self._timeout_seconds:g} s"
            raise TimedOut(failure, where=talk.where, hint=_FROM_HERE) from None
        except OpsconsoleError as error:
            failure = error.message
            raise
        finally:
            talk.end()
            self._record(
                Exchange(
                    id=next_id(), server="mail server", method="SMTP", url=talk.url,
                    request_body="\n".join(talk.asked), response_body="\n".join(talk.said),
                    response_bytes=sum(map(len, talk.said)), at=at, seconds=time.monotonic() - began,
                    error=failure,
                )
            )  # fmt: skip


@dataclass
class _Talk:
    """One conversation. `asked` and `said` are its lines."""

    handover: Handover
    timeout_seconds: float
    asked: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    _smtp: smtplib.SMTP | None = None
    _starttls: bool = False

    @property
    def url(self) -> str:
        return f"{'smtps' if self.handover.tls_at_once else 'smtp'}://{self.handover.address}"

    @property
    def where(self) -> str:
        return f"mail server {self.handover.address}"

    def hold(self) -> Reception:
        try:
            return self._hold()
        except ssl.SSLCertVerificationError as error:
            if error.verify_code in _WRONG_FOR_ALL:
                return Reception(certificate=error.verify_message)
            message = f"its certificate is not trusted here: {error.verify_message}"
            raise Unreachable(message, where=self.where, hint=_FROM_HERE) from error
        except (OSError, ValueError) as error:  # smtplib's own are OSErrors
            raise self._unseen(error) from error

    def _unseen(self, error: OSError | ValueError) -> Unseen:
        if isinstance(error, smtplib.SMTPServerDisconnected):
            return Nonsense(f"broke off: {error}", where=self.where, hint=_FROM_HERE)
        if isinstance(error, smtplib.SMTPResponseException):
            reply = _told(error.smtp_code, error.smtp_error)
            return Refused(f"does not talk to us: {reply}", where=self.where, hint=_FROM_HERE)
        if isinstance(error, (smtplib.SMTPException, ValueError)):
            return Nonsense(f"speaks no SMTP: {error}", where=self.where)
        if isinstance(error, TimeoutError):
            message = f"no answer within {self.timeout_seconds:g} s"
            return TimedOut(message, where=self.where, hint=_FROM_HERE)
        message = (error.strerror or str(error)).lower()
        return Unreachable(message, where=self.where, hint=_FROM_HERE)

    def end(self) -> None:
        """Also ends the thread that may still wait for an answer."""
        if self._smtp is not None and self._smtp.sock is not None:
            with contextlib.suppress(OSError):
                self._smtp.sock.shutdown(socket.SHUT_RDWR)
            self._smtp.close()

    def _hold(self) -> Reception:
        handover = self.handover
        smtp = self._smtp = self._connected()
        self._greet(smtp)
        self._starttls = smtp.has_extn("starttls")
        if handover.tls and not handover.tls_at_once:
            if not self._starttls:
                return self._leave(smtp)
            self._note("STARTTLS", *smtp.starttls(context=self._context()))
            self._greet(smtp)
        if handover.login or not handover.sender:
            return self._leave(smtp)
        return self._leave(smtp, self._addressed(smtp))

    def _connected(self) -> smtplib.SMTP:
        host, port, name = self.handover.host, self.handover.port, self.handover.hello
        bound = self.timeout_seconds
        if self.handover.tls_at_once:
            return smtplib.SMTP_SSL(host, port, local_hostname=name, timeout=bound, context=self._context())
        return smtplib.SMTP(host, port, local_hostname=name, timeout=bound)

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if not self.handover.verified:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        return context

    def _greet(self, smtp: smtplib.SMTP) -> None:
        code, said = smtp.ehlo()
        self._note(f"EHLO {self.handover.hello}", code, said)
        if code != 250:
            raise smtplib.SMTPResponseException(code, said)

    def _addressed(self, smtp: smtplib.SMTP) -> dict[str, str]:
        sender = self.handover.sender
        replies = {sender: self._note(f"MAIL FROM:<{sender}>", *smtp.mail(sender))}
        if replies[sender].startswith("2"):
            for address in self.handover.recipients[:_MOST_RECIPIENTS]:
                replies[address] = self._note(f"RCPT TO:<{address}>", *smtp.rcpt(address))
        return replies

    def _leave(self, smtp: smtplib.SMTP, replies: dict[str, str] | None = None) -> Reception:
        offered = tuple(smtp.esmtp_features)
        with contextlib.suppress(OSError, smtplib.SMTPException):
            self._note("RSET", *smtp.rset())
            self._note("QUIT", *smtp.quit())
        return Reception(self._starttls, offered, replies or {})

    def _note(self, asked: str, code: int, answer: bytes) -> str:
        reply = _told(code, answer)
        if asked:
            self.asked.append(asked)
        if sum(map(len, self.said)) < _KEPT_CHARACTERS:
            self.said.append(reply)
        return reply


def _told(code: int, answer: bytes | str) -> str:
    text = answer if isinstance(answer, str) else answer.decode(errors="replace")
    return excerpt(f"{code} {' / '.join(text.splitlines())}", 500)
