"""A mailbox read over IMAP: TLS always, except to a server on loopback that names no authority."""

import asyncio
import contextlib
import email
import email.policy
import email.utils
import imaplib
import re
import ssl
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from typing import TypeVar

from opsconsole import config
from opsconsole.clients.evidence import next_id, on_loopback
from opsconsole.clients.inbox import EXCERPT, Message
from opsconsole.clients.mailtext import text_of
from opsconsole.errors import Nonsense, OpsconsoleError, Refused, TimedOut, Unreachable
from opsconsole.model import Exchange
from opsconsole.redaction import excerpt

_T = TypeVar("_T")
_MOST = 50
_MOST_BYTES = 256 * 1024  # of one message; more is not fetched
_TLS_PORT = 993


class ImapInbox:
    """See `opsconsole.clients.inbox.Inbox`. Keeps one connection, and opens another where it broke."""

    kind = "imap"

    def __init__(
        self, settings: config.Inbox, record: Callable[[Exchange], None], timeout_seconds: float
    ) -> None:
        self._settings = settings
        self.address = settings.address
        self._record = record
        self._timeout_seconds = timeout_seconds
        self._connection: imaplib.IMAP4 | None = None
        self._one_at_a_time = asyncio.Lock()
        scheme = "imaps" if self._with_tls else "imap"
        self._url = f"{scheme}://{settings.host}:{settings.port}/{settings.folder}"

    @property
    def _with_tls(self) -> bool:
        settings = self._settings
        plain = on_loopback(f"imap://{settings.host}") and settings.port != _TLS_PORT and not settings.ca_file
        return not plain

    async def check(self) -> str:
        count = await self._ask("EXAMINE", lambda imap: self._select(imap))
        return (
            f"the mailbox {self._settings.folder} of {self._settings.user} at {self._url}, {count} messages"
        )

    async def find(self, text: str, *, since: float) -> list[Message]:
        criteria = ["SINCE", _imap_date(since), "TEXT", _quoted(text)]
        if self._settings.address:
            criteria += ["TO", _quoted(self._settings.address)]
        found = await self._ask(" ".join(["SEARCH", *criteria]), lambda imap: self._search(imap, criteria))
        return sorted((one for one in found if one.at >= since), key=lambda message: message.at)

    async def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            _shut(connection)

    async def _ask(self, what: str, work: Callable[[imaplib.IMAP4], _T]) -> _T:
        """Do blocking work with the connection in a thread, bounded, and keep it as evidence."""
        async with self._one_at_a_time:
            at, began, answer, failure = time.time(), time.monotonic(), "", ""
            try:
                async with asyncio.timeout(self._timeout_seconds):
                    result = await asyncio.to_thread(self._work, work)
                answer = str(result)
                return result
            except TimeoutError:
                failure = f"no answer within {self._timeout_seconds:g} s"
                raise TimedOut(failure, where=f"inbox {self._url}") from None
            except OpsconsoleError as error:
                failure = error.message
                raise
            finally:
                if failure or not answer:
                    await self.close()  # also ends the thread that may still wait for an answer
                self._record(
                    Exchange(
                        id=next_id(), server="inbox", method="IMAP", url=self._url, request_body=what,
                        response_body=excerpt(answer, EXCERPT), response_bytes=len(answer), at=at,
                        seconds=time.monotonic() - began, error=failure,
                    )
                )  # fmt: skip

    def _work(self, work: Callable[[imaplib.IMAP4], _T]) -> _T:
        where = f"inbox {self._url}"
        try:
            if self._connection is None:
                self._connection = self._connect()
                self._login(self._connection)
            return work(self._connection)
        except imaplib.IMAP4.error as error:
            raise Nonsense(f"broke off or spoke no IMAP: {error}", where=where) from error
        except ssl.SSLCertVerificationError as error:
            raise Unreachable(
                f"its certificate is not trusted: {error.verify_message}", where=where, hint='ca_file = "…"'
            ) from error
        except TimeoutError as error:
            raise TimedOut(f"no answer within {self._timeout_seconds:g} s", where=where) from error
        except OSError as error:
            raise Unreachable((error.strerror or str(error)).lower(), where=where) from error
        except (ValueError, IndexError, KeyError, LookupError, AttributeError, TypeError) as error:
            raise Nonsense(f"answered what cannot be read: {error}", where=where) from error

    def _connect(self) -> imaplib.IMAP4:
        settings, bound = self._settings, self._timeout_seconds
        if not self._with_tls:
            return imaplib.IMAP4(settings.host, settings.port, timeout=bound)
        context = ssl.create_default_context()
        if settings.ca_file:
            context.load_verify_locations(settings.ca_file)
        return imaplib.IMAP4_SSL(settings.host, settings.port, ssl_context=context, timeout=bound)

    def _login(self, imap: imaplib.IMAP4) -> None:
        password = self._settings.password.reveal() if self._settings.password else ""
        try:
            imap.login(self._settings.user, password)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            raise Refused(
                f"did not let {self._settings.user} in: {error}", where=f"inbox {self._url}",
                hint="check user and password of the environment's inbox",
            ) from None  # fmt: skip
        self._select(imap)

    def _select(self, imap: imaplib.IMAP4) -> int:
        kind, data = imap.select(_quoted(self._settings.folder), readonly=True)
        if kind != "OK":
            raise Refused(f"has no folder {self._settings.folder}", where=f"inbox {self._url}")
        return int(data[0] or b"0")

    def _search(self, imap: imaplib.IMAP4, criteria: list[str]) -> list[Message]:
        imap.noop()  # lets the server tell of new messages
        kind, data = imap.uid("SEARCH", *criteria)
        if kind != "OK":
            raise Nonsense(f"refused to search: {data!r}", where=f"inbox {self._url}")
        numbers = (data[0] or b"").split()[-_MOST:]
        return [_message(number.decode(), self._fetched(imap, number)) for number in numbers]

    def _fetched(self, imap: imaplib.IMAP4, number: bytes) -> tuple[bytes, bytes]:
        """The parts of one FETCH: its line and the message."""
        kind, data = imap.uid("FETCH", number.decode(), f"(INTERNALDATE BODY.PEEK[]<0.{_MOST_BYTES}>)")
        for part in data if kind == "OK" else ():
            if isinstance(part, tuple):
                return part[0], part[1]
        raise Nonsense("told of a message and did not give it", where=f"inbox {self._url}")


def _message(number: str, fetched: tuple[bytes, bytes]) -> Message:
    line, content = fetched
    mail = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(mail, EmailMessage)  # noqa: S101 - what the policy makes
    arrived = re.search(rb'INTERNALDATE "([^"]+)"', line)
    if arrived is None:
        raise ValueError("a message without its time")
    return Message(
        id=number,
        channel="email",
        to=[address for _, address in email.utils.getaddresses(map(str, mail.get_all("To", [])))],
        sender=str(mail.get("From", "")),
        subject=str(mail.get("Subject", "")),
        at=datetime.strptime(arrived[1].decode().strip(), "%d-%b-%Y %H:%M:%S %z").timestamp(),
        body_excerpt=text_of(mail)[:EXCERPT],
        delivered=True,
    )


def _imap_date(since: float) -> str:
    """The day before, since IMAP compares days alone, and in the server's own zone."""
    day = datetime.fromtimestamp(since, UTC) - timedelta(days=1)
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _shut(connection: imaplib.IMAP4) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown()
