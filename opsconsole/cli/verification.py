"""What `verify` does: in lines or on a screen, which paints before it loads anything else."""

import asyncio
import importlib
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from opsconsole.errors import EffectRefused

if TYPE_CHECKING:
    from opsconsole.cli.job import Job
    from opsconsole.config import Environment
    from opsconsole.session import Session

LAB = "lab"
INTERRUPTED = 130


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the user asked for; `reports` maps a format to the file to write."""

    environment: str
    select: tuple[str, ...]
    plain: bool
    as_json: bool
    reports: dict[str, Path]
    allow_effects: str | None
    resume: str | None
    config: Path | None
    records: Path | None
    prometheus_version: str | None
    alertmanager_version: str | None

    def allows_effects(self, protected: bool) -> bool:
        """Whether checks that change something may run: in a protected environment by its name alone."""
        return not protected or self.allow_effects == self.environment

    @property
    def may_be_wrong(self) -> bool:
        """Whether it names something that may not be there, to be told before a screen opens."""
        return bool(self.select or self.resume or self.reports or self.records)


def perform(wish: Wish) -> int:
    """Verify as wished and return the exit code."""
    environment = None
    if wish.environment != LAB:
        from opsconsole import config

        environment = config.load_environment(wish.environment, wish.config)
    if wish.allow_effects is not None and wish.allow_effects != wish.environment:
        raise EffectRefused(
            f"--allow-effects names {wish.allow_effects!r}, and the environment is {wish.environment!r}",
            hint="name the same environment twice: that is the consent",
        )
    if not (wish.plain or wish.as_json) and in_terminal():
        return _on_screen(wish, environment)
    from opsconsole.cli import lines
    from opsconsole.cli.job import prepared

    with prepared(wish, environment) as job:
        return lines.verify(job)


def _on_screen(wish: Wish, environment: "Environment | None") -> int:
    from opsconsole.tui.app import ConsoleApp

    protected = environment is not None and environment.protected
    with ExitStack() as held:
        jobs: list[Job] = []

        def prepare() -> "Job":
            from opsconsole.cli.job import prepared

            jobs.append(held.enter_context(prepared(wish, environment)))
            return jobs[0]

        if wish.may_be_wrong:
            prepare()

        @asynccontextmanager
        async def open_session(progress: Callable[[str], None]) -> "AsyncIterator[Session]":
            await asyncio.to_thread(importlib.import_module, "opsconsole.cli.job")
            async with (jobs[0] if jobs else prepare()).open(progress) as session:
                yield session

        app = ConsoleApp(
            open_session=open_session,
            environment=wish.environment,
            protected=protected,
            effects=wish.allows_effects(protected),
        )
        code = app.run()
        for job in jobs:
            job.write_reports()
            job.tell_afterwards()
    return INTERRUPTED if code is None else code


def in_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"
