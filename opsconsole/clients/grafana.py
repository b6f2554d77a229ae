"""Grafana: its health, a dashboard's panels and variables, data sources, and panel queries (HTTP API).

Every method raises `opsconsole.errors.Unseen` where Grafana cannot be seen or answers something that is
not the answer; what a dashboard or a data source does not have is told by the value, not by an error.
"""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec

from opsconsole import config
from opsconsole.clients.dashboards import (
    Dashboard,
    DataSource,
    Panel,
    PanelQuery,
    Variable,
    library_uid,
    parse,
)
from opsconsole.clients.http import Answer, Http
from opsconsole.errors import Nonsense, Refused

__all__ = ["Dashboard", "DataSource", "Grafana", "Health", "Panel", "PanelQuery", "PanelResult", "Variable"]

_INTERVAL_MS = 15_000
_MOST_POINTS = 1_000
_TELLS_OF_QUERIES = (200, 207, 400, 404, 500, 502, 504)
_GONE = re.compile("data ?source not found|unable to load datasource meta ?data|invalid data ?source", re.I)
"""How Grafana says, differently from version to version, that it has no data source of a uid."""


class Health(msgspec.Struct, frozen=True):
    """`version` is empty where Grafana hides it; `database` is "ok" where its own database answers."""

    version: str
    database: str


class PanelResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one query of a panel gave.

    `series` has the labels of each of its series. `rows` counts the rows of all frames, `numbers` the finite
    numbers in them: rows without numbers are nulls and NaN. `last` is the last finite number. `error` is
    empty where the query ran.
    """

    frames: int
    series: list[dict[str, str]]
    rows: int
    numbers: int
    last: float | None
    error: str


class Grafana:
    """One Grafana server; `dashboard` is the uid of the dashboard that the checklist is about, `reference`
    the file with it as it is meant, None where none is configured."""

    def __init__(self, http: Http, settings: config.Grafana, seen: Callable[[str, str, str], None]) -> None:
        self._http = http
        self._seen = seen
        self.dashboard = settings.dashboard
        self.reference = settings.reference
        self.url = http.base

    async def health(self) -> Health:
        """Grafana's own word; needs no token."""
        told = (await self._http.get("/api/health", accept=(200, 503))).json(_Health)
        if told.version:
            self._seen(self._http.server, told.version, self.url)
        return Health(told.version, told.database)

    async def dashboard_model(self, uid: str | None = None) -> Dashboard | None:
        """A dashboard as saved, None where Grafana has none of this uid; without `uid`, the settings' one.

        Panels come from rows and library panels too; a panel's data source is resolved from variables, names
        and the default. Variables within queries are the caller's to fill.
        """
        answer = await self._http.get(f"/api/dashboards/uid/{uid or self.dashboard}", accept=(200, 404))
        if answer.status == 404:
            _refuse_html(answer)
            return None
        model = answer.json(_Saved).dashboard
        library = {each: await self._library_panel(each) for each in _library_uids(model)}
        dashboard = parse(model, library, answer.where)
        if not dashboard.uses_default_source and all(one.kind != "datasource" for one in dashboard.variables):
            return dashboard
        known = await self._visible_datasources(needed=dashboard.uses_default_source)
        default = next((one.uid for one in known if one.is_default), "")
        return parse(model, library, answer.where, known).with_default_source(default)

    async def datasource(self, uid: str) -> DataSource | None:
        """The data source with this uid, None where there is none."""
        answer = await self._http.get(f"/api/datasources/uid/{uid}", accept=(200, 404))
        if answer.status == 404:
            _refuse_html(answer)
            return None
        return answer.json(_DataSource).public

    async def datasources(self) -> list[DataSource]:
        """All data sources that we may see."""
        return [one.public for one in (await self._http.get("/api/datasources")).json(list[_DataSource])]

    async def _visible_datasources(self, *, needed: bool) -> list[DataSource]:
        """All that we may see; where they are not needed, to be refused is to see none."""
        try:
            return await self.datasources()
        except Refused:
            if needed:
                raise
            return []

    async def datasource_health(self, uid: str) -> tuple[bool, str]:
        """Whether Grafana reaches the data source, and its words on that."""
        accept = (200, 400, 404, 500, 502, 503)
        answer = await self._http.get(f"/api/datasources/uid/{uid}/health", accept=accept)
        told = answer.json(_SourceHealth)
        if _GONE.search(told.message):
            return False, "Grafana has none of this uid"
        if answer.status == 404:  # before Grafana 10 for Prometheus, and for many plugins still
            return True, "it has no health check"
        return (
            answer.status == 200 and told.status.upper() == "OK",
            told.message or f"answered {answer.status}",
        )

    async def run(
        self, queries: Sequence[Mapping[str, Any]], start: float, end: float
    ) -> dict[str, PanelResult]:
        """Run queries of one panel over a time span, as the panel would; results by refId.

        Each query is a target of the panel with its variables filled, a `refId` and `datasource: {uid}`.
        A query that fails has its `error`, and all have one where a data source does not exist; Nonsense only
        where Grafana tells of no query at all.
        """
        asked = [{"intervalMs": _INTERVAL_MS, "maxDataPoints": _MOST_POINTS, **query} for query in queries]
        body = {"queries": asked, "from": str(round(start * 1000)), "to": str(round(end * 1000))}
        answer = await self._http.post("/api/ds/query", json=body, accept=_TELLS_OF_QUERIES, asks=True)
        told = answer.json(_Results)
        if told.results is None and _GONE.search(told.message):
            uids = sorted({str((query.get("datasource") or {}).get("uid", "")) for query in queries})
            gone = _Result(error=f"Grafana has no data source {' or '.join(uids)}")
            return {str(query.get("refId", "")): _panel_result(gone) for query in queries}
        if told.results is None:
            raise Nonsense(f"answered {answer.status}: {told.message or 'no results'}", where=answer.where)
        silent = _Result(error="Grafana gave no answer to this query")
        return {
            str(query.get("refId", "")): _panel_result(told.results.get(str(query.get("refId", "")), silent))
            for query in queries
        }

    async def _library_panel(self, uid: str) -> dict[str, Any]:
        answer = await self._http.get(f"/api/library-elements/{uid}")
        return answer.json(_LibraryElement).result.model


class _Health(msgspec.Struct):
    database: str
    version: str = ""


class _Saved(msgspec.Struct):
    dashboard: dict[str, Any]


class _LibraryModel(msgspec.Struct):
    model: dict[str, Any]


class _LibraryElement(msgspec.Struct):
    result: _LibraryModel


class _DataSource(msgspec.Struct):
    uid: str
    name: str
    type: str
    url: str = ""
    isDefault: bool = False
    jsonData: dict[str, Any] | None = None

    @property
    def public(self) -> DataSource:
        interval = (self.jsonData or {}).get("timeInterval")
        interval = interval if isinstance(interval, str) else ""
        return DataSource(self.uid, self.name, self.type, self.url, self.isDefault, interval)


class _SourceHealth(msgspec.Struct):
    status: str = ""
    message: str = ""


class _Field(msgspec.Struct):
    type: str = ""
    labels: dict[str, str] | None = None


class _Schema(msgspec.Struct):
    fields: list[_Field] = []


class _Entities(msgspec.Struct):
    """Where a column's nulls stand for something else, by row."""

    NaN: list[int] = []
    Inf: list[int] = []
    NegInf: list[int] = []


class _Data(msgspec.Struct):
    values: list[list[Any]] = []
    entities: list[_Entities | None] | None = None


class _Frame(msgspec.Struct):
    schema: _Schema = msgspec.field(default_factory=_Schema)
    data: _Data = msgspec.field(default_factory=_Data)


class _Result(msgspec.Struct):
    frames: list[_Frame] | None = None
    error: str = ""
    status: int | Literal[""] = ""


class _Results(msgspec.Struct):
    results: dict[str, _Result] | None = None
    message: str = ""


def _panel_result(told: _Result) -> PanelResult:
    frames = told.frames or []
    numbers = [number for frame in frames for number in _numbers(frame)]
    return PanelResult(
        frames=len(frames),
        series=[field.labels for frame in frames for field in frame.schema.fields if field.labels],
        rows=sum(max(map(len, frame.data.values), default=0) for frame in frames),
        numbers=len(numbers),
        last=numbers[-1] if numbers else None,
        error=told.error
        or (f"status {told.status}" if isinstance(told.status, int) and told.status >= 400 else ""),
    )


def _numbers(frame: _Frame) -> list[float]:
    """The finite numbers in a frame's number columns."""
    columns = zip(frame.schema.fields, frame.data.values, strict=False)
    return [
        float(value)
        for field, column in columns
        if field.type == "number"
        for value in column
        if type(value) in (int, float) and abs(value) <= sys.float_info.max
    ]


def _library_uids(model: Mapping[str, Any]) -> set[str]:
    pending: list[Any] = [model]
    found = set()
    while pending:
        one = pending.pop()
        if isinstance(one, dict):
            if uid := library_uid(one):
                found.add(uid)
            pending.extend(one.get("panels") or [] if isinstance(one.get("panels"), list | None) else [])
    return found


def _refuse_html(answer: Answer) -> None:
    """A 404 counts as Grafana's word only in Grafana's form; anything may answer 404 with a page."""
    answer.json(dict[str, Any])
