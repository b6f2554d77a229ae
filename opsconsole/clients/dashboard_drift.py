"""The dashboard that Grafana serves against the one that is meant: where it shows something else."""

import difflib
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

from opsconsole.clients.dashboards import Dashboard, Panel, Variable, library_uid
from opsconsole.clients.panel_content import asks, differing, lines, unread
from opsconsole.clients.reference_dashboard import read
from opsconsole.model import Finding, Seen

Pair = tuple[Panel, Panel | None]
"""A panel as it is meant, and the one that is served in its place."""

_MOST_TOLD = 8
_MOST_NAMED = 10
_GRAFANAS_TIME = {"from": "now-6h", "to": "now"}


def compared_dashboard(path: Path, served: Dashboard, told: Collection[str] = ()) -> Iterator[Finding | Seen]:
    """What is served, compared with the dashboard in the file at `path`: panels with queries by their titles,
    the time that it opens with, its variables. Of the panels in `told` something was said already. Raises
    ConfigError where the file cannot be read as a dashboard."""
    meant = read(path)
    here, there = _with_queries(meant), _with_queries(served)
    paired, more = _pairs(here, there)
    wrong = [(one, shown) for one, shown in paired if shown is None or differing(one, shown)]
    if len(wrong) > 1:
        yield _another(len(paired), wrong, path)
    new = [pair for pair in wrong if _title(pair[0]) not in told]
    for panel, shown in new[:_MOST_TOLD] if len(wrong) < len(paired) or len(wrong) == 1 else ():
        yield _otherwise(panel, shown, more, path)
    yield from _opening(meant, served)
    yield from _variables(meant, served, path)
    yield Seen(f"{len(here)} panels compared with {path.name}")
    if unlike := [_title(panel) for panel in here if library_uid(panel.raw) or unread(panel)]:
        yield Seen(f"without the queries of {_few(unlike)}: not in the file, or of a kind that is not known")
    if more:
        yield Seen(f"not in {path.name}: {_few([_title(panel) for panel in more])}")


def _with_queries(dashboard: Dashboard) -> list[Panel]:
    """The panels that ask for data, without the copies that old versions save of one that is repeated."""
    return [panel for panel in dashboard.panels if asks(panel) and not panel.raw.get("repeatPanelId")]


def _pairs(meant: Sequence[Panel], served: Sequence[Panel]) -> tuple[list[Pair], list[Panel]]:
    """Each panel that is meant with its own among those served, one that shows the same before any other of
    the title; and those that are left over."""
    left = list(served)
    own: dict[int, Panel] = {}
    for alike in (True, False):
        for at, panel in enumerate(meant):
            namesakes = (shown for shown in left if _title(shown) == _title(panel))
            found = next((one for one in namesakes if not alike or not differing(panel, one)), None)
            if at not in own and found is not None:
                own[at] = found
                left = [one for one in left if one is not found]
    return [(panel, own.get(at)) for at, panel in enumerate(meant)], left


def _another(count: int, wrong: Sequence[Pair], path: Path) -> Finding:
    missing = [_title(panel) for panel, shown in wrong if shown is None]
    different = [_title(panel) for panel, shown in wrong if shown is not None]
    named = [("missing", missing), ("different", different)]
    return Finding(
        summary=f"another dashboard than the reference: of {count} panels, {len(missing)} are missing and "
        f"{len(different)} differ",
        detail="\n".join(f"{word}: {_few(titles)}" for word, titles in named if titles),
        remedy=f"was an old one put back, or was it changed by hand? {_mend(path)}",
    )


def _otherwise(panel: Panel, shown: Panel | None, more: Sequence[Panel], path: Path) -> Finding:
    if shown is not None:
        aspects = differing(panel, shown)
        words = ", its ".join(aspects[:-1]) + (" and its " if aspects[1:] else "") + aspects[-1]
        return Finding(
            subject=_title(panel),
            summary=f"differs from the reference in its {words}",
            detail=_diff(lines(panel), lines(shown)),
            remedy=_mend(path),
        )
    renamed = [_title(one) for one in more if not differing(panel, one)]
    return Finding(
        subject=_title(panel),
        summary="is in the reference, and not in the dashboard",
        remedy=f"the panel {renamed[0]!r} shows the same: was it renamed?" if renamed else _mend(path),
    )


def _opening(meant: Dashboard, served: Dashboard) -> Iterator[Finding]:
    """The time; a fixed one is another finding."""
    before, after = _time(meant), _time(served)
    if before != after and served.fixed_end is None:
        yield Finding(
            summary=f"it opens with the time from {after}, and in the reference from {before}",
            remedy="choose that time, and save the dashboard with it; or correct the reference",
        )


def _time(dashboard: Dashboard) -> str:
    time = dashboard.raw.get("time")
    time = {**_GRAFANAS_TIME, **(time if isinstance(time, dict) else {})}
    return f"{time['from']} to {time['to']}"


def _variables(meant: Dashboard, served: Dashboard, path: Path) -> Iterator[Finding]:
    there = {variable.name: variable for variable in served.variables}
    for variable in meant.variables:
        subject, found = f"variable {variable.name}", there.get(variable.name)
        if found is None:
            summary = "is in the reference, and not in the dashboard"
            yield Finding(subject=subject, summary=summary, remedy=_mend(path))
        elif not _unfilled(variable) and _alike(variable) != _alike(found) and found.query:
            detail = _diff(_definition(variable), _definition(found))
            summary = "differs from the reference"
            yield Finding(subject=subject, summary=summary, detail=detail, remedy=_mend(path))


def _unfilled(variable: Variable) -> bool:
    """Whether it tells no query, or an input which the import asks for."""
    return not variable.query or re.fullmatch(r"\$\{\w+\}", variable.query) is not None


def _alike(variable: Variable) -> list[str]:
    return ["".join(line.split()) for line in _definition(variable)]


def _definition(variable: Variable) -> list[str]:
    return [
        f"{variable.kind}: {variable.query}",
        *([f"regex: {variable.regex}"] if variable.regex else []),
        *([f"all: {variable.all_value}"] if variable.all_value else []),
    ]


def _diff(before: Sequence[str], after: Sequence[str]) -> str:
    return "\n".join(difflib.unified_diff(before, after, "reference", "served", lineterm="", n=10))


def _mend(path: Path) -> str:
    return f"import {path.name} again; or correct it, where the dashboard is as it is meant"


def _title(panel: Panel) -> str:
    return panel.title.strip() or f"a {panel.kind} without a title"


def _few(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")
