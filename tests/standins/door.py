"""A door that leads nowhere: every request gets the one answer that it was made with."""

import time

from opsconsole.clients.http import Answer, Endpoint, Http


class AnsweringDoor(Http):
    """Everything of the real door but the network."""

    def __init__(self, body: bytes, status: int = 200, content_type: str = "application/json") -> None:
        super().__init__("server", Endpoint("http://server"), lambda _: None)
        self._body, self._status, self._content_type = body, status, content_type

    async def _exchange(
        self, method: str, url: str, headers: dict[str, str], body: bytes
    ) -> tuple[Answer, str]:
        head = {"content-type": self._content_type}
        return Answer(self.server, url, self._status, head, self._body, time.time()), "x1"
