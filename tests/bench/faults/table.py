"""The rows of the bench as lines, and what they come to."""

from collections import Counter
from collections.abc import Sequence

from tests.bench.faults.judge import Row
from tests.bench.faults.others import TOOLS

_WIDTHS = (34, 17, 44, 6, 7)


def _cells(cells: Sequence[str], tools: Sequence[str]) -> str:
    own = " ".join(f"{cell:<{width}}" for cell, width in zip(cells, _WIDTHS, strict=True))
    beside = " ".join(f"{cell:<{max(len(name), 9)}}" for name, cell in zip(TOOLS, tools, strict=True))
    return f"{own} {beside}".rstrip()


HEAD = _cells(("fault", "must tell", "does not pass (follows)", "cause", "time"), list(TOOLS))


def line(row: Row) -> str:
    """A row of the table, with what is wrong below it."""
    fault = row.fault
    right = [item for item in row.failed if item in fault.shows]
    follows = [item for item in row.failed if item not in fault.shows]
    told = ", ".join(right) or "nothing"
    told += f" ({', '.join(follows)})" if follows else ""
    cells = (
        fault.name,
        ", ".join(fault.shows),
        told,
        "named" if row.named else "NO",
        f"{row.seconds:.1f} s",
    )
    return "\n    ".join([_cells(cells, [row.others[name] for name in TOOLS]), *row.wrong])


def summary(rows: Sequence[Row], seconds: float) -> str:
    """What the rows come to."""
    faults = len(rows)
    lines = [
        f"{sum(row.found for row in rows)} of {faults} faults found by the right item, "
        f"the cause named in {sum(row.found and row.named for row in rows)}; "
        f"{sum(bool(row.wrong) for row in rows)} not as they should be; {seconds:.0f} s in all",
    ]
    for name in TOOLS:
        counted = Counter(row.others[name] for row in rows)
        seen = faults - counted["-"]
        lines.append(f"{name}: {counted['found']} found, of {seen} within its sight")
    return "\n".join(lines)
