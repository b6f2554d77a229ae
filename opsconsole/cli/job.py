"""A verification made ready: whatever can be wrong without asking a server is found here."""

import shlex
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace

import click

from opsconsole import reports
from opsconsole import session as sessions
from opsconsole.cli.verification import LAB, Wish
from opsconsole.config import Environment
from opsconsole.lab import environment as lab_environment
from opsconsole.lab import state
from opsconsole.reports.wording import afterwards, left_behind
from opsconsole.runview import RunView
from opsconsole.session import Plan, Session
from opsconsole.store import Records, open_records

Progress = Callable[[str], None]


@dataclass(frozen=True)
class Job:
    """A wish with its checklist, its records and, where it resumes one, the run so far. `begun` holds the
    run's id as soon as it has one."""

    wish: Wish
    plan: Plan
    records: Records
    past: RunView | None
    begun: list[str] = field(default_factory=list)

    @asynccontextmanager
    async def open(self, progress: Progress) -> AsyncIterator[Session]:
        """The environment, opened; the lab is started for it, and stopped at the end."""
        versions = self.wish.prometheus_version, self.wish.alertmanager_version
        async with at_work(self.plan.environment, progress, *versions) as environment:
            plan = replace(self.plan, environment=environment)
            effects = self.wish.allows_effects(environment.protected)
            async with sessions.open_session(plan, self.records, effects=effects, past=self.past) as session:
                self.begun.append(session.recorder.run)
                yield session

    def write_reports(self) -> None:
        """Write the reports wished for, of the run as it is now."""
        for run in self.begun:
            head = self.records.summary(run).head
            for kind, path in self.wish.reports.items():
                reports.write(path, reports.render(kind, self.records.entries(run), head=head))

    def tell_afterwards(self) -> None:
        """Print a line on the run for whoever has left its screen."""
        options = f" --records {shlex.quote(str(self.wish.records))}" if self.wish.records else ""
        for run in self.begun:
            view = RunView.of(self.records.entries(run))
            click.echo("\n".join([*left_behind(view), afterwards(view, options)]))


@contextmanager
def prepared(wish: Wish, environment: Environment | None) -> Iterator[Job]:
    """The wish made ready; closes the records at the end. `environment` None stands for the lab.

    Raises ChecklistError, RecordsError or UsageError: an item, a run or a report's place that is wrong.
    """
    plan = sessions.plan(environment or lab_environment.outline(), wish.select)
    for path in wish.reports.values():
        reports.check_writable(path)
    records = open_records(wish.records)
    try:
        past = sessions.resumable(records, records.find(wish.resume), plan) if wish.resume else None
        yield Job(wish, plan, records, past)
    finally:
        records.close()


@asynccontextmanager
async def at_work(
    planned: Environment,
    progress: Progress,
    prometheus_version: str | None = None,
    alertmanager_version: str | None = None,
) -> AsyncIterator[Environment]:
    """The environment as planned; for the lab the one that is kept, else one started for this block."""
    if planned.name != LAB:
        yield planned
        return
    if not (prometheus_version or alertmanager_version) and (kept := state.kept()):
        broken = f"; it is {kept.broken}" if kept.broken else ""
        progress(f"using the lab that is kept, in {kept.folder}{broken}")
        yield lab_environment.environment(kept)
        return
    from opsconsole.lab import stack

    async with stack.running(prometheus_version, alertmanager_version, progress) as lab:
        yield lab_environment.environment(lab)
