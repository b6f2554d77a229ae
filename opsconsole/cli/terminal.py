"""Lines for the terminal that reads them; who reads them through a pipe gets them whole."""

import re
import shutil
import sys
import textwrap

_RIGHTMOST_SHARE = 5 / 8
_FAR_IN = 8


def columns() -> int:
    """How many the terminal has that standard output is; 0 where it is none."""
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 0


def broken(line: str, columns: int) -> str:
    """A line in as many as it needs; those that go on begin under its last column."""
    if len(line) <= columns or not columns:
        return line
    begun = max((gap.end() for gap in re.finditer(r"  +", line)), default=0)
    under = begun if begun <= columns * _RIGHTMOST_SHARE else _FAR_IN
    return textwrap.fill(
        line, columns, subsequent_indent=" " * under, break_on_hyphens=False, drop_whitespace=True
    )
