"""What `alert-test` does: in lines or on a screen, on an environment's servers or on a lab of its own."""

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from opsconsole.cli.acting import Stage, act, consented
from opsconsole.cli.lines import tell
from opsconsole.cli.verification import INTERRUPTED, LAB, in_terminal
from opsconsole.errors import UsageError

if TYPE_CHECKING:
    from opsconsole.config import Environment
    from opsconsole.engine.checklist import Checklist
    from opsconsole.walkthrough.session import DrillSession

Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What the user asked for; `reports` maps a format to the file to write."""

    alerts: tuple[str, ...]
    environment: str
    plan_only: bool
    plain: bool
    as_json: bool
    watch: str | None
    unmodified: bool
    reports: dict[str, Path]
    allow_effects: str | None
    config: Path | None
    records: Path | None
    prometheus_version: str | None
    alertmanager_version: str | None

    @property
    def watch_seconds(self) -> float | None:
        """For how long to watch what cannot be brought about. Raises UsageError."""
        from opsconsole.clients.wire import seconds

        try:
            watched = seconds(self.watch) if self.watch is not None else None
        except ValueError as error:
            raise UsageError(f"--watch: {error}", hint="such as 30m or 1h") from None
        if watched == 0:
            raise UsageError("--watch: to watch for no time shows nothing", hint="such as 30m or 1h")
        if watched and self.unmodified:
            raise UsageError("--watch waits for what happens, and --unmodified makes it up: name one of them")
        return watched


def perform(wish: Wish) -> int:
    """Test as wished and return the exit code."""
    from opsconsole import reports, session
    from opsconsole.lab import environment as labs

    planned = labs.outline() if wish.environment == LAB else _configured(wish)
    if wish.unmodified and wish.environment != LAB:
        raise UsageError("--unmodified is for the lab", hint="elsewhere rules are never modified")
    consented(planned.name, planned.protected and not wish.plan_only, wish.allow_effects)
    wish.watch_seconds  # noqa: B018 - a wrong one is told before anything begins
    checklist = session.plan(planned).checklist
    for path in wish.reports.values():
        reports.check_writable(path)
    if not (wish.plain or wish.as_json or wish.plan_only) and in_terminal():
        return _on_screen(wish, planned, checklist)
    return act(wish.records, wish.as_json, lambda stage: _work(wish, planned, checklist, stage))


async def _work(wish: Wish, planned: "Environment", checklist: "Checklist", stage: Stage) -> int:
    try:
        async with _opened(wish, planned, checklist, stage, tell) as session:
            await session.verification.prepare()
            if wish.plan_only:
                return session.verification.only_plan()
            return await session.verification.run()
    finally:
        _write_reports(wish, stage)


@asynccontextmanager
async def _opened(
    wish: Wish, planned: "Environment", checklist: "Checklist", stage: Stage, progress: Progress
) -> AsyncIterator["DrillSession"]:
    from opsconsole.walkthrough.session import open_drill

    began_at = time.time()
    async with (
        _environment(wish, planned, progress) as environment,
        open_drill(
            environment, checklist, stage.records, stage.new_run(),
            alerts=wish.alerts, watch_seconds=wish.watch_seconds,
            incidents=_incidents() if wish.unmodified else None, began_at=began_at,
        ) as session,
    ):  # fmt: skip
        yield session


@asynccontextmanager
async def _environment(
    wish: Wish, planned: "Environment", progress: Progress
) -> AsyncIterator["Environment"]:
    """The environment; in the lab one whose rules are the same with their durations shortened."""
    if planned.name != LAB:
        yield planned
        return
    from opsconsole.lab import environment as labs
    from opsconsole.lab import stack, state

    chosen = wish.prometheus_version or wish.alertmanager_version
    if not (chosen or wish.unmodified) and (kept := state.kept(drill=True)):
        broken = f"; it is {kept.broken}" if kept.broken else ""
        progress(f"using the drill lab that is kept, in {kept.folder}{broken}")
        yield labs.environment(kept)
        return
    versions = wish.prometheus_version, wish.alertmanager_version
    async with stack.running(*versions, progress, drill=True, incident=wish.unmodified) as lab:
        yield labs.environment(lab)


def _incidents() -> dict[str, str]:
    from opsconsole.lab.incidents import INCIDENTS

    return {alert: incident.said for alert, incident in INCIDENTS.items()}


def _configured(wish: Wish) -> "Environment":
    from opsconsole import config

    return config.load_environment(wish.environment, wish.config)


def _write_reports(wish: Wish, stage: Stage) -> None:
    from opsconsole import reports

    for run in stage.begun if wish.reports else ():
        if stage.records.next_number(run) == 1:  # it was refused before it began
            continue
        head = stage.records.summary(run).head
        for kind, path in wish.reports.items():
            reports.write(path, reports.render(kind, stage.records.entries(run), head=head))


def _on_screen(wish: Wish, planned: "Environment", checklist: "Checklist") -> int:
    import click

    from opsconsole.reports.wording import afterwards, left_behind
    from opsconsole.runview import RunView
    from opsconsole.store import open_records
    from opsconsole.tui.app import ConsoleApp

    records = open_records(wish.records)
    stage = Stage(records, lambda entry: None)
    try:
        app = ConsoleApp(
            open_session=lambda progress: _opened(wish, planned, checklist, stage, progress),
            environment=planned.name,
            protected=planned.protected,
            effects=True,
            kind="alert-test",
            start=planned.name == LAB,
        )
        code = app.run()
        _write_reports(wish, stage)
        for run in stage.begun:
            if records.next_number(run) == 1:  # it was refused before it began
                continue
            view = RunView.of(records.entries(run))
            click.echo("\n".join([*left_behind(view), afterwards(view)]))
    finally:
        records.close()
    return INTERRUPTED if code is None else code
