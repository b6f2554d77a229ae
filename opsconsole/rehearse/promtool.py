"""promtool, run on files in memory: at most as many at once as there are processors."""

import asyncio
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from weakref import WeakKeyDictionary

from opsconsole.errors import MissingServer, Nonsense, TimedOut

AT_ONCE = min(4, os.cpu_count() or 1)
"""How many promtools run at once in this process."""

TEST_ENDING = "_test.yml"
"""How the names of the files that are tests end; the others are what they rest on."""

_MEMORY = Path("/dev/shm")  # noqa: S108, each run makes a folder of its own in it, for its user alone
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_ANSWERS = (0, 1)  # all tests passed; some failed
_LAST_WORDS = 400
_RESULT = re.compile(rb"^  (SUCCESS|FAILED:)$", re.MULTILINE)  # one line a file, in their order
_MOST_AT_A_TIME = 50
_slots: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


class Promtool:
    """One promtool program. `timeout_seconds` bounds each run of it."""

    def __init__(self, program: Path, *, timeout_seconds: float = 120.0) -> None:
        self.program = program
        self.timeout_seconds = timeout_seconds

    @cached_property
    def version(self) -> str:
        """Upstream's numbers, such as `3.5.0`. Raises MissingServer where the program does not tell them."""
        try:
            told = subprocess.run(
                [self.program, "--version"], capture_output=True, text=True, timeout=20, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise self._missing(str(error)) from None
        found = re.search(r"version v?(\d+(?:\.\d+)+)", told.stdout + told.stderr)
        if not found:
            raise self._missing("it does not tell its version")
        return found[1]

    async def run(self, files: Mapping[str, str]) -> str:
        """What `promtool test rules` says of the files whose names end in `_test.yml`, in their order.

        `files` are texts by name; all lie in one folder. What passes, passes in silence or nearly so. Raises
        MissingServer where the program cannot be started, TimedOut where it took too long, and Nonsense
        where it ended in another way than by an answer. Cancelled, it ends the process first.
        """
        async with _slot():
            with tempfile.TemporaryDirectory(dir=_folder(), prefix="opsconsole-") as name:
                folder = Path(name)
                for file, text in files.items():
                    (folder / file).write_text(text, encoding="utf-8")
                return await self._test(folder, [file for file in files if file.endswith(TEST_ENDING)])

    def passing(self, tests: Sequence[Path]) -> list[bool]:
        """Which of these unit tests pass where they lie. Raises MissingServer and TimedOut."""
        some = [tests[first : first + _MOST_AT_A_TIME] for first in range(0, len(tests), _MOST_AT_A_TIME)]
        with ThreadPoolExecutor(AT_ONCE) as threads:
            return [passed for each in threads.map(self._passing, some) for passed in each]

    def _passing(self, tests: Sequence[Path]) -> list[bool]:
        command: list[str | Path] = [self.program.absolute(), "test", "rules", *map(Path.absolute, tests)]
        with tempfile.TemporaryDirectory(dir=_folder(), prefix="opsconsole-") as name:
            try:
                done = subprocess.run(
                    command, env=_environment(Path(name)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT, timeout=self.timeout_seconds, check=False,
                )  # fmt: skip
            except subprocess.TimeoutExpired:
                raise self._too_slow() from None
            except OSError as error:
                raise self._missing(str(error)) from None
        told = [found[1] == b"SUCCESS" for found in _RESULT.finditer(done.stdout)]
        return told if len(told) == len(tests) else [done.returncode == 0] * len(tests)

    async def _test(self, folder: Path, tests: list[str]) -> str:
        try:
            process = await asyncio.create_subprocess_exec(
                self.program.absolute(), "test", "rules", *tests, cwd=folder, env=_environment(folder),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
        except OSError as error:
            raise self._missing(str(error)) from None
        try:
            said, _ = await asyncio.wait_for(process.communicate(), self.timeout_seconds)
        except TimeoutError:
            raise self._too_slow() from None
        finally:
            await _ended(process)
        output = said.decode("utf-8", "replace")
        if process.returncode not in _ANSWERS:
            raise Nonsense(
                f"it ended with {process.returncode}: {output.strip()[-_LAST_WORDS:] or 'without a word'}",
                where=str(self.program),
                hint="try another version of promtool; below 0: ended by a signal, often for want of memory",
            )
        return output

    def _too_slow(self) -> TimedOut:
        return TimedOut(
            f"no answer within {self.timeout_seconds:g} seconds",
            where=str(self.program),
            hint="a longer timeout, or fewer and shorter incidents at once",
        )

    def _missing(self, why: str) -> MissingServer:
        return MissingServer(
            f"promtool cannot be run: {why}",
            where=str(self.program),
            hint="install Debian's package `promtool` or `prometheus`, or name a promtool that runs here",
        )


def document(value: object) -> str:
    """A value as YAML, which JSON is, but for signs that YAML takes for line breaks or refuses."""
    text = json.dumps(value, ensure_ascii=False)
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def peak_bytes() -> int:
    """The most memory that this process and its children held, each at its own peak."""
    unit = 1 if sys.platform == "darwin" else 1024
    own, child = (
        resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return unit * (own + AT_ONCE * child)


def _slot() -> asyncio.Semaphore:
    return _slots.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))


def _folder() -> Path | None:
    return _MEMORY if _MEMORY.is_dir() and os.access(_MEMORY, os.W_OK | os.X_OK) else None


def _environment(folder: Path) -> dict[str, str]:
    """Nothing of ours but the path. Go collects seldom while there is little to collect, and on one thread,
    as the other processors have promtools of their own."""
    path = os.environ.get("PATH", os.defpath)
    here = {"PATH": path, "HOME": str(folder), "TMPDIR": str(folder)}
    return {**here, "GOGC": "800", "GOMEMLIMIT": "600MiB", "GOMAXPROCS": "1"}


async def _ended(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
