"""`opsconsole alert`: a test alert straight to Alertmanager, to test a route alone."""

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from opsconsole.cli import complete

if TYPE_CHECKING:
    from opsconsole.cli.acting import Stage
    from opsconsole.config import Environment
    from opsconsole.model import Entry

FILE = click.Path(dir_okay=False, path_type=Path)
LAB = "lab"
GUIDES_LABELS = {"alertname": "BillingTestAlert", "component": "billing", "severity": "info"}
GUIDES_SUMMARY = "Test billing alert"

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")


@click.group("alert", short_help="Send a test alert straight to Alertmanager and follow it.")
def command() -> None:
    """Test a route of Alertmanager alone, with an alert that no rule has to fire."""


@command.command()
@click.argument("labels", nargs=-1, metavar="[LABEL=VALUE]...")
@click.option(
    "--env",
    "environment",
    default=LAB,
    metavar="NAME",
    shell_complete=complete.environments,
    help="The environment (default: lab).",
)
@click.option(
    "--annotation",
    "annotations",
    multiple=True,
    metavar="NAME=VALUE",
    help="An annotation of the alert; may be given several times.",
)
@click.option("--plain", is_flag=True, help="One line a hop, which is the default.")
@click.option("--json", "as_json", is_flag=True, help="Events as JSON lines, as they come.")
@click.option(
    "--allow-effects",
    metavar="NAME",
    shell_complete=complete.environments,
    help="Allow it in a protected environment.",
)
@click.option(
    "--config", type=FILE, help="The configuration (default: opsconsole.toml, found upwards from here)."
)
@click.option("--records", type=FILE, help="The records (default: in the user's state folder).")
def send(
    labels: tuple[str, ...],
    environment: str,
    annotations: tuple[str, ...],
    plain: bool,
    as_json: bool,
    allow_effects: str | None,
    config: Path | None,
    records: Path | None,
) -> int:
    """Send a test alert with these labels to Alertmanager (API v2), and follow it to everybody who gets it.

    Without labels it is alertname=BillingTestAlert component=billing severity=info. First comes the way that
    it will take, and the same alert as a curl line and as an amtool line. Then it is sent, marked with the
    run's id in the label opsconsole_run and with a summary that begins "DRILL"; seen in Alertmanager and in
    the mailboxes; and taken back, until Alertmanager holds it no more and the resolved notice is there.
    """
    from opsconsole.cli import acting
    from opsconsole.walkthrough.way import TestAlert

    alert = TestAlert(
        _labels(labels) if labels else GUIDES_LABELS,
        {"summary": GUIDES_SUMMARY, **_pairs(annotations, "annotation", empty=True)},
    )
    planned = _environment(environment, config)
    acting.consented(environment, planned.protected, allow_effects)

    async def work(stage: "Stage") -> int:
        from opsconsole.cli.job import at_work
        from opsconsole.cli.lines import tell
        from opsconsole.walkthrough.send import open_sending

        async with at_work(planned, tell) as opened:
            recorder = stage.new_run()
            if not as_json:
                recorder.add_reader(_showing_the_way())
            async with open_sending(opened, recorder, alert) as sending:
                return await sending.run()

    return acting.act(records, as_json, work)


def _environment(name: str, path: Path | None) -> "Environment":
    from opsconsole import config
    from opsconsole.lab.environment import outline

    return outline() if name == LAB else config.load_environment(name, path)


def _labels(words: Iterable[str]) -> dict[str, str]:
    from opsconsole.clients.effects import MARK
    from opsconsole.errors import UsageError

    labels = _pairs(words, "label")
    if "alertname" not in labels:
        raise UsageError("an alert needs a name", hint="alertname=BillingTestAlert, for instance")
    if MARK in labels:
        raise UsageError(f"the label {MARK} is the mark of the run, and set by it", hint="leave it out")
    return labels


def _pairs(words: Iterable[str], kind: str, *, empty: bool = False) -> dict[str, str]:
    """Words such as severity=info as a mapping. Raises UsageError for what Alertmanager would not take."""
    from opsconsole.errors import UsageError

    found: dict[str, str] = {}
    for word in words:
        name, sign, value = word.partition("=")
        if not sign:
            raise UsageError(f"{word!r} is no {kind}: there is no = in it", hint=f"{word}=VALUE")
        if not _NAME.fullmatch(name):
            raise UsageError(
                f"{name!r} is no name of a {kind}",
                hint="letters, digits and _, and no digit at the beginning",
            )
        if name in found:
            raise UsageError(f"the {kind} {name!r} is there twice", hint="keep the one that is meant")
        if not value and not empty:
            raise UsageError(f"the {kind} {name!r} is empty: Alertmanager drops it", hint=f"{name}=VALUE")
        found[name] = value
    return found


def _showing_the_way() -> "Callable[[Entry], None]":
    """A reader that prints the way and the lines to copy before anything is sent."""
    from opsconsole.model import Observed
    from opsconsole.reports.wording import one_line

    def show(entry: "Entry") -> None:
        if isinstance(entry.event, Observed):
            seen = entry.event.seen
            click.echo(f"    {seen.subject:<8}  {one_line(seen.text)}")

    return show
