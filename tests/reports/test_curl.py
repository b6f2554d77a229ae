"""The curl line is the same request: it is really run, by sh and curl, against a local server."""

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opsconsole.reports.curl import curl_line
from opsconsole.reports.wording import CONTROL
from tests.sample_run import exchange

pytestmark = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")


@dataclass
class Received:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Echo:
    url: str
    requests: list[Received]


@pytest.fixture(scope="module")
def echo() -> Iterator[Echo]:
    received: list[Received] = []

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            received.append(Received(self.command, self.path, headers, body))
            self.send_response(204)
            self.end_headers()

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield Echo(f"http://127.0.0.1:{server.server_port}", received)
    server.shutdown()
    server.server_close()
    thread.join()


def run(line: str, echo: Echo, **environment: str) -> Received:
    assert not CONTROL.search(line)
    assert "\n" not in line
    echo.requests.clear()
    env = {**os.environ, "NO_PROXY": "127.0.0.1", **environment}
    done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, timeout=120, env=env)
    assert done.returncode == 0, done.stderr
    (received,) = echo.requests
    return received


def test_a_plain_get(echo: Echo) -> None:
    asked = exchange(url=f"{echo.url}/api/v1/query?query=up%7Ba%3D%22b%22%7D", request_headers={})
    received = run(curl_line(asked), echo)
    assert (received.method, received.path) == ("GET", "/api/v1/query?query=up%7Ba%3D%22b%22%7D")
    assert received.body == b""


def test_brackets_and_quotes_in_an_address_are_not_obeyed(echo: Echo) -> None:
    asked = exchange(url=f"{echo.url}/a?match[]=up{{x,y}}&q='\"$(id)`id`;&z=#", request_headers={})
    assert run(curl_line(asked), echo).path == "/a?match[]=up{x,y}&q='\"$(id)`id`;&z="


def test_a_post_with_its_headers_and_body(echo: Echo) -> None:
    asked = exchange(
        method="POST",
        url=f"{echo.url}/api/v2/alerts",
        request_headers={"content-type": "application/json", "stripe-signature": "t=1,v1=0"},
        request_body='[{"labels": {"alertname": "it\'s \\"a\\" %s $HOME test"}}]',
    )
    received = run(curl_line(asked), echo)
    assert received.method == "POST"
    assert received.headers["content-type"] == "application/json"
    assert received.headers["stripe-signature"] == "t=1,v1=0"
    assert received.body.decode() == asked.request_body


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD"])
def test_every_method(echo: Echo, method: str) -> None:
    received = run(curl_line(exchange(method=method, url=f"{echo.url}/x", request_headers={})), echo)
    assert (received.method, received.body) == (method, b"")
    assert "content-type" not in received.headers


def test_a_body_that_begins_with_an_at_sign_reads_no_file(echo: Echo) -> None:
    asked = exchange(method="POST", url=echo.url, request_headers={}, request_body="@/etc/hostname")
    assert run(curl_line(asked), echo).body == b"@/etc/hostname"


@pytest.mark.parametrize("body", ["100 %\n%s %% \\n", "a\\b\x1b[31m\x9b\u202e%d", "\x00\n\n", "\n'\r\n"])
def test_a_body_that_a_terminal_would_obey_arrives_as_it_was(echo: Echo, body: str) -> None:
    asked = exchange(method="POST", url=echo.url, request_headers={}, request_body=body)
    assert run(curl_line(asked), echo).body == body.encode()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.text(max_size=80), st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40))
def test_any_body_and_header_arrive_as_they_were(echo: Echo, body: str, value: str) -> None:
    asked = exchange(method="POST", url=echo.url, request_headers={"x-y": f"v{value}"}, request_body=body)
    received = run(curl_line(asked), echo)
    assert received.body == body.encode()
    assert received.headers["x-y"] == f"v{value}"


def test_a_secret_comes_from_where_it_is_kept(echo: Echo, tmp_path: Path) -> None:
    kept = tmp_path / "the user's token"
    kept.write_text("from a file\n")
    asked = exchange(
        url=echo.url,
        request_headers={
            "authorization": "Bearer {{env:PROM_TOKEN}}",
            "x-token": f"{{{{file:{kept}}}}}",
            "x-home": "{{file:~/token}}",
            "x-keyring": "{{keyring:grafana/ada}}",
            "x-cut": "{{redacted}}",
        },
    )
    (tmp_path / "token").write_text("from home")
    received = run(curl_line(asked), echo, PROM_TOKEN="s3 cr't", HOME=str(tmp_path))
    assert received.headers["authorization"] == "Bearer s3 cr't"
    assert received.headers["x-token"] == "from a file"
    assert received.headers["x-home"] == "from home"
    assert received.headers["x-keyring"] == "<keyring:grafana/ada>"
    assert received.headers["x-cut"] == "<redacted>"


def test_a_name_that_is_no_variable_is_not_evaluated(echo: Echo) -> None:
    asked = exchange(url=echo.url, request_headers={"x-token": "{{env:A;id}}"})
    assert run(curl_line(asked), echo).headers["x-token"] == "<env:A;id>"


def test_basic_credentials_are_made_by_curl(echo: Echo) -> None:
    asked = exchange(url=echo.url, request_headers={"authorization": "Basic {{env:PASSWORD}}"})
    line = curl_line(asked)
    assert """-u '<user>:'"$PASSWORD" """ in line
    import base64

    credentials = run(line, echo, PASSWORD="secret").headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(credentials) == b"<user>:secret"


def test_a_server_cannot_choose_which_secret_is_sent_to_it(echo: Echo) -> None:
    quoted = "{{env:PROM_TOKEN}}"
    asked = exchange(method="POST", url=f"{echo.url}/{quoted}", request_body=quoted, request_headers={})
    received = run(curl_line(asked), echo, PROM_TOKEN="secret")
    assert "secret" not in received.path + received.body.decode()


@pytest.mark.parametrize(("method", "url"), [("IMAP", "imap://mail:993/INBOX"), ("EXEC", "pod/rsolv\n-1")])
def test_what_was_no_http_is_a_comment(method: str, url: str) -> None:
    line = curl_line(exchange(method=method, url=url))
    assert line.startswith("# ")
    assert "\n" not in line
