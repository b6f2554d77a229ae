"""A stand-in for an IMAP server: one mailbox, the few commands that a reader needs (RFC 3501)."""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field


@dataclass
class Mailbox:
    """What the stand-in serves. `mails` are (INTERNALDATE, the mail); `commands` is what it was told;
    `damage` replaces the answer to a command by other bytes."""

    user: str = "reader"
    password: str = "open-sesame"
    mails: list[tuple[str, bytes]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    damage: dict[str, bytes] = field(default_factory=dict)
    connections: int = 0


@asynccontextmanager
async def imap_server(mailbox: Mailbox, *, tls: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Serve the mailbox on loopback; yields the port."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        mailbox.connections += 1
        with suppress(OSError, asyncio.IncompleteReadError):
            writer.write(mailbox.damage.get("greeting", b"* OK stand-in ready\r\n"))
            while line := await reader.readline():
                tag, command = line.decode().strip().split(" ", 1)
                mailbox.commands.append(command)
                writer.write(_answer(mailbox, tag, command))
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(converse, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def _answer(mailbox: Mailbox, tag: str, command: str) -> bytes:
    verb = command.split()[1] if command.startswith("UID") else command.split()[0]
    if verb in mailbox.damage:
        return mailbox.damage[verb].replace(b"TAG", tag.encode())
    data, verdict = _result(mailbox, verb, command)
    return data + f"{tag} {verdict} done\r\n".encode()


def _result(mailbox: Mailbox, verb: str, command: str) -> tuple[bytes, str]:
    match verb:
        case "CAPABILITY":
            return b"* CAPABILITY IMAP4rev1\r\n", "OK"
        case "LOGIN":
            known = command == f'LOGIN {mailbox.user} "{mailbox.password}"'
            return b"", "OK" if known else "NO [AUTHENTICATIONFAILED] wrong name or password"
        case "EXAMINE":
            known = command == 'EXAMINE "INBOX"'
            return (
                f"* {len(mailbox.mails)} EXISTS\r\n".encode() if known else b"",
                "OK" if known else "NO no such folder",
            )
        case "SEARCH":
            return f"* SEARCH {' '.join(_found(mailbox, command))}\r\n".encode(), "OK"
        case "FETCH":
            number = int(command.split()[2])
            arrived, mail = mailbox.mails[number - 1]
            head = f'* {number} FETCH (UID {number} INTERNALDATE "{arrived}" BODY[]<0> {{{len(mail)}}}\r\n'
            return head.encode() + mail + b")\r\n", "OK"
    return b"", "OK"


def _found(mailbox: Mailbox, command: str) -> list[str]:
    words = re.findall(r'(?:TEXT|TO) "([^"]*)"', command)
    return [
        str(number)
        for number, (_, mail) in enumerate(mailbox.mails, 1)
        if all(word.encode() in mail for word in words)
    ]
