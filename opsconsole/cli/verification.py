"""What `verify` does: plan, open the environment, work through it, report."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import click

from opsconsole import session as sessions
from opsconsole.config import Environment
from opsconsole.errors import EffectRefused
from opsconsole.lab.environment import NAME as LAB
from opsconsole.lab.environment import outline
from opsconsole.model import Entry
from opsconsole.runview import RunView
from opsconsole.session import Plan, Session
from opsconsole.store import Records, open_records

Progress = Callable[[str], None]
Reader = Callable[[Entry], None]
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


def perform(wish: Wish) -> int:
    """Verify as wished and return the exit code."""
    plan = _plan(wish)
    _check_reports(wish)
    records = open_records(wish.records)
    try:
        past = None
        if wish.resume:
            run = records.find(wish.resume)
            past = sessions.resumable(records, run, plan)
        job = Job(wish, plan, records, past)
        if wish.plain or wish.as_json or not _in_terminal():
            return asyncio.run(_in_lines(job))
        return _on_screen(job)
    finally:
        records.close()


@dataclass(frozen=True)
class Job:
    """A wish with all that could be prepared before any server is asked."""

    wish: Wish
    plan: Plan
    records: Records
    past: RunView | None
    begun: list[str] = field(default_factory=list)

    @property
    def effects(self) -> bool:
        protected = self.plan.environment.protected
        return not protected or self.wish.allow_effects == self.plan.environment.name

    @asynccontextmanager
    async def open(self, progress: Progress) -> AsyncIterator[Session]:
        """The environment, opened; the lab is started for it, and stopped at the end."""
        async with _environment(self.wish, self.plan.environment, progress) as environment:
            plan = replace(self.plan, environment=environment)
            async with sessions.open_session(
                plan, self.records, effects=self.effects, past=self.past
            ) as session:
                self.begun.append(session.recorder.run)
                yield session


def _plan(wish: Wish) -> Plan:
    if wish.environment == LAB:
        environment = outline()
    else:
        from opsconsole import config

        environment = config.load_environment(wish.environment, wish.config)
    if wish.allow_effects is not None and wish.allow_effects != wish.environment:
        raise EffectRefused(
            f"--allow-effects names {wish.allow_effects!r}, and the environment is {wish.environment!r}",
            hint="name the same environment twice: that is the consent",
        )
    return sessions.plan(environment, wish.select)


def _check_reports(wish: Wish) -> None:
    from opsconsole import reports

    for path in wish.reports.values():
        reports.check_writable(path)


@asynccontextmanager
async def _environment(wish: Wish, planned: Environment, progress: Progress) -> AsyncIterator[Environment]:
    if planned.name != LAB:
        yield planned
        return
    from opsconsole.lab import state
    from opsconsole.lab.environment import environment

    if not (wish.prometheus_version or wish.alertmanager_version) and (kept := state.kept()):
        yield environment(kept)
        return
    from opsconsole.lab import stack

    async with stack.running(wish.prometheus_version, wish.alertmanager_version, progress) as lab:
        yield environment(lab)


async def _in_lines(job: Job) -> int:
    """Plain lines or JSON lines; Ctrl-C and SIGTERM end the run, clean up and say how to go on."""
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, _cancel, asyncio.current_task())
    run = ""
    try:
        with _printing(job) as show:
            async with job.open(_tell) as session:
                run = session.recorder.run
                for entry in job.records.entries(run):
                    show(entry)
                session.recorder.add_reader(show)
                code = await session.verification.run()
    except asyncio.CancelledError:
        if run:
            _tell(f"interrupted; go on with: opsconsole verify --env {job.wish.environment} --resume {run}")
        return INTERRUPTED
    _write_reports(job, run)
    return code


def _cancel(task: "asyncio.Task[int] | None") -> None:
    if task is not None:
        task.cancel()


@contextmanager
def _printing(job: Job) -> Iterator[Reader]:
    """A reader that prints to standard output; what it still holds is printed at the end."""
    if job.wish.as_json:
        from opsconsole.reports.json import JsonReport

        yield JsonReport(sys.stdout)
        return
    from opsconsole.reports.text import TextReport

    report = TextReport(sys.stdout, hash_of=job.records.hash_of)
    try:
        yield report
    finally:
        report.close()


def _on_screen(job: Job) -> int:
    from opsconsole.tui.app import ConsoleApp

    environment = job.plan.environment
    app = ConsoleApp(
        open_session=job.open,
        environment=environment.name,
        protected=environment.protected,
        effects=job.effects,
    )
    code = app.run()
    if job.wish.reports and (run := next(iter(job.begun), "")):
        _write_reports(job, run)
    return INTERRUPTED if code is None else code


def _write_reports(job: Job, run: str) -> None:
    from opsconsole import reports

    for kind, path in job.wish.reports.items():
        head = job.records.summary(run).head
        reports.write(path, reports.render(kind, job.records.entries(run), head=head))


def _in_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb"


def _tell(text: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        click.echo(f"· {text}", err=True)
