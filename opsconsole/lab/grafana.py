"""A stand-in for Grafana, not Grafana: the part of its HTTP API that a check of dashboards uses.

It follows Grafana's published API (dashboard, data source and search endpoints, `POST /api/ds/query`) in
paths, status codes and JSON shapes. One data source is there, the lab's real Prometheus, and panel queries
are answered from it; it can be changed and deleted, as a dashboard can. As in Grafana `$__interval`,
`$__rate_interval` and `$__range` are filled in here, and every other template variable is the caller's to
fill in.
"""

import argparse
import asyncio
import functools
import json
import os
import re
import secrets
from pathlib import Path
from typing import Any

from opsconsole.lab.grafana_query import BadQuery, Unavailable, frames_of, get_json, times_of
from opsconsole.lab.http import Invalid, Request, Response, Routes, listen, reply

DATASOURCE_UID = "prometheus-lab"
STAND_IN = "opsconsole lab stand-in"
READ, QUERY = ("dashboards:read", "datasources:read"), ("datasources:query",)
WRITE = ("dashboards:write", "dashboards:delete", "datasources:write", "datasources:delete")
UNREACHED = "There was an error returned querying the Prometheus API."


class Denied(Invalid):
    """The token lacks a permission."""

    def __init__(self, action: str) -> None:
        super().__init__(403, action)
        message = f"You'll need additional permissions to perform this action. Permissions needed: {action}"
        body = {
            "accessErrorId": f"ACE{secrets.randbelow(10**10):010}",
            "message": message,
            "title": "Access denied",
        }
        self.response = reply(body, 403)


class StandIn:
    """The handlers; `tokens` maps a bearer token to the actions that it may perform."""

    def __init__(
        self, prometheus_url: str, dashboard: dict[str, Any], tokens: dict[str, tuple[str, ...]]
    ) -> None:
        self._sources: dict[str, dict[str, Any]] = {DATASOURCE_UID: _prometheus(prometheus_url)}
        self._tokens = tokens
        self._dashboards: dict[str, dict[str, Any]] = {dashboard["uid"]: {**dashboard, "id": 1, "version": 1}}

    def routes(self) -> Routes:
        routes = Routes()
        routes.add("GET", "/api/health", self.health)
        routes.add("GET", "/api/search", self.search)
        routes.add("GET", "/api/dashboards/uid/{uid}", self.dashboard)
        routes.add("POST", "/api/dashboards/db", self.save_dashboard)
        routes.add("DELETE", "/api/dashboards/uid/{uid}", self.delete_dashboard)
        routes.add("GET", "/api/datasources", self.datasources)
        routes.add("GET", "/api/datasources/uid/{uid}", self.datasource)
        routes.add("PUT", "/api/datasources/uid/{uid}", self.change_datasource)
        routes.add("DELETE", "/api/datasources/uid/{uid}", self.delete_datasource)
        routes.add("GET", "/api/datasources/uid/{uid}/health", self.datasource_health)
        routes.add("POST", "/api/ds/query", self.query)
        return routes

    async def health(self, request: Request) -> Response:
        return reply({"commit": STAND_IN, "database": "ok", "version": f"0.0.0 ({STAND_IN})"})

    async def search(self, request: Request) -> Response:
        self._allow(request, "dashboards:read")
        wanted = request.query.get("query", "").lower()
        found = [board for board in self._dashboards.values() if wanted in board["title"].lower()]
        return reply([_search_hit(board) for board in found])

    async def dashboard(self, request: Request) -> Response:
        self._allow(request, "dashboards:read")
        board = self._dashboards.get(request.parameters["uid"])
        if board is None:
            return reply({"message": "Dashboard not found", "traceID": ""}, 404)
        meta = {
            "type": "db",
            "canSave": self._may(request, "dashboards:write"),
            "slug": _slug(board["title"]),
            "url": _url(board),
            "version": board["version"],
            "provisioned": False,
            "folderUid": "",
        }
        return reply({"meta": meta, "dashboard": board})

    async def save_dashboard(self, request: Request) -> Response:
        self._allow(request, "dashboards:write")
        wish = request.json_object()
        board = wish.get("dashboard")
        if not isinstance(board, dict) or not board.get("title"):
            return reply({"message": "Dashboard title cannot be empty", "status": "empty-name"}, 400)
        uid = board.get("uid") or secrets.token_hex(7)
        stored = self._dashboards.get(uid)
        if stored and not wish.get("overwrite") and board.get("version") != stored["version"]:
            message = "The dashboard has been changed by someone else"
            return reply({"message": message, "status": "version-mismatch"}, 412)
        identity = {"uid": uid, "id": stored["id"] if stored else len(self._dashboards) + 1}
        board = {**board, **identity, "version": stored["version"] + 1 if stored else 1}
        self._dashboards[uid] = board
        return reply({**identity, "slug": _slug(board["title"]), "status": "success", "url": _url(board),
                      "version": board["version"]})  # fmt: skip

    async def delete_dashboard(self, request: Request) -> Response:
        self._allow(request, "dashboards:delete")
        if (board := self._dashboards.pop(request.parameters["uid"], None)) is None:
            return reply({"message": "Dashboard not found", "traceID": ""}, 404)
        title = board["title"]
        return reply({"title": title, "message": f"Dashboard {title} deleted", "uid": board["uid"]})

    async def datasources(self, request: Request) -> Response:
        self._allow(request, "datasources:read")
        return reply(list(self._sources.values()))

    async def datasource(self, request: Request) -> Response:
        self._allow(request, "datasources:read")
        return reply(self._source(request.parameters["uid"]))

    async def change_datasource(self, request: Request) -> Response:
        self._allow(request, "datasources:write")
        source = self._source(request.parameters["uid"])
        wish = request.json_object()
        if not all(isinstance(wish.get(needed), str) for needed in ("name", "type", "access")):
            raise _bad_request("bad request data")
        source |= {**wish, "id": source["id"], "uid": source["uid"]}
        told = {"datasource": source, "id": source["id"], "name": source["name"]}
        return reply({**told, "message": "Datasource updated"})

    async def delete_datasource(self, request: Request) -> Response:
        self._allow(request, "datasources:delete")
        gone = self._source(request.parameters["uid"])
        del self._sources[gone["uid"]]
        return reply({"id": gone["id"], "message": "Data source deleted"})

    async def datasource_health(self, request: Request) -> Response:
        self._allow(request, "datasources:query")
        source = self._sources.get(request.parameters["uid"])
        if source is None:
            return reply({"message": "Unable to load datasource metadata", "traceID": ""}, 500)
        try:
            await get_json(f"{source['url']}/api/v1/query?query=1%2B1")
        except (BadQuery, Unavailable) as error:
            return reply({"message": f"{error} - {UNREACHED}", "status": "ERROR"}, 400)
        return reply({"message": "Successfully queried the Prometheus API.", "status": "OK"})

    async def query(self, request: Request) -> Response:
        """Answer the queries of a panel; one that fails makes the whole answer 400."""
        self._allow(request, "datasources:query")
        wish = request.json_object()
        queries = wish.get("queries")
        if not isinstance(queries, list) or not queries:
            raise _bad_request("no queries found")
        urls = [self._source((query.get("datasource") or {}).get("uid", ""))["url"] for query in queries]
        start, end = times_of(wish.get("from"), wish.get("to"))
        answers = await asyncio.gather(*map(functools.partial(_answer, start, end), urls, queries))
        results = {query.get("refId", "A"): answer for query, answer in zip(queries, answers, strict=True)}
        return reply({"results": results}, 200 if all(answer["status"] == 200 for answer in answers) else 400)

    def _source(self, uid: str) -> dict[str, Any]:
        if uid not in self._sources:
            missing = Invalid(404, "no such data source")
            missing.response = reply({"message": "Data source not found", "traceID": ""}, 404)
            raise missing
        return self._sources[uid]

    def _may(self, request: Request, action: str) -> bool:
        return action in self._tokens.get(request.bearer or "", ())

    def _allow(self, request: Request, action: str) -> None:
        if request.bearer not in self._tokens:
            refusal = Invalid(401, "bad token")
            kind, message = (
                ("api-key.invalid", "Invalid API key")
                if request.bearer
                else ("auth.unauthorized", "Unauthorized")
            )
            refusal.response = reply(
                {"message": message, "messageId": kind, "statusCode": 401, "traceID": ""}, 401
            )
            raise refusal
        if not self._may(request, action):
            raise Denied(action)


def _prometheus(url: str) -> dict[str, Any]:
    return {
        "id": 1,
        "uid": DATASOURCE_UID,
        "orgId": 1,
        "name": "Prometheus",
        "type": "prometheus",
        "access": "proxy",
        "url": url,
        "isDefault": True,
        "basicAuth": False,
        "jsonData": {"httpMethod": "POST", "timeInterval": "1s"},
        "readOnly": False,
    }


async def _answer(start: float, end: float, url: str, query: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"status": 200, "frames": await frames_of(url, query, start, end)}
    except BadQuery as error:
        return {"error": str(error), "errorSource": "downstream", "status": 400}
    except Unavailable as error:
        return {"error": str(error), "errorSource": "downstream", "status": 502}


def _bad_request(message: str) -> Invalid:
    refusal = Invalid(400, message)
    refusal.response = reply(
        {"message": message, "messageId": "query.badRequest", "statusCode": 400, "traceID": ""}, 400
    )
    return refusal


def _slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _url(board: dict[str, Any]) -> str:
    return f"/d/{board['uid']}/{_slug(board['title'])}"


def _search_hit(board: dict[str, Any]) -> dict[str, Any]:
    slug = _slug(board["title"])
    return {
        "id": board["id"],
        "uid": board["uid"],
        "title": board["title"],
        "uri": f"db/{slug}",
        "url": _url(board),
        "slug": "",
        "type": "dash-db",
        "tags": board.get("tags", []),
        "isStarred": False,
    }


async def main() -> None:
    parser = argparse.ArgumentParser(prog="opsconsole.lab.grafana")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--prometheus", required=True, help="URL of the Prometheus that answers the panels")
    parser.add_argument("--dashboard", type=Path, required=True)
    arguments = parser.parse_args()
    tokens = {
        os.environ["OPSCONSOLE_LAB_GRAFANA_TOKEN"]: (*READ, *WRITE, *QUERY),
        os.environ["OPSCONSOLE_LAB_GRAFANA_READER_TOKEN"]: READ,
    }
    dashboard = json.loads(arguments.dashboard.read_text(encoding="utf-8"))
    server = await listen(StandIn(arguments.prometheus, dashboard, tokens).routes(), arguments.port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
