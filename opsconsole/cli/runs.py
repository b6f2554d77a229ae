"""`opsconsole runs`: what was recorded."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opsconsole.cli import complete

if TYPE_CHECKING:
    from opsconsole.runview import RunView
    from opsconsole.store import Records, RunSummary

_KIND = len("alert-test")

_records_option = click.option(
    "--records", "path", type=click.Path(path_type=Path), help="Records elsewhere than in the state folder."
)


@click.group()
def command() -> None:
    """List, show, compare, export and prove recorded runs.

    RUN is a run's id, the beginning of one, `last`, or `last~1` for the one before it.
    """


@command.command("list")
@click.option("--env", "environment", help="Only runs of this environment.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="At most so many.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@_records_option
def list_runs(environment: str | None, limit: int, as_json: bool, path: Path | None) -> None:
    """List the last runs, the newest first."""
    with _opened(path) as records:
        summaries = records.runs(limit, environment)
    if as_json:
        import msgspec

        click.echo(msgspec.json.format(msgspec.json.encode(summaries), indent=2))
        return
    width = max((len(summary.environment) for summary in summaries), default=0)
    for summary in summaries:
        click.echo(_summary_line(summary, width))


@command.command()
@click.argument("run", shell_complete=complete.runs)
@click.option("--evidence", is_flag=True, help="With what was seen and every request as a curl line.")
@click.option("--json", "as_json", is_flag=True, help="The events, one line of JSON each.")
@_records_option
def show(run: str, evidence: bool, as_json: bool, path: Path | None) -> None:
    """Show a run as it was shown when it went on."""
    import sys

    from opsconsole.reports.json import JsonReport
    from opsconsole.reports.text import TextReport

    with _opened(path) as records:
        entries = records.entries(records.find(run))
        if as_json:
            as_lines = JsonReport(sys.stdout)
            for entry in entries:
                as_lines(entry)
            return
        report = TextReport(sys.stdout, hash_of=records.hash_of, evidence=evidence)
        for entry in entries:
            report(entry)
        report.close()


@command.command()
@click.argument("before", shell_complete=complete.runs)
@click.argument("after", shell_complete=complete.runs)
@_records_option
@click.pass_context
def diff(context: click.Context, before: str, after: str, path: Path | None) -> None:
    """Tell what is different between two runs.

    Outcomes, findings, versions; of alert tests also where each stopped. Durations are told as well, and the
    times of each hop after the cause; by themselves they make no difference. Exit codes: 0 the same, 1
    different.
    """
    from opsconsole.reports.compare import compare, same

    with _opened(path) as records:
        old, new = _view(records, before), _view(records, after)
    for sign, view in (("-", old), ("+", new)):
        if view.start is not None:
            click.echo(f"{sign} {_frame(view)}")
    changes = compare(old, new)
    for change in changes:
        click.echo(change)
    if same(changes):
        click.echo("the same")
        return
    context.exit(1)


@command.command()
@click.argument("run", shell_complete=complete.runs)
@click.option(
    "--format", required=True, type=click.Choice(["json", "junit", "markdown", "html"]), help="The form."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="A file; else standard output.")
@_records_option
def export(run: str, format: str, output: Path | None, path: Path | None) -> None:
    """Write a run as a document."""
    from opsconsole import reports

    if output is not None:
        reports.check_writable(output)
    with _opened(path) as records:
        id = records.find(run)
        document = reports.render(format, records.entries(id), head=records.summary(id).head)
    if output is None:
        click.echo(document, nl=False)
    else:
        reports.write(output, document)


@command.command()
@click.option("--head", help="A hash that a report printed: must still be in the chain.")
@_records_option
@click.pass_context
def verify(context: click.Context, head: str | None, path: Path | None) -> None:
    """Prove that the records are as they were written.

    Computes the chain of hashes again. It finds every entry that was changed, inserted, moved or removed,
    except that entries may be missing at the end: name the hash after "Records:" in a report as --head to
    prove that this report's run, and all before it, are still there. Exit codes: 0 whole, 1 broken.
    """
    with _opened(path) as records:
        proof = records.verify()
        missing = head is not None and not records.holds(head)
    click.echo(f"{proof.entries} entries of {proof.runs} runs, head {proof.head}")
    if proof.first_broken is not None:
        click.echo(f"BROKEN at {proof.first_broken}")
    if missing:
        click.echo(f"MISSING: no entry has the hash {head}")
    if proof.first_broken is not None or missing:
        context.exit(1)
    click.echo("whole: every entry follows from the one before it")


def _opened(path: Path | None) -> "AbstractContextManager[Records]":
    from contextlib import closing

    from opsconsole.store import open_records

    return closing(open_records(path, read_only=True))


def _view(records: "Records", run: str) -> "RunView":
    from opsconsole.runview import RunView

    return RunView.of(records.entries(records.find(run)))


def _frame(view: "RunView") -> str:
    from opsconsole.reports.wording import counts, moment

    start = view.start
    what = (start.run, moment(view.started_at), start.kind, start.environment) if start else ()
    return "  ".join((*what, counts(view)))


def _summary_line(summary: "RunSummary", width: int) -> str:
    from opsconsole.reports.wording import moment, one_line

    end = "cut off" if summary.exit_code is None else f"exit {summary.exit_code}"
    counted = ", ".join(f"{count} {outcome}" for outcome, count in summary.outcomes.items())
    begun = (summary.run, moment(summary.started_at), f"{one_line(summary.kind):<{_KIND}}")
    where = f"{one_line(summary.environment):<{width}}"
    return "  ".join((*begun, where, f"{end:<7}", one_line(summary.who), counted))
