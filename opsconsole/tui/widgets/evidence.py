"""The evidence of an item as rows: each exchange a line; an opened one shows its request and answer."""

import json
from collections.abc import Collection, Iterator

from opsconsole.model import Exchange
from opsconsole.reports.wording import one_line
from opsconsole.tui.text import duration, fold, size
from opsconsole.tui.widgets.rows import Row

_MOST_LINES = 60
"""Lines of a body that are shown; the record keeps more, and names the hash of all of it."""


def evidence_rows(exchanges: list[Exchange], *, opened: Collection[str], width: int) -> list[Row]:
    """Each exchange, in the order of the requests; `opened` holds the ids of those shown in full."""
    if not exchanges:
        return [Row((("no requests", "faint"),))]
    rows = []
    for exchange in exchanges:
        rows.append(_line(exchange, opened=exchange.id in opened))
        if exchange.id in opened:
            rows += _detail(exchange, width)
    return rows


def _line(exchange: Exchange, *, opened: bool) -> Row:
    path = exchange.url.partition("://")[2].partition("/")[2]
    good = not exchange.error and exchange.status is not None and exchange.status < 400
    status = str(exchange.status) if exchange.status is not None else "no answer"
    took = "shared" if exchange.repeats else duration(exchange.seconds)
    return Row(
        (
            ("▾ " if opened else "▸ ", "faint"),
            (f"{one_line(exchange.server)} ", "strong"),
            (f"{exchange.method} /{one_line(path)}", ""),
        ),
        (f"{status}  {took:>6}", "faint" if good else "fail"),
        exchange.id,
    )


def _detail(exchange: Exchange, width: int) -> Iterator[Row]:
    if exchange.error:
        yield from _block(exchange.error, width, "fail")
    if exchange.repeats:
        yield from _block(
            f"answered together with {exchange.repeats}: asked once for several checks", width, "faint"
        )
    yield from _block(_curl(exchange), width, "link")
    if exchange.request_body:
        yield from _block(_pretty(exchange.request_body), width, "strong")
    if exchange.status is not None and not exchange.repeats:
        kept = len(exchange.response_body.encode())
        cut = f", {size(kept)} kept" if kept < exchange.response_bytes else ""
        kind = exchange.response_type or "no content type"
        whole = f"{size(exchange.response_bytes)}{cut}, sha256 {exchange.response_sha256[:12]}"
        yield from _block(f"{exchange.status} {kind}, {whole}", width, "faint")
        yield from _block(_pretty(exchange.response_body), width, "")
    yield Row()


def _curl(exchange: Exchange) -> str:
    from opsconsole.reports.curl import curl_line

    return curl_line(exchange)


def _block(text: str, width: int, style: str) -> Iterator[Row]:
    lines = fold(text, width - 4)
    for line in lines[:_MOST_LINES]:
        yield Row((("    ", ""), (line, style)))
    if len(lines) > _MOST_LINES:
        yield Row((("    ", ""), (f"… {len(lines) - _MOST_LINES} more lines", "faint")))


def _pretty(body: str) -> str:
    """JSON with its structure in sight; anything else, and JSON that was cut, as it came."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body
