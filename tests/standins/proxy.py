"""A proxy that spoils: a real server's answers, changed on their way."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

_HOP_BY_HOP = {
    "connection",
    "transfer-encoding",
    "content-length",
    "accept-encoding",
    "host",
    "date",
    "server",
}


@dataclass(frozen=True)
class Asked:
    """A request; `params` come from the query and from a form in the body."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def params(self) -> dict[str, list[str]]:
        form = self.body.decode() if "form" in self.headers.get("content-type", "") else ""
        return parse_qs(f"{self.query}&{form}")


@dataclass(frozen=True)
class Told:
    """An answer. A `date` among its headers replaces the true one."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)

    def saying(self, old: str, new: str) -> "Told":
        """The same with every `old` in the body replaced."""
        return replace(self, body=self.body.replace(old.encode(), new.encode()))


Forward = Callable[[], Told]
Spoil = Callable[[Asked, Forward], Told]


@contextmanager
def proxied(url: str, spoil: Spoil) -> Iterator[str]:
    """The URL of a server that answers as the one at `url` does, after `spoil`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length", 0)))
            asked = Asked(self.command, parts.path, parts.query, headers, body)
            told = spoil(asked, lambda: _forwarded(url, self.path, asked))
            self.send_response_only(told.status)
            for name, value in {"content-length": str(len(told.body)), **told.headers}.items():
                self.send_header(name, value)
            if "date" not in told.headers:
                self.send_header("date", self.date_time_string())
            self.end_headers()
            self.wfile.write(told.body)

        do_GET = do_POST = do_DELETE = answer

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _forwarded(url: str, target: str, asked: Asked) -> Told:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        headers = {name: value for name, value in asked.headers.items() if name not in _HOP_BY_HOP}
        connection.request(asked.method, target, asked.body or None, headers)
        answer = connection.getresponse()
        kept = {k.lower(): v for k, v in answer.getheaders() if k.lower() not in _HOP_BY_HOP}
        return Told(answer.status, answer.read(), kept)
    finally:
        connection.close()


def at(path: str, change: Callable[[Told], Told]) -> Spoil:
    """Change the answers to requests whose path ends with `path`, and no others."""
    return lambda asked, forward: change(forward()) if asked.path.endswith(path) else forward()


def replacing(old: str, new: str, path: str = "") -> Spoil:
    """Replace text in the answers to requests whose path ends with `path`."""
    return at(path, lambda told: told.saying(old, new))
