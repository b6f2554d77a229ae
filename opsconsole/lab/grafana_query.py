"""Panel queries of the Grafana stand-in: asked of the real Prometheus, answered as Grafana's data frames."""

import asyncio
import json
import math
import os
import re
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

SCRAPE_INTERVAL_SECONDS = 1.0
DEFAULT_DATA_POINTS = 100
MAX_DATA_POINTS = 11_000  # Prometheus refuses more for one series
UNIT_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


class BadQuery(Exception):
    """Prometheus refused the query; the message is its own."""


class Unavailable(Exception):
    """Prometheus could not be asked."""


async def get_json(url: str, within_seconds: float = 60.0) -> dict[str, Any]:
    """The `data` of an answer of Prometheus. Raises BadQuery or Unavailable."""
    try:
        answer = json.loads(await asyncio.wait_for(_get(url), within_seconds))
    except (OSError, ValueError, asyncio.IncompleteReadError, TimeoutError) as error:
        raise Unavailable(_unreached(url.partition("?")[0], error)) from error
    if answer.get("status") != "success":
        raise BadQuery(f"{answer.get('errorType', 'error')}: {answer.get('error', 'no reason given')}")
    data: dict[str, Any] = answer["data"]
    return data


def _unreached(url: str, error: Exception) -> str:
    """In the words of Grafana, which are Go's."""
    said = str(error) or type(error).__name__
    if isinstance(error, OSError) and (number := error.errno):
        said = f"dial tcp {urlsplit(url).netloc}: connect: {os.strerror(number).lower()}"
    return f'Post "{url}": {said}'


async def _get(url: str) -> bytes:
    """The body of a GET by HTTP/1.0, which spares chunks and kept connections."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        target = f"{parts.path}?{parts.query}"
        writer.write(f"GET {target} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode())
        await writer.drain()
        answer = await reader.read()
    finally:
        writer.close()
    return answer.partition(b"\r\n\r\n")[2]


def times_of(start: object, end: object) -> tuple[float, float]:
    """A range in Grafana's terms (epoch milliseconds or `now-6h`) in unix seconds; the last hour if none."""
    now = time.time()
    return _moment(start, now, "now-1h"), _moment(end, now, "now")


def _moment(value: object, now: float, default: str) -> float:
    text = str(default if value in (None, "") else value)
    if match := re.fullmatch(r"now(?:-(\d+)([smhdw]))?", text):
        amount, unit = match.groups()
        return now - (int(amount) * UNIT_SECONDS[unit] if amount else 0)
    return float(text) / 1000 if re.fullmatch(r"\d+", text) else _moment(None, now, default)


async def frames_of(prometheus: str, query: dict[str, Any], start: float, end: float) -> list[dict[str, Any]]:
    """The frames of one query: a frame a series, one without fields where there is no series."""
    step = _step_seconds(query, end - start)
    expression = _interpolated(str(query.get("expr", "")), step, end - start)
    if not expression.strip():
        raise BadQuery("bad_data: the query is empty")
    kinds = [kind for kind in ("instant", "range") if query.get(kind)] or ["range"]
    frames: list[dict[str, Any]] = []
    for kind in kinds:
        parameters: dict[str, object] = {"query": expression, "time": f"{end:.3f}"}
        path = "query"
        if kind == "range":
            parameters = {"query": expression, "start": f"{start:.3f}", "end": f"{end:.3f}", "step": step}
            path = "query_range"
        data = await get_json(f"{prometheus}/api/v1/{path}?{urlencode(parameters)}")
        frames.extend(_frames(query, expression, data, step))
    return frames


def _step_seconds(query: dict[str, Any], seconds: float) -> float:
    wanted = float(query.get("intervalMs") or 0) / 1000
    points = float(query.get("maxDataPoints") or DEFAULT_DATA_POINTS)
    return round(max(wanted or seconds / points, SCRAPE_INTERVAL_SECONDS, seconds / MAX_DATA_POINTS), 3)


def _interpolated(expression: str, step: float, seconds: float) -> str:
    rate_interval = max(step + SCRAPE_INTERVAL_SECONDS, 4 * SCRAPE_INTERVAL_SECONDS)
    values = {"rate_interval": rate_interval, "interval": step, "range": seconds}

    def fill(match: re.Match[str]) -> str:
        return f"{max(1, round(values[match.group(1)]))}s"

    return re.sub(r"\$\{?__(rate_interval|interval|range)\b\}?", fill, expression)


def _frames(
    query: dict[str, Any], expression: str, data: dict[str, Any], step: float
) -> list[dict[str, Any]]:
    kind = data["resultType"]
    ref_id = query.get("refId", "A")
    meta = {
        "type": "timeseries-multi" if kind == "matrix" else "numeric-multi",
        "typeVersion": [0, 1],
        "custom": {"resultType": kind},
        "executedQueryString": f"Expr: {expression}\nStep: {step:g}s",
    }
    series = [{"metric": {}, "value": data["result"]}] if kind in ("scalar", "string") else data["result"]
    if not series:
        return [{"schema": {"refId": ref_id, "meta": meta, "fields": []}, "data": {"values": []}}]
    return [_frame(ref_id, meta, one["metric"], one.get("values") or [one["value"]], query) for one in series]


def _frame(
    ref_id: str, meta: dict[str, Any], labels: dict[str, str], points: list[list[Any]], query: dict[str, Any]
) -> dict[str, Any]:
    values = [float(text) for _, text in points]
    odd = {
        "NaN": [index for index, value in enumerate(values) if math.isnan(value)],
        "Inf": [index for index, value in enumerate(values) if value == math.inf],
        "NegInf": [index for index, value in enumerate(values) if value == -math.inf],
    }
    data: dict[str, Any] = {
        "values": [
            [round(at * 1000) for at, _ in points],
            [value if math.isfinite(value) else None for value in values],
        ]
    }
    if any(odd.values()):
        data["entities"] = [None, {name: places for name, places in odd.items() if places}]
    display = {"displayNameFromDS": _legend(str(query.get("legendFormat") or ""), labels)}
    fields = [
        {"name": "Time", "type": "time", "typeInfo": {"frame": "time.Time"}},
        {
            "name": "Value",
            "type": "number",
            "typeInfo": {"frame": "float64"},
            "labels": labels,
            "config": display,
        },
    ]
    return {"schema": {"refId": ref_id, "meta": meta, "fields": fields}, "data": data}


def _legend(pattern: str, labels: dict[str, str]) -> str:
    if pattern and pattern != "__auto":
        return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda match: labels.get(match.group(1), ""), pattern)
    return "{" + ", ".join(f'{name}="{text}"' for name, text in sorted(labels.items())) + "}"
