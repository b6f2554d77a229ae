"""Reports: readers of a run's events as they come (text, JSON), and documents made of a whole run.

`render` and `write` make a document of a run that is there; `check_writable` says before a run starts
whether its report can be written after it.
"""

import importlib
import io
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

from opsconsole.errors import UsageError
from opsconsole.model import Entry

Reader = Callable[[Entry], None]

FORMATS = ("text", "json", "junit", "markdown", "html")


def render(format: str, entries: Iterable[Entry], *, head: str = "") -> str:
    """The run that `entries` tell of, as a document in one of FORMATS; the same entries give the same text.

    `head` is the hash of the run's last entry (`RunSummary.head`), printed where the format has a place.
    """
    if format in ("text", "json"):
        return _as_read(format, entries, head)
    from opsconsole.runview import RunView

    module = importlib.import_module(f"opsconsole.reports.{format}")
    document: str = module.document(RunView.of(entries), head=head)
    return document


def _as_read(format: str, entries: Iterable[Entry], head: str) -> str:
    stream = io.StringIO()
    if format == "json":
        from opsconsole.reports.json import JsonReport

        as_json = JsonReport(stream)
        for entry in entries:
            as_json(entry)
    else:
        from opsconsole.reports.text import TextReport

        as_text = TextReport(stream, hash_of=(lambda entry: head) if head else None)
        for entry in entries:
            as_text(entry)
        as_text.close()
    return stream.getvalue()


def check_writable(path: Path) -> None:
    """Raise UsageError if no file can be written at `path`. Leaves nothing behind."""
    path = path.resolve()
    if _is_device(path):
        return
    if path.is_dir():
        raise UsageError("is a folder, not a file", where=str(path), hint="name the file as well")
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}."):
            pass
    except OSError as error:
        raise _unwritable(path, error) from error


def write(path: Path, text: str) -> None:
    """Put `text` at `path`, whole or not at all. Raises UsageError where that cannot be done."""
    path, temporary = path.resolve(), None
    try:
        if _is_device(path):
            path.write_text(text, encoding="utf-8")
            return
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(0o644 & ~_umask())
        temporary.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def _is_device(path: Path) -> bool:
    """/dev/stdout, a pipe: written to as it is, never replaced by a file."""
    return path.exists() and not path.is_file() and not path.is_dir()


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _unwritable(path: Path, error: OSError) -> UsageError:
    reason = (error.strerror or str(error)).lower()
    return UsageError(f"the report cannot be written: {reason}", where=str(path), hint="name another file")
