"""A TOML file that knows on which line each of its keys stands, and holds no secret."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from opsconsole.errors import ConfigError
from opsconsole.redaction import looks_secret

Keys = tuple[str, ...]

SECRET_HINT = 'name where it is kept: "env:NAME", "file:PATH" or "keyring:SERVICE/USER"'

LARGEST_BYTES = 1024 * 1024
_LONGEST_STATEMENT_LINES = 200
_DEEPEST = 32


@dataclass(frozen=True)
class TomlFile:
    """The file's data, and the line on which each key or table begins."""

    path: Path
    data: dict[str, Any]
    lines: Mapping[Keys, int]

    @classmethod
    def read(cls, path: Path) -> "TomlFile":
        """Read and parse. Raises ConfigError with the line for broken TOML and for a secret anywhere."""
        text = _text(path)
        for number, line in enumerate(text.split("\n"), 1):
            if looks_secret(line):
                raise ConfigError(
                    "this line holds what looks like a secret: none may stand in the configuration",
                    where=f"{path}:{number}",
                    hint=f"{SECRET_HINT}; then change the secret, for it has been in a file",
                )
        return cls(path, _parse(text, path), _lines(text))

    def line(self, keys: Keys) -> int:
        """The line of a key or table; of the nearest thing around it where it has none of its own."""
        return next((self.lines[keys[:n]] for n in range(len(keys), 0, -1) if keys[:n] in self.lines), 1)

    def place(self, keys: Keys) -> str:
        return f"{self.path}:{self.line(keys)}"

    def wrong(self, keys: Keys, message: str, hint: str = "", *, table: Keys | None = None) -> NoReturn:
        """Raise ConfigError about `keys`, naming the table that they are in (`table`: another one)."""
        table = keys[:-1] if table is None else table
        where = f"{self.place(keys)}: [{'.'.join(table)}]" if table else self.place(keys)
        raise ConfigError(message, where=where, hint=hint) from None


def _text(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            raw = stream.read(LARGEST_BYTES + 1)
        text = raw.decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(
            "there is no such file", where=str(path), hint="opsconsole init writes one"
        ) from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"is not UTF-8 text, at byte {error.start}", where=str(path)) from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot be read: {error}", where=str(path)) from error
    if len(raw) > LARGEST_BYTES:
        raise ConfigError("is larger than 1 MiB: no configuration", where=str(path))
    return text.replace("\r\n", "\n")


def _parse(text: str, path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        message, _, position = str(error).partition(" (at ")
        found = re.match(r"line (\d+), column (\d+)", position)
        line, column = (found[1], f", column {found[2]}") if found else (text.count("\n") + 1, "")
        raise ConfigError(
            f"is no valid TOML: {message[:1].lower()}{message[1:]}{column}", where=f"{path}:{line}"
        ) from None
    except (ValueError, RecursionError):
        raise ConfigError("holds a value too large or too deep to be meant", where=str(path)) from None


def _lines(text: str) -> dict[Keys, int]:
    """The first line of every key and table of valid TOML. What follows a statement of more than 200 lines
    is left out."""
    lines: dict[Keys, int] = {}
    table: Keys = ()
    for number, statement in _statements(text):
        keys = list(_keys(tomllib.loads(statement)))
        is_header = statement.lstrip().startswith("[")
        if is_header:
            table = max(keys, key=len, default=())
        for inner in keys:
            lines.setdefault(inner if is_header else (*table, *inner), number)
    return lines


def _statements(text: str) -> Iterator[tuple[int, str]]:
    """Each header or key with its value, alone, and the line on which it begins."""
    begun, first = "", 1
    for number, line in enumerate(text.split("\n"), 1):
        first = first if begun else number
        begun = f"{begun}\n{line}" if begun else line
        try:
            tomllib.loads(begun)
        except (ValueError, RecursionError):
            if number - first >= _LONGEST_STATEMENT_LINES:
                return
        else:
            yield first, begun
            begun = ""


def _keys(value: Any, depth: int = _DEEPEST) -> Iterator[Keys]:
    """The paths of all keys in `value`, tables in lists left out."""
    if isinstance(value, dict) and depth:
        for key, inner in value.items():
            yield (key,)
            yield from ((key, *deeper) for deeper in _keys(inner, depth - 1))
