"""Open the file of the records, and say in plain words why it does not work."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

from opsconsole.errors import RecordsError

SCHEMA_VERSION = 1

BUSY_SECONDS = 10.0
"""How long one console waits for another that writes; an entry takes well under a millisecond."""

_ELSEWHERE = "`--records PATH` names another place"
_BEGIN = "`opsconsole verify` makes the first"
_HINTS = {
    sqlite3.SQLITE_FULL: f"make room on the disk; {_ELSEWHERE}",
    sqlite3.SQLITE_IOERR: f"the disk may be full or failing; {_ELSEWHERE}",
    sqlite3.SQLITE_READONLY: _ELSEWHERE,
    sqlite3.SQLITE_CANTOPEN: _ELSEWHERE,
    sqlite3.SQLITE_BUSY: "another program holds the records: end it and try again",
    sqlite3.SQLITE_NOTADB: f"move the file away to begin anew; {_ELSEWHERE}",
    sqlite3.SQLITE_CORRUPT: f"keep a copy of the file, it may be mended; {_ELSEWHERE}",
}


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """What SQLite and the operating system complain of, as RecordsError with the path and what to do."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        raise RecordsError(
            f"the records cannot be used: {error}", where=str(path), hint=_HINTS.get(code, "")
        ) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RecordsError(
            f"the records cannot be opened: {reason}", where=str(path), hint=_ELSEWHERE
        ) from error


def connect(path: Path, *, read_only: bool) -> sqlite3.Connection:
    """A connection to records that are there and of our version. Each statement is its own transaction."""
    with explained(path):
        if not read_only:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        elif not path.exists():
            raise RecordsError("there are no records yet", where=str(path), hint=_BEGIN)
        database = sqlite3.connect(
            _uri(path, read_only), uri=True, timeout=BUSY_SECONDS, isolation_level=None
        )
        try:
            _prepare(database, path, read_only)
        except BaseException:
            database.close()
            raise
    return database


def _uri(path: Path, read_only: bool) -> str:
    """In a folder that cannot be written, SQLite reads only what it is told that nobody writes."""
    mode = "rw"
    if read_only:
        still = not os.access(path.parent, os.W_OK) and not Path(f"{path}-wal").exists()
        mode = "ro&immutable=1" if still else "ro"
    return f"{path.absolute().as_uri()}?mode={mode}"


def _prepare(database: sqlite3.Connection, path: Path, read_only: bool) -> None:
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables and read_only:
        raise RecordsError("there are no records yet", where=str(path), hint=_BEGIN)
    if not tables:
        database.execute("PRAGMA journal_mode = WAL")
        schema = files("opsconsole.store").joinpath("schema.sql").read_text(encoding="utf-8")
        database.executescript(f"BEGIN IMMEDIATE;\n{schema}\nCOMMIT;")
    elif not tables >= {"schema_version", "entry"}:
        raise RecordsError("is the database of another program", where=str(path), hint=_ELSEWHERE)
    database.execute("PRAGMA synchronous = NORMAL")
    ((version,),) = database.execute("SELECT version FROM schema_version").fetchall()
    if version != SCHEMA_VERSION:
        raise RecordsError(
            f"the records are of version {version}, and this opsconsole knows version {SCHEMA_VERSION}",
            where=str(path),
            hint=f"a newer opsconsole wrote them: update this one; {_ELSEWHERE}",
        )
