"""Fifteen days of history for the lab's Prometheus, made once, kept in the user's cache and topped up.

The cache holds pieces of history, each a folder of TSDB blocks made by promtool: one for each day that is
over, and a few for today, each from where the last one ended. A lab gets links to all blocks.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from opsconsole.errors import LabError
from opsconsole.lab import past
from opsconsole.lab.past import DAY_SECONDS
from opsconsole.lab.servers import cache_folder
from opsconsole.lab.service import families, streams

DAYS = 15
STEP_SECONDS = 120
RECENT_STEP_SECONDS = 30
"""Today and yesterday: a panel of a day asks for rates over 100 s, and a rate needs two samples."""

GAP_SECONDS = 2 * STEP_SECONDS
"""A smaller gap than this between history and now is left: Prometheus looks back five minutes."""

TODAY_PIECES = 6
"""So many pieces make up today at most; then they are made into one."""

PROMTOOL_SECONDS = 120.0

Progress = Callable[[str], None]
Stretch = tuple[int, int]
"""Unix seconds, from the first to before the second."""


def provide(
    folder: Path, promtool: Path, *, seed: int, on_progress: Progress, now: float | None = None
) -> None:
    """Put the history up to now into `folder`, an empty TSDB folder that is made if need be.

    Takes about ten seconds the first time, said through `on_progress`, and a fraction of one later. Raises
    LabError where promtool fails or the cache cannot be written.
    """
    cache = cache_folder() / "history" / _key(seed)
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _locked(cache, on_progress):
            _bring_up_to(time.time() if now is None else now, cache, promtool, seed, on_progress)
            folder.mkdir(exist_ok=True)
            for stretch in _pieces(cache):
                for block in _piece(cache, stretch).iterdir():
                    shutil.copytree(block, folder / block.name, copy_function=_link)
    except OSError as error:
        hint = "XDG_CACHE_HOME names another place for the cache"
        raise LabError(f"the history cannot be kept: {error}", where=str(cache), hint=hint) from error


def _bring_up_to(now: float, cache: Path, promtool: Path, seed: int, tell: Progress) -> None:
    present = _pieces(cache)
    wanted = wanted_pieces(now, present)
    for stretch in set(present) - set(wanted):
        shutil.rmtree(_piece(cache, stretch))
    missing = [stretch for stretch in wanted if stretch not in present]
    if len(missing) > 2:
        tell(f"making {DAYS} days of history for Prometheus, once (about 10 s)")
    with ThreadPoolExecutor(2) as workers:
        list(workers.map(lambda stretch: _make_piece(cache, stretch, promtool, seed, now), missing))


def wanted_pieces(now: float, present: list[Stretch]) -> list[Stretch]:
    """The pieces that make up the history at this moment, with those of today that are there already."""
    end = int(now) // STEP_SECONDS * STEP_SECONDS + STEP_SECONDS
    today = int(now) // DAY_SECONDS * DAY_SECONDS
    first = (int(now) - DAYS * DAY_SECONDS) // DAY_SECONDS * DAY_SECONDS
    days = [(day, day + DAY_SECONDS) for day in range(first, today, DAY_SECONDS)]
    parts: list[Stretch] = []
    reached = today
    for start, stop in sorted(present):
        if start == reached and stop <= end:
            parts.append((start, stop))
            reached = stop
    if end - reached >= GAP_SECONDS or not parts:
        parts = [*parts, (reached, end)] if len(parts) < TODAY_PIECES else [(today, end)]
    return [*days, *parts]


def _make_piece(cache: Path, stretch: Stretch, promtool: Path, seed: int, now: float) -> None:
    with tempfile.TemporaryDirectory(dir=cache, prefix=".making-") as scratch:
        text, blocks = Path(scratch) / "samples", Path(scratch) / "blocks"
        with text.open("w", encoding="utf-8") as file:
            # The incident of a day shows when the day is over: none is ever under way when a lab starts.
            calm_from = stretch[1] // DAY_SECONDS * DAY_SECONDS
            step = RECENT_STEP_SECONDS if stretch[1] > now - DAY_SECONDS else STEP_SECONDS
            stop = min(stretch[1], int(now) + 1)  # Prometheus takes nothing older than what it holds already
            file.writelines(past.exposition(seed, range(stretch[0], stop, step), calm_from))
        blocks.mkdir()
        command: list[str | Path] = [promtool, "tsdb", "create-blocks-from", "openmetrics", "--quiet"]
        # Hidden in promtool's help. Without it there is a block for every two hours, 30 times as slow.
        command += ["--max-block-duration=360h", text, blocks]
        try:
            made = subprocess.run(
                command, capture_output=True, text=True, timeout=PROMTOOL_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise LabError(f"promtool cannot make the history: {error}", where=str(promtool)) from error
        if made.returncode:
            raise LabError(
                "promtool cannot make the history", where=str(promtool), hint=made.stderr.strip()[-500:]
            )
        blocks.rename(_piece(cache, stretch))


def _pieces(cache: Path) -> list[Stretch]:
    names = (re.fullmatch(r"(\d+)-(\d+)", path.name) for path in cache.iterdir())
    return sorted((int(name[1]), int(name[2])) for name in names if name)


def _piece(cache: Path, stretch: Stretch) -> Path:
    return cache / f"{stretch[0]}-{stretch[1]}"


def _link(source: str, target: str) -> str:
    """A hard link, or a copy where the cache is on another file system. No server writes into a block."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target


def _key(seed: int) -> str:
    """What the history depends on: what makes it, and the seed."""
    digest = hashlib.sha256(f"{seed} {STEP_SECONDS} {RECENT_STEP_SECONDS}".encode())
    for module in (past, streams, families):
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()[:16]


@contextmanager
def _locked(cache: Path, tell: Progress) -> Iterator[None]:
    """One process at a time; what a killed one or an older generator has left is removed."""
    with (cache.parent / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("waiting for another lab that makes the history")
            fcntl.flock(lock, fcntl.LOCK_EX)
        cache.mkdir(exist_ok=True)
        for left in (
            *cache.glob(".making-*"),
            *(other for other in cache.parent.iterdir() if other.is_dir()),
        ):
            if left != cache:
                shutil.rmtree(left, ignore_errors=True)
        yield
