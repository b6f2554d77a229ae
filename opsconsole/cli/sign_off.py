"""`opsconsole sign-off`: a person's judgement on an item that waits for one."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opsconsole.cli import complete

if TYPE_CHECKING:
    from opsconsole.runview import RunView


@click.command()
@click.argument("run", shell_complete=complete.runs)
@click.argument("item", shell_complete=complete.items)
@click.option("--pass/--fail", "passed", default=None, help="The judgement.")
@click.option("--note", required=True, help="On what it rests.")
@click.option("--who", help="Who judges; else your login name.")
@click.option("--records", "path", type=click.Path(path_type=Path), help="Records elsewhere.")
def command(run: str, item: str, passed: bool | None, note: str, who: str | None, path: Path | None) -> None:
    """Sign ITEM of RUN, an item that waits at SIGN-OFF, with a name, a judgement and a note.

    RUN is a run's id, the beginning of one, or `last`. What is signed cannot be taken back: the records
    are only ever added to.
    """
    from contextlib import closing

    from opsconsole.engine.record import Recorder
    from opsconsole.errors import UsageError
    from opsconsole.model import SignedOff
    from opsconsole.reports.wording import signature, verdict
    from opsconsole.runview import RunView
    from opsconsole.store import open_records

    if passed is None:
        raise click.UsageError("Say --pass or --fail.")
    if not note.strip():
        raise UsageError("the note is empty", hint='say on what the judgement rests: --note "…"')
    who = (who or _login_name()).strip()
    with closing(open_records(path, read_only=True)) as records:
        id = records.find(run)
        view = RunView.of(records.entries(id))
        number = records.next_number(id)
    _must_wait(view, id, item)
    with closing(open_records(path)) as records:
        recorder = Recorder(id, records, number=number - 1)
        recorder.emit(SignedOff(item=item, who=who, passed=passed, note=note.strip(), by_person=True))
        view = RunView.of(records.entries(id))
    click.echo(f"{view.items[item].outcome}  {item}: {signature(view.items[item])}")
    click.echo(f"run {id}: {verdict(view)}")


def _must_wait(view: "RunView", run: str, item: str) -> None:
    from opsconsole.errors import UsageError
    from opsconsole.model import Outcome
    from opsconsole.nearest import nearest

    waiting = [id for id, seen in view.items.items() if seen.outcome is Outcome.SIGN_OFF]
    if item not in view.items:
        raise UsageError(f"no item {item!r} in run {run}", hint=nearest(item, view.items))
    if view.finished is None:
        raise UsageError(
            f"run {run} is not finished",
            hint="`opsconsole verify --resume` goes on with one that was cut off",
        )
    if item not in waiting:
        outcome = view.items[item].outcome or "not finished"
        raise UsageError(
            f"{item!r} does not wait for a sign-off: it is {outcome}",
            where=f"run {run}",
            hint=f"what waits: {', '.join(waiting) or 'nothing'}",
        )


def _login_name() -> str:
    import getpass

    from opsconsole.errors import UsageError

    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        raise UsageError("your login name is not known here", hint="say who judges: --who NAME") from None
