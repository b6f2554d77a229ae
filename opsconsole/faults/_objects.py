"""Payment methods that a run has attached, marked with its id: found by the list, removed one by one."""

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from opsconsole.clients.effects import MARK
from opsconsole.clients.http import Http

_NO_SUCH_LIST = (404, 405, 501)
_AT_A_TIME = 12


class _Object(msgspec.Struct):
    id: str
    metadata: dict[str, Any] = {}


class _List(msgspec.Struct):
    data: list[_Object]


class Objects:
    """What one run has attached at `path` of the service; `headers` open it."""

    def __init__(self, service: Http, path: str, run: str, headers: Mapping[str, str]) -> None:
        self._service = service
        self._path = path
        self._run = run
        self._headers = headers
        self._known: set[str] = set()
        self._removed: set[str] = set()

    def learn(self, id: str) -> None:
        """An answer has told that this one was attached."""
        self._known.add(id)

    async def end(self, *, all_known: bool = False) -> str:
        """Remove them; how that has ended, nothing while some may be left: then it is asked again. Where the
        service has no list, `all_known` tells whether those that answers told of are all that there can be.

        Raises Unseen as the door does.
        """
        listed = await self._listed()
        # Of a service that does not list them it is not known what its 404 to a DELETE means.
        gone = (200, 204) if listed is None else (200, 204, 404)
        if left := self._known.union(listed or ()):
            await self._remove(sorted(left), gone)
            if listed is not None:
                return ""  # until the list is seen to be empty
        if listed is None and not all_known:
            return ""
        removed = f"{len(self._removed)} payment methods removed" if self._removed else "nothing was attached"
        return removed if listed is None else f"{removed}, the list is empty"

    async def _listed(self) -> list[str] | None:
        """The ids that one answer tells of (a list may come in parts); None where there is no such list.

        Only those with the run's mark: a service that ignores the question lists what belongs to others.
        """
        answer = await self._service.get(
            self._path, {MARK: self._run}, headers=self._headers, accept=(200, *_NO_SUCH_LIST)
        )
        if answer.status in _NO_SUCH_LIST:
            return None
        return [one.id for one in answer.json(_List).data if one.metadata.get(MARK) == self._run]

    async def _remove(self, ids: list[str], gone: tuple[int, ...]) -> None:
        gate = asyncio.Semaphore(_AT_A_TIME)

        async def one(id: str) -> None:
            async with gate:
                await self._service.delete(f"{self._path}/{id}", headers=self._headers, accept=gone)
            self._removed.add(id)
            self._known.discard(id)

        await asyncio.gather(*(one(id) for id in ids))
