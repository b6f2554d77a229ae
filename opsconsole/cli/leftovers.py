"""What a run that was cut off has left in effect, for whoever calls any command later."""

import shlex
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import pairwise
from pathlib import Path

from opsconsole.errors import OpsconsoleError
from opsconsole.store import OpenEffect, default_path, open_records

_MOST_RUNS = 3


def told(records: Path | None) -> Iterator[str]:
    """A line for each such run; nothing where there are no records, or none that can be read. What a console
    that still runs is doing is left to that one."""
    from opsconsole import alive

    runs: dict[str, list[OpenEffect]] = {}
    for effect in _left(records or default_path()):
        if not alive.is_alive(effect.begun.data.get("process", "")):
            runs.setdefault(effect.run, []).append(effect)
    clean_up = f"opsconsole cleanup{f' --records {shlex.quote(str(records))}' if records else ''}"
    for run, effects in [*runs.items()][:_MOST_RUNS]:
        yield f"run {run} left something in effect: {_what(effects)}: {clean_up}"
    if more := len([*runs][_MOST_RUNS:]):
        yield f"{more} more runs left something in effect: {clean_up}"


def records_named(arguments: list[str]) -> Path | None:
    """The records that the call named by --records; None: the default ones."""
    for word, following in pairwise([*arguments, ""]):
        if word == "--records":
            return Path(following)
        if word.startswith("--records="):
            return Path(word.removeprefix("--records="))
    return None


def _left(path: Path) -> list[OpenEffect]:
    with suppress(OpsconsoleError, OSError, ValueError):
        if path.exists():
            with closing(open_records(path, read_only=True)) as records:
                return records.open_effects()
    return []


def _what(effects: list[OpenEffect]) -> str:
    from opsconsole.reports.wording import one_line

    first, *more = effects
    return one_line(first.begun.what) + (f" (and {len(more)} more)" if more else "")
