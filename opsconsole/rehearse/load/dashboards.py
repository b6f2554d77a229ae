"""Dashboards as files: Grafana's JSON as exported, saved or provisioned, and what wraps it."""

import json
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from opsconsole.clients import dashboards as grafana
from opsconsole.errors import ConfigError, Nonsense
from opsconsole.rehearse.load import nodes
from opsconsole.rehearse.load.dashboards_v2 import classic
from opsconsole.rehearse.load.filling import DashboardPanel, panels_of
from opsconsole.rehearse.load.sources import Source, Tell, refuse, sources
from opsconsole.rehearse.model import Panel

_ENDINGS = (".json",)
_EXPR = re.compile(r'"expr"\s*:\s*("(?:\\.|[^"\\])*")')
_HINT = "give a dashboard as Grafana exports it: Share, Export, Save to file"
_MARKS = ('"panels"', '"rows"', '"elements"')

Left = Callable[[str], None]
"""Told, in a sentence, what a dashboard holds that is not rehearsed, as it is not PromQL."""


def load_dashboards(
    paths: Iterable[str | Path], tell: Tell = refuse, left_out: Left = lambda sentence: None
) -> list[Panel]:
    """The panels with PromQL of all dashboards, in their order, variables filled in as Grafana would.

    A path is a file, a folder (every .json beneath it that holds a dashboard) or `-` for standard input. Read
    are dashboards as exported (also to share, with `__inputs`), as the API gives them, in Grafana's second
    schema, or within ConfigMaps; rows, library panels that are in the file, the panels of collapsed rows.
    Queries that are hidden are left out, and so are those of other data sources: `left_out` is told of the
    latter. A variable that has no saved value, as its options come from a query, stands as its own name until
    `refill` knows better.

    `tell` takes a ConfigError for each file that cannot be read; without it the first is raised.
    """
    now = time.time()
    panels: list[Panel] = []
    for source in sources(paths, _ENDINGS, tell):
        try:
            models = _models(source)
            if not models and source.named:
                raise source.wrong("it holds no dashboard", hint=_HINT)
            for text, model in models:
                panels += _panels(text, model, now, left_out)
        except ConfigError as error:
            tell(error)
    return panels


def _panels(source: Source, model: dict[str, Any], now: float, left_out: Left) -> list[Panel]:
    try:
        dashboard = grafana.parse(model, grafana.library_of(model), source.file)
    except Nonsense as error:
        raise source.wrong(error.message.replace("answered", "it holds", 1), hint=_HINT) from None
    left: Counter[str] = Counter()
    panels = panels_of(dashboard, now, left)
    if left:
        kinds = ", ".join(f"{count} of {kind}" for kind, count in left.items())
        left_out(f"{source.file}: panels without PromQL are left out: {kinds}")
    return _with_lines(panels, source)


def _with_lines(panels: Iterable[Panel], source: Source) -> list[Panel]:
    """The same with the file, and the line of each panel's first query in it."""
    lines: dict[str, deque[int]] = {}
    for expr, line in _expressions(source.text):
        lines.setdefault(expr, deque()).append(line)
    placed = []
    for panel in panels:
        saved = panel.saved if isinstance(panel, DashboardPanel) else ()
        found = [lines[query.expr].popleft() for query in saved if lines.get(query.expr)]
        line = found[0] + source.lines_before if found else 0
        placed.append(replace(panel, file=source.file, line=line))
    return placed


def _expressions(text: str) -> Iterator[tuple[str, int]]:
    """Each expression in the text of a JSON file, with its line."""
    line, at = 1, 0
    for found in _EXPR.finditer(text):
        line += text.count("\n", at, found.start(1))
        at = found.start(1)
        try:
            yield json.loads(found[1], strict=False), line
        except ValueError:
            continue


def _models(source: Source) -> list[tuple[Source, dict[str, Any]]]:
    """The dashboards in a file, each with the text that it stands in. Raises ConfigError."""
    if not source.named and not any(mark in source.text for mark in _MARKS):
        return []
    if source.text.lstrip()[:1] not in ("{", "["):
        return [found for inner in _wrapped(source) for found in _models(inner)]
    try:
        return [(source, model) for model in _within(json.loads(source.text, strict=False))]
    except json.JSONDecodeError as error:
        raise source.wrong(f"it is not JSON: {error.msg}", error.lineno, _HINT) from None
    except RecursionError:
        raise source.wrong("it is nested too deeply", hint=_HINT) from None


def _within(value: Any) -> Iterator[dict[str, Any]]:
    """A dashboard's own model, out of what the APIs of Grafana put around it."""
    if isinstance(value, list):
        for each in value:
            yield from _within(each)
    elif isinstance(value, dict):
        if any(isinstance(value.get(key), list) for key in ("panels", "rows")):
            yield value
        elif isinstance(value.get("elements"), dict):
            yield classic(value)
        else:
            for key in ("dashboard", "spec"):
                yield from _within(value.get(key))


def _wrapped(source: Source) -> Iterator[Source]:
    """JSON within YAML: ConfigMaps, and the objects of Grafana's operator."""
    import yaml

    lines = source.text.splitlines()
    try:
        pending = list(nodes.documents(source.text))
    except yaml.YAMLError as error:
        raise source.wrong(f"it is neither JSON nor YAML: {error}".splitlines()[0], hint=_HINT) from None
    seen: set[int] = set()
    while pending:
        node = pending.pop(0)
        written = nodes.text_or_empty(node)
        if written.lstrip().startswith("{") and any(mark in written for mark in _MARKS):
            before = nodes.content_line(node, lines) - 1 + source.lines_before
            yield Source(source.file, written, False, before)
        elif id(node) not in seen:
            seen.add(id(node))
            pending[:0] = [*nodes.fields(node).values(), *nodes.items(node)]
