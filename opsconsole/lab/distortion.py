"""How an answer of one of the lab's stand-ins is spoilt before it leaves: the faults that a server has which
answers, and answers wrongly."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opsconsole.lab.http import Request, Response

PATH = "/lab/distortions"
"""`GET` tells what is in force; `POST` with the lab's API key puts a list in its place, the empty one too."""


@dataclass(frozen=True, kw_only=True)
class Distortion:
    """What becomes of the answers to requests whose whole path matches the regular expression `path`, with
    the given `method` where it is not empty.

    `body` is said instead, and the handler is not asked; `status` and `content_type` take the place of the
    answer's own. `replaced` are pairs of a regular expression and what each match in the body becomes;
    `{number}` in it is the number of the answer, from 1. `frozen`: the first answer is given for ever.
    """

    path: str
    method: str = ""
    status: int | None = None
    content_type: str = ""
    body: str | None = None
    replaced: tuple[tuple[str, str], ...] = ()
    delay_seconds: float = 0.0
    frozen: bool = False

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def read(wishes: object) -> list[Distortion]:
    """Distortions out of JSON. Raises ValueError for what is none."""
    if not isinstance(wishes, list) or not all(isinstance(wish, dict) for wish in wishes):
        raise ValueError("a list of distortions is wanted")
    names = {each.name for each in fields(Distortion)}
    found = []
    for wish in wishes:
        if unknown := sorted(wish.keys() - names):
            raise ValueError(f"a distortion has no {', '.join(unknown)}")
        pairs = tuple((str(old), str(new)) for old, new in wish.get("replaced", ()))
        for expression in (wish["path"], *(old for old, _ in pairs)):
            re.compile(expression)
        found.append(Distortion(**{**wish, "replaced": pairs}))
    return found


@dataclass
class Distorted:
    """A distortion in force, with what it remembers."""

    distortion: Distortion
    answers: int = 0
    first: "Response | None" = field(default=None, repr=False)

    def applies(self, request: "Request") -> bool:
        wanted = self.distortion
        return wanted.method in ("", request.method) and re.fullmatch(wanted.path, request.path) is not None

    async def answer(self, ask: Callable[[], Awaitable["Response"]]) -> "Response":
        """The spoilt answer; `ask` brings the true one."""
        from opsconsole.lab.http import Response

        wanted = self.distortion
        self.answers += 1
        if wanted.delay_seconds:
            await asyncio.sleep(wanted.delay_seconds)
        if wanted.body is not None:
            true = Response(200, wanted.body.encode(), "text/plain; charset=utf-8")
        else:
            true = self.first or await ask()
        if wanted.frozen:
            self.first = true
        body = true.body
        if wanted.replaced:
            text = body.decode()
            for old, new in wanted.replaced:
                text = re.sub(old, new.replace("{number}", str(self.answers)), text, flags=re.MULTILINE)
            body = text.encode()
        return Response(wanted.status or true.status, body, wanted.content_type or true.content_type)
