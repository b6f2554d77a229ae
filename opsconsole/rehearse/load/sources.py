"""The files that are named on the command line, and what cannot be read of them."""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from opsconsole.errors import ConfigError

Tell = Callable[[ConfigError], None]
"""Told each thing that cannot be read, with file and line, and what to do; the rest is read on."""

STANDARD_INPUT = "-"


def refuse(error: ConfigError) -> None:
    """A `Tell` for those who want all or nothing."""
    raise error


@dataclass(frozen=True, slots=True)
class Source:
    """The text of one file. `named`: somebody named the file itself, not a folder that it is in. The text
    begins after `lines_before` lines of the file."""

    file: str
    text: str
    named: bool = True
    lines_before: int = 0

    def wrong(self, message: str, line: int = 0, hint: str = "") -> ConfigError:
        """The error for something on a line of the text, counted from 1 (0: not known)."""
        where = f"{self.file}:{line + self.lines_before}" if line else self.file
        return ConfigError(message, where=where, hint=hint)


def sources(paths: Iterable[str | Path], endings: tuple[str, ...], tell: Tell) -> Iterator[Source]:
    """The files in the order of `paths`, each once; of a folder all files beneath it with these endings, but
    for those in hidden folders; `-` is standard input."""
    seen: set[Path] = set()
    for path in paths:
        if str(path) == STANDARD_INPUT:
            yield Source("<stdin>", sys.stdin.buffer.read().decode("utf-8-sig", errors="replace"))
            continue
        for file in _files(Path(path), endings, tell):
            if file.resolve() not in seen:
                seen.add(file.resolve())
                yield from _read(file, file == Path(path), tell)


def _files(path: Path, endings: tuple[str, ...], tell: Tell) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(
        file
        for ending in endings
        for file in path.rglob(f"*{ending}")
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
    )
    if not found:
        tell(ConfigError(f"there is no {' or '.join(endings)} file beneath it", where=str(path)))
    return found


def _read(file: Path, named: bool, tell: Tell) -> Iterator[Source]:
    try:
        yield Source(str(file), file.read_text(encoding="utf-8-sig"), named)
    except UnicodeDecodeError as error:
        tell(ConfigError(f"cannot be read: it is not UTF-8 ({error.reason})", where=str(file)))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        tell(ConfigError(f"cannot be read: {reason}", where=str(file)))
