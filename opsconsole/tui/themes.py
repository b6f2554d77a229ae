"""The two palettes, and whether the terminal wants colour at all."""

import os
from collections.abc import Mapping

from rich.style import Style
from textual.theme import Theme

DARK = Theme(
    name="opsconsole-dark",
    primary="#6ea8d8",
    secondary="#5b7c99",
    accent="#c79bf0",
    success="#7fbf7f",
    warning="#e0b050",
    error="#e0605e",
    foreground="#d6dbe1",
    background="#14181d",
    surface="#191e24",
    panel="#222931",
    dark=True,
    variables={"faint": "#8e99a5", "cursor": "#263d52", "cursor-blurred": "#222931", "rule": "#2c353f"},
)
LIGHT = Theme(
    name="opsconsole-light",
    primary="#1f5f99",
    secondary="#4a6b87",
    accent="#7038a8",
    success="#1f7a33",
    warning="#8a5a00",
    error="#b3261e",
    foreground="#1d2329",
    background="#fbfbf9",
    surface="#f4f4f1",
    panel="#e7e8e4",
    dark=False,
    variables={"faint": "#66717c", "cursor": "#cfe1f2", "cursor-blurred": "#e7e8e4", "rule": "#cfd2cd"},
)

_MONOCHROME_TERMINALS = ("dumb", "vt100", "vt102", "vt220", "ansi-m", "linux-m", "xterm-mono")


def without_colour() -> bool:
    """Whether NO_COLOR (https://no-color.org) is set or the terminal is known to have no colour."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM", "") in _MONOCHROME_TERMINALS


_ROW_STYLES = {
    "": "",
    "pass": "success",
    "fail": "bold error",
    "skip": "faint",
    "unknown": "bold warning",
    "sign-off": "bold accent",
    "broken": "bold error",
    "running": "primary",
    "heading": "bold primary",
    "guilty": "bold error",
    "strong": "bold",
    "faint": "faint",
    "added": "success",
    "removed": "error",
    "link": "accent",
    "cursor": "on cursor",
    "cursor-blurred": "on cursor-blurred",
}
"""What a row's styles are, in the words of Rich with the theme's variables for colours."""


def row_styles(variables: Mapping[str, str], *, colour: bool) -> dict[str, Style]:
    """The styles of rows in a theme, by name; without colour the selected row is shown reversed."""
    styles = {}
    for name, words in _ROW_STYLES.items():
        named = " ".join(variables.get(word, word) for word in words.split())
        styles[name] = Style.parse(named)
    if not colour:
        styles["cursor"] = Style(reverse=True)
        styles["cursor-blurred"] = Style(underline=True)
        styles["heading"] = Style(bold=True, underline=True)
    return styles
