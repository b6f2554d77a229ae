"""What `rehearse` does: in lines or on a screen, on files, on an environment's servers, or on the lab."""

import asyncio
import errno
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from opsconsole.cli.verification import LAB, in_terminal
from opsconsole.errors import UsageError

if TYPE_CHECKING:
    from opsconsole.cli.material import Files
    from opsconsole.config import Environment
    from opsconsole.rehearse.backtest import BackTests
    from opsconsole.rehearse.model import Rehearsal, Verdict
    from opsconsole.rehearse.promtool import Promtool
    from opsconsole.reports.rehearsal import Setting

Progress = Callable[[str], None]
OnVerdict = Callable[["Verdict"], None]
OnTotal = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the user asked for; `reports` maps a format to the file to write."""

    environment: str | None
    rules: tuple[Path, ...]
    dashboards: tuple[Path, ...]
    metrics: tuple[Path, ...]
    select: tuple[str, ...]
    backtest: bool
    plain: bool
    as_json: bool
    reports: dict[str, Path]
    write_tests: Path | None
    config: Path | None
    prometheus_version: str | None

    @property
    def named_files(self) -> bool:
        """Whether files are rehearsed, and not what an environment has."""
        return bool(self.rules or self.dashboards)

    @property
    def asked_environment(self) -> str | None:
        """The environment that is asked: the lab where nothing else is named."""
        return self.environment or (None if self.named_files else LAB)

    def check(self) -> None:
        """Raise UsageError for options that do not go together."""
        if self.metrics and self.environment:
            raise UsageError(
                "--metrics and --env both say what is true about the series", hint="name one of them"
            )
        if self.metrics and not self.named_files:
            raise UsageError("--metrics alone names nothing to rehearse", hint="add --rules or --dashboard")
        if not self.backtest:
            return
        if self.asked_environment is None:
            raise UsageError("--backtest needs the history of an environment", hint="add --env NAME")
        given = {
            "--dashboard": self.dashboards,
            "--write-tests": self.write_tests,
            **{f"--{kind}": path for kind, path in self.reports.items()},
        }
        if wrong := [option for option, value in given.items() if value]:
            raise UsageError(f"{wrong[0]} does not go with --backtest: it gives no verdicts")


def perform(wish: Wish) -> int:
    """Rehearse as wished and return the exit code."""
    from opsconsole.cli import material

    wish.check()
    _check_places(wish)
    files = material.read(wish.rules, wish.dashboards)
    performance = Performance(wish, files, _planned(wish))
    if not (wish.plain or wish.as_json or wish.backtest) and in_terminal():
        return _on_screen(performance)
    from opsconsole.cli import rehearsed

    return rehearsed.backtest(performance) if wish.backtest else rehearsed.rehearsal(performance)


@dataclass(frozen=True)
class Performance:
    """A rehearsal that is ready to begin; `planned` is None where no environment is asked."""

    wish: Wish
    files: "Files"
    planned: "Environment | None"

    async def rehearsal(
        self, progress: Progress, on_verdict: OnVerdict, on_total: OnTotal = lambda _: None
    ) -> "Rehearsal":
        """Rehearse; `on_verdict` gets each verdict as it comes, `on_total` before them how many will come.
        Writes the reports and tests wished for."""
        from opsconsole.cli.material import gathered
        from opsconsole.rehearse.verdicts import rehearse

        promtool = await self.promtool(progress)
        async with (
            self._environment(progress) as environment,
            gathered(self.wish, self.files, environment, progress) as material,
        ):
            progress(material.told)
            on_total(sum(bool(rule.alert) for rule in material.rules) + len(material.panels))
            done = await rehearse(
                material.rules,
                material.panels,
                material.schema,
                promtool,
                on_verdict=on_verdict,
                shows=material.shows,
            )
            done = await material.with_onward(done, progress)
        await asyncio.to_thread(self._write, done, promtool, progress)
        return done

    async def promtool(self, progress: Progress) -> "Promtool":
        """That of the version wished for, made ready where it is not yet."""
        from opsconsole.rehearse.promtool import Promtool

        return Promtool(await asyncio.to_thread(_promtool, self.wish.prometheus_version, progress))

    async def backtest(self, progress: Progress) -> "BackTests":
        """When each alert would have fired, and with files what they would change."""
        from opsconsole.cli.material import backtested

        async with self._environment(progress) as environment:
            return await backtested(self.wish, self.files, environment, progress)

    def exit_code(self, rehearsal: "Rehearsal") -> int:
        """That of the rehearsal; where nothing of it is bad and a part of the files could not be read, 2."""
        from opsconsole.rehearse.model import exit_code

        code = exit_code(rehearsal)
        return 2 if self.files.wrong and code != 1 else code

    def backtest_exit_code(self, done: "BackTests") -> int:
        """0, or 3 where a rule could not be back-tested or there was none; 2 as above."""
        tests = (*done.tests, *done.proposed)
        return 2 if self.files.wrong else 3 if not tests or any(test.error for test in tests) else 0

    @asynccontextmanager
    async def _environment(self, progress: Progress) -> AsyncIterator["Environment | None"]:
        if self.planned is None:
            yield None
            return
        from opsconsole.cli.job import at_work

        async with at_work(self.planned, progress, self.wish.prometheus_version) as environment:
            yield environment

    def _write(self, rehearsal: "Rehearsal", promtool: "Promtool", progress: Progress) -> None:
        from opsconsole import reports
        from opsconsole.reports.rehearsal import render

        for kind, path in self.wish.reports.items():
            reports.write(path, render(kind, rehearsal, setting()))
        if folder := self.wish.write_tests:
            from opsconsole.rehearse.proof import write_tests

            try:
                written = write_tests(folder, rehearsal.verdicts, promtool)
            except OSError as error:
                raise _no_tests(folder, error) from error
            progress(
                f"{len(written)} unit tests in {folder}; to run them: promtool test rules {folder}/*.yml"
            )


def _on_screen(performance: Performance) -> int:
    from opsconsole.cli import rehearsed_on_screen

    return rehearsed_on_screen.rehearsal(performance)


def _planned(wish: Wish) -> "Environment | None":
    if (name := wish.asked_environment) is None:
        return None
    if name == LAB:
        from opsconsole.lab.environment import outline

        return outline()
    from opsconsole import config

    return config.load_environment(name, wish.config)


def _promtool(version: str | None, progress: Progress) -> Path:
    from opsconsole.lab.servers import find_promtool

    return find_promtool(version, progress)


def setting() -> "Setting":
    """Now, and the root of the checkout that the working folder is in, else that folder."""
    from opsconsole.reports.rehearsal import Setting

    here = Path.cwd().resolve()
    root = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)
    return Setting(at=time.time(), root=root)


def _check_places(wish: Wish) -> None:
    """Raise UsageError, before anything begins, where something could not be written at its end."""
    from opsconsole import reports

    given = {path.resolve() for path in (*wish.rules, *wish.dashboards, *wish.metrics)}
    for kind, path in wish.reports.items():
        if path.resolve() in given:
            raise UsageError(
                f"--{kind} would overwrite a file that is rehearsed", where=str(path), hint="name another"
            )
        reports.check_writable(path)
    if folder := wish.write_tests:
        there = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.exists())
        if not there.is_dir():
            raise UsageError(
                "is a file, and the tests go into a folder", where=str(there), hint="name another"
            )
        if not os.access(there, os.W_OK | os.X_OK):
            raise _no_tests(there, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def _no_tests(folder: Path, error: OSError) -> UsageError:
    reason = (error.strerror or str(error)).lower()
    return UsageError(f"the tests cannot be written: {reason}", where=str(folder), hint="name another folder")
