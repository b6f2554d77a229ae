"""The door out: every way in which a server can fail to answer has its name, in bounded time."""

import asyncio
import gzip
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from opsconsole.clients import http as http_module
from opsconsole.errors import ConfigError, Nonsense, Refused, TimedOut, Unreachable
from opsconsole.model import Exchange
from opsconsole.redaction import redact_event
from tests.clients.conftest import OpenDoor
from tests.standins.raw import http, raw_server

NOBODY = "http://127.0.0.1:1"


async def test_nobody_listens(open_door: OpenDoor, recorded: list[Exchange]) -> None:
    with pytest.raises(Unreachable, match="connect"):
        await open_door(NOBODY).get("/x")
    (exchange,) = recorded
    assert exchange.error
    assert exchange.status is None


@pytest.mark.parametrize(
    "url", ["http://no-such-host.invalid", "http://[::1", "http://127.0.0.1:99999", "gopher://a"]
)
async def test_an_address_that_leads_nowhere(open_door: OpenDoor, url: str) -> None:
    with pytest.raises(Unreachable):
        await open_door(url).get("/x")


async def test_a_server_that_says_nothing(open_door: OpenDoor, recorded: list[Exchange]) -> None:
    async with raw_server(b"", hang=True) as url:
        with pytest.raises(TimedOut, match=r"0\.2 s"):
            async with asyncio.timeout(60):
                await open_door(url, timeout_seconds=0.2).get("/x")
    assert "no answer" in recorded[0].error


async def test_a_server_that_drips_is_not_waited_for(open_door: OpenDoor) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
    async with raw_server(lambda _: [head, *[b"x"] * 1000], pause_seconds=0.05) as url:
        with pytest.raises(TimedOut):
            await open_door(url, timeout_seconds=0.3).get("/x")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        http(b"not gzip", Content_Encoding="gzip"),
        http(gzip.compress(b"x" * 1000, mtime=0)[:40], Content_Encoding="gzip"),
    ],
)
async def test_what_is_no_whole_answer(open_door: OpenDoor, answer: bytes) -> None:
    async with raw_server(answer) as url:
        with pytest.raises((Nonsense, Unreachable)):
            (await open_door(url).get("/x")).json(dict[str, str])


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [
        ("401 Unauthorized", Refused, "not logged in"),
        ("403 Forbidden", Refused, "not permitted"),
        ("302 Found", Refused, "redirects to http://login.example/"),
        ("500 Internal Server Error", Nonsense, "500: broken"),
        ("404 Not Found", Nonsense, "404"),
    ],
)
async def test_a_status_that_is_no_answer(
    open_door: OpenDoor, status: str, kind: type[Exception], words: str
) -> None:
    async with raw_server(http(b"broken", status, Location="http://login.example/")) as url:
        with pytest.raises(kind, match=words):
            await open_door(url).get("/x")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"<!doctype html><title>Sign in</title>", "HTML where JSON"),
        (b"", "nothing where JSON"),
        (b'{"a": "b"', "truncated"),
        (b'{"a": NaN}', "JSON"),
        (b"[1]", "Expected `object`"),
        (b'{"a": 1}', "Expected `str`"),
        (b'{"a": "\xff"}', "JSON"),
        (b'{"a":' * 100_000, "JSON"),
    ],
)
async def test_json_of_another_shape(open_door: OpenDoor, body: bytes, words: str) -> None:
    async with raw_server(http(body)) as url:
        with pytest.raises(Nonsense, match=words):
            (await open_door(url).get("/x")).json(dict[str, str])


async def test_a_refusal_says_what_is_missing(open_door: OpenDoor) -> None:
    body = b'{"message": "Permissions needed: datasources:query", "title": "Access denied"}'
    async with raw_server(http(body, "403 Forbidden")) as url:
        with pytest.raises(Refused, match=r"403: not permitted \(Permissions needed: datasources:query\)"):
            await open_door(url).get("/x")


async def test_an_enormous_answer_is_not_read_to_its_end(
    open_door: OpenDoor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_module, "LARGEST_BYTES", 2**20)
    async with raw_server(http(gzip.compress(b" " * 2**24, mtime=0), Content_Encoding="gzip")) as url:
        with pytest.raises(Nonsense, match="more than 1 MiB"):
            await open_door(url).get("/x")


async def test_a_question_asked_twice_at_once_is_asked_once(
    open_door: OpenDoor, recorded: list[Exchange]
) -> None:
    async with raw_server(http(b"{}"), pause_seconds=0.05) as url:
        door = open_door(url)
        await asyncio.gather(door.get("/x"), door.get("/x"), door.get("/y"))
    repeated = [exchange for exchange in recorded if exchange.repeats]
    assert len(recorded) == 3
    assert [exchange.repeats for exchange in repeated] == [
        exchange.id for exchange in recorded if exchange.url.endswith("/x") and not exchange.repeats
    ]


async def test_one_who_gives_up_does_not_spoil_it_for_the_other(open_door: OpenDoor) -> None:
    asked = asyncio.Event()

    def answer(request: bytes) -> list[bytes]:
        asked.set()
        return [http(b"{}")[:10], http(b"{}")[10:]]

    async with raw_server(answer, pause_seconds=0.1) as url:
        door = open_door(url)
        impatient = asyncio.create_task(door.get("/x"))
        patient = asyncio.create_task(door.get("/x"))
        await asked.wait()
        impatient.cancel()
        assert (await patient).status == 200
    with pytest.raises(asyncio.CancelledError):
        await impatient


async def test_a_post_is_never_shared(open_door: OpenDoor, recorded: list[Exchange]) -> None:
    requests: list[bytes] = []

    def answer(request: bytes) -> list[bytes]:
        requests.append(request)
        return [http(b"{}")]

    async with raw_server(answer) as url:
        door = open_door(url)
        await asyncio.gather(door.post("/x", json={"a": 1}), door.post("/x", json={"a": 1}))
    assert len(requests) == 2


async def test_closing_gives_up_what_is_in_flight(open_door: OpenDoor) -> None:
    asked = asyncio.Event()

    def answer(request: bytes) -> list[bytes]:
        asked.set()
        return []

    async with raw_server(answer, hang=True) as url:
        door = open_door(url)
        waiting = asyncio.create_task(door.get("/x"))
        await asked.wait()
        await door.close()
        with pytest.raises(asyncio.CancelledError):
            await waiting


async def test_a_token_does_not_get_into_evidence(open_door: OpenDoor, recorded: list[Exchange]) -> None:
    async with raw_server(http(b'"echo Bearer planted-token"')) as url:
        await open_door(url, token="planted-token").get("/x", {"q": "planted-token"})
    assert "planted-token" not in str(redact_event(recorded[0]))


def certificate(
    folder: Path, *, expired: bool = False, host: str = "127.0.0.1"
) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate's file, and a server's context with it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=9))
        .not_valid_after(now + timedelta(days=-1 if expired else 1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(host))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file, key_file = folder / "ca.pem", folder / "key.pem"
    file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file, key_file)
    return file, context


async def test_a_self_signed_certificate_needs_its_authority(open_door: OpenDoor, tmp_path: Path) -> None:
    file, context = certificate(tmp_path)
    async with raw_server(http(b"{}"), tls=context) as url:
        with pytest.raises(Unreachable, match="not trusted: self-signed") as unseen:
            await open_door(url).get("/x")
        assert "ca_file" in unseen.value.hint
        assert (await open_door(url, ca_file=file).get("/x")).status == 200


@pytest.mark.parametrize(
    ("expired", "host", "words"), [(True, "127.0.0.1", "expired"), (False, "127.0.0.9", "IP")]
)
async def test_a_certificate_out_of_date_or_of_another_host(
    open_door: OpenDoor, tmp_path: Path, expired: bool, host: str, words: str
) -> None:
    file, context = certificate(tmp_path, expired=expired, host=host)
    async with raw_server(http(b"{}"), tls=context) as url:
        with pytest.raises(Unreachable, match=words):
            await open_door(url, ca_file=file).get("/x")


async def test_tls_is_checked_also_for_another_origin(open_door: OpenDoor, tmp_path: Path) -> None:
    _, context = certificate(tmp_path)
    async with raw_server(http(b"{}"), tls=context) as url:
        with pytest.raises(Unreachable, match="not trusted"):
            await open_door(NOBODY).get(f"{url}/x")


async def test_a_ca_file_that_is_none(open_door: OpenDoor, tmp_path: Path) -> None:
    (tmp_path / "empty.pem").write_text("nothing")
    for name in ("none.pem", "empty.pem"):
        with pytest.raises(ConfigError, match="authorities"):
            await open_door("https://127.0.0.1:1", ca_file=tmp_path / name).get("/x")


async def test_the_clock_of_a_server_by_its_date(open_door: OpenDoor) -> None:
    async with raw_server(http(b"{}", Date="Sun, 01 Nov 2026 00:00:00 GMT")) as url:
        answer = await open_door(url).get("/x")
    assert answer.clock_offset_seconds == pytest.approx(1_793_491_200 - answer.at)
    for date in ("", "yesterday"):
        async with raw_server(http(b"{}", Date=date)) as url:
            assert (await open_door(url).get("/x")).clock_offset_seconds is None
