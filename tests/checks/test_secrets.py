"""Secrets planted everywhere and echoed by every server: not one gets out."""

import asyncio
import base64
import html
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from threading import Thread
from urllib.parse import quote, quote_plus

import pytest

from opsconsole.clients.evidence import KEPT_BYTES
from opsconsole.lab.environment import reference_rules
from opsconsole.lab.state import LabState
from tests.standins.proxy import Asked, Forward, Spoil, Told, proxied

PASSWORD = 'Pä55/w"örd <&>% +x'
SECRETS = {
    "GRAFANA_TOKEN": "grafana-token/4f+9c=71&d2",
    "API_KEY": "sk_test_51Zx9planted",
    "PROMETHEUS_PASSWORD": PASSWORD,
    "ALERTMANAGER_TOKEN": "alertmanager-bearer-77aa",
    "MAIL_PASSWORD": "mail pass\\word 'quoted'",
}
USERINFO = "operator:hunter2-in-a-url"
CONFIG = """
[env.spoiled]
alertmanager = {{ url = "{alertmanager}", token = "env:ALERTMANAGER_TOKEN" }}
prometheus = {{ url = "{prometheus}", user = "reader", password = "env:PROMETHEUS_PASSWORD" }}
grafana = {{ url = "{grafana}", token = "env:GRAFANA_TOKEN", dashboard = "billing-metrics" }}
rules = "{rules}"
request_timeout_seconds = 30
check_timeout_seconds = 120
[env.spoiled.service]
url = "{service}"
metrics = "{service}/metrics"
job = "rsolv-platform"
api_key = "env:API_KEY"
[env.spoiled.inbox]
kind = "imap"
host = "127.0.0.1"
port = {imap}
user = "reader"
password = "env:MAIL_PASSWORD"
"""


def forms(secret: str) -> list[str]:
    """The secret in the encodings in which it might come back."""
    return [
        secret,
        quote(secret, safe=""),
        quote_plus(secret),
        re.sub("%..", lambda found: found.group().lower(), quote(secret, safe="")),
        json.dumps(secret)[1:-1],
        html.escape(secret),
        base64.b64encode(secret.encode()).decode(),
        base64.urlsafe_b64encode(secret.encode()).decode(),
    ]


BASIC = base64.b64encode(f"reader:{PASSWORD}".encode()).decode()
EVERY_FORM = [BASIC, *(form for secret in SECRETS.values() for form in forms(secret))]
ECHO = "\n".join([*EVERY_FORM, f"http://{USERINFO}@host/"])


def echoed_in_json(told: Told) -> Told:
    """A JSON answer with all of it in one more member."""
    try:
        model = json.loads(told.body)
    except ValueError:
        return told
    if not isinstance(model, dict):
        return told
    return Told(told.status, json.dumps({**model, "echo": ECHO}, ensure_ascii=False).encode(), told.headers)


def everywhere(asked: Asked, forward: Forward) -> Told:
    """All answers speak of the secrets, as errors, in addresses, in comments, across the cut of evidence."""
    told = forward()
    if asked.path.endswith("/targets"):
        text = told.body.decode().replace('"lastError":""', f'"lastError":{json.dumps(ECHO)}')
        return Told(200, text.replace('"health":"up"', '"health":"down"').encode(), told.headers)
    if asked.path.endswith(("/ds/query", "/rules")):
        return Told(500, json.dumps({"message": ECHO}).encode(), {"content-type": "application/json"})
    if asked.path.endswith("/silences"):
        return Told(302, b"", {"location": f"http://{USERINFO}@host/?token={quote(PASSWORD)}"})
    if asked.path.endswith("/metrics"):
        filler = "# " + "x" * (KEPT_BYTES - 12) + "\n# "
        return Told(200, (filler + ECHO.replace("\n", "\n# ") + "\n").encode() + told.body, told.headers)
    return echoed_in_json(told)


def refusing(asked: Asked, forward: Forward) -> Told:
    """Every answer is a refusal that repeats what it was sent."""
    text = f"{asked.headers} {ECHO}"
    return Told(403, text.encode(), {"content-type": "text/plain; charset=utf-8"})


def nonsense(asked: Asked, forward: Forward) -> Told:
    return Told(200, json.dumps({"status": "error", "error": ECHO, "version": ECHO}).encode())


@pytest.fixture
def parrot() -> Iterator[int]:
    """The port of a mail server that refuses every command and repeats it."""

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"* OK here\r\n")
        while line := await reader.readline():
            tag, _, rest = line.strip().partition(b" ")
            writer.write(tag + b" NO [ALERT] cannot " + rest + b"\r\n")
            await writer.drain()
        writer.close()

    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(converse, "127.0.0.1", 0))
    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield server.sockets[0].getsockname()[1]
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    server.close()


Run = Callable[[Spoil], subprocess.CompletedProcess[bytes]]


@pytest.fixture
def run(lab: LabState, parrot: int, tmp_path: Path) -> Iterator[Run]:
    """Verify the spoiled lab by the command, with every report that there is."""
    with ExitStack() as stack:

        def verified(spoil: Spoil) -> subprocess.CompletedProcess[bytes]:
            servers = ("alertmanager", "prometheus", "grafana", "service")
            urls = {
                name: stack.enter_context(proxied(getattr(lab, f"{name}_url"), spoil)) for name in servers
            }
            config = tmp_path / "opsconsole.toml"
            config.write_text(CONFIG.format(**urls, imap=parrot, rules=reference_rules()))
            written = tmp_path / "written"
            written.mkdir()
            reports = [f"--{kind}={written / kind}" for kind in ("junit", "markdown", "html")]
            argv = [sys.executable, "-m", "opsconsole", "verify", "--env", "spoiled", "--json", *reports]
            return subprocess.run(
                [*argv, "--config", str(config), "--records", str(written / "records.db")],
                env={**os.environ, **SECRETS}, capture_output=True, timeout=300, check=False,
            )  # fmt: skip

        yield verified


@pytest.mark.parametrize("spoil", [everywhere, refusing, nonsense])
def test_no_byte_that_is_written_holds_a_secret(spoil: Spoil, run: Run, tmp_path: Path) -> None:
    done = run(spoil)
    assert done.returncode in (1, 3), done.stderr.decode()
    written = {path.name: path.read_bytes() for path in (tmp_path / "written").iterdir()}
    assert {"records.db", "junit", "markdown", "html"} <= written.keys()
    everything = {**written, "stdout": done.stdout, "stderr": done.stderr}
    assert b"{{env:PROMETHEUS_PASSWORD}}" in everything["stdout"]
    leaks = {
        (where, secret)
        for where, data in everything.items()
        for secret in (*EVERY_FORM, USERINFO, "hunter2-in-a-url")
        for part in (secret, secret[: len(secret) // 2 + 2])
        if part.encode() in data
    }
    assert not leaks
