"""`opsconsole lab`: keep a lab up between runs of `verify`."""

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from opsconsole.cli import complete
from opsconsole.cli.practise import command as practise
from opsconsole.errors import LabError

if TYPE_CHECKING:
    from opsconsole.lab.state import LabState


class Spelt(click.Group):
    """Takes `practice` for `practise`."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, "practise" if cmd_name == "practice" else cmd_name)


@click.group(
    "lab",
    cls=Spelt,
    short_help="Keep a lab up: real Prometheus and Alertmanager, a billing service, an inbox.",
)
def command() -> None:
    """Keep a lab: a real Prometheus and Alertmanager on loopback, with a billing service, an inbox and a
    stand-in for Grafana.

    `verify --env lab` uses the lab that is up; without one it starts its own and stops it again. So does
    `alert-test --env lab` with a drill lab, which runs fast: its rules are the same with their durations
    shortened.

    A lab can be broken, to see who tells of it: with a fault of the list, or, to practise, with one that has
    to be found.
    """


@command.command()
@click.option("--prometheus-version", metavar="VERSION", help="For example 3.5; the beginning is enough.")
@click.option("--alertmanager-version", metavar="VERSION", help="For example 0.33; the beginning is enough.")
@click.option("--drill", is_flag=True, help="A drill lab, for alert tests: hours take seconds in it.")
def up(prometheus_version: str | None, alertmanager_version: str | None, drill: bool) -> None:
    """Start the lab and leave it running. A lab and a drill lab can be up side by side."""
    from opsconsole.lab import stack, state

    with state.alone():
        lab = state.kept(drill=drill)
        if lab is None:
            versions = (prometheus_version, alertmanager_version)
            lab = asyncio.run(stack.start("kept", *versions, _tell, drill=drill))
            click.echo(f"The {_kind(lab)} is up.")
        else:
            _same_versions(lab, prometheus_version, alertmanager_version)
            click.echo(f"The {_kind(lab)} is up already; `opsconsole lab down` ends it.")
    _describe(lab)


@command.command()
def status() -> None:
    """Tell where everything of the lab is. Exit code 1: a part of it has ended."""
    from opsconsole.lab import state

    labs = list(state.all_kept())
    if not labs:
        raise LabError("no lab is up", hint="`opsconsole lab up` starts one")
    for lab in labs:
        click.echo(f"The {_kind(lab)}:")
        _describe(lab)
    ended = [member.name for lab in labs for member in lab.members if not member.running]
    if ended:
        click.echo(f"Ended: {', '.join(ended)}; `opsconsole lab mend` starts them again.", err=True)
        raise SystemExit(1)


@command.command()
def down() -> None:
    """End the lab, or both, and remove everything of them. One on which somebody practises stays."""
    from opsconsole.lab import breaking, stack, state

    with state.alone():
        labs = list(state.all_kept())
        for lab in labs:
            breaking.see_nobody_practises(lab, "the lab is not ended")
        for lab in labs:
            stack.stop(lab)
        left = stack.clear_leftovers()
    for lab in labs:
        click.echo(f"The {_kind(lab)} is down.")
    for folder in left:
        click.echo(f"Removed what a lab that was cut off has left in {folder}.")
    if not labs and not left:
        click.echo("No lab was up.")


@command.command("break")
@click.argument("name", metavar="NAME|list|mend", shell_complete=complete.faults)
@click.pass_context
def break_(context: click.Context, name: str) -> None:
    """Break the lab that is up with the fault NAME; `list` tells which there are, and `mend` mends it.

    Both are commands of their own as well: `opsconsole lab list` and `opsconsole lab mend`.
    """
    from opsconsole.lab import breaking, faults, state

    if other := {"list": list_, "mend": mend}.get(name):
        context.invoke(other)
        return
    fault = faults.named(name)
    with state.alone():
        lab = breaking.kept(drill=fault.drill)
        try:
            breaking.break_it(lab, fault)
        except KeyboardInterrupt:
            _tell(f"the {_kind(lab)} is broken in part; {breaking.MEND}")
            raise
    look = f"alert-test {fault.alert}" if fault.drill else "verify"
    click.echo(f"The {_kind(lab)} is broken: {fault.said}.")
    click.echo(f"`opsconsole {look}` should tell; `opsconsole lab mend` mends it.")


@command.command("list")
def list_() -> None:
    """List the faults with which the lab can be broken, by the link of the chain that they break."""
    from opsconsole.cli import terminal
    from opsconsole.lab import faults

    columns = terminal.columns()
    for link, what in faults.LINKS.items():
        click.echo(f"{link}: {what}")
        found = [fault for fault in faults.load().values() if fault.link == link]
        width = max(len(fault.name) for fault in found)
        for fault in found:
            drill = " [drill lab]" if fault.drill else ""
            click.echo(terminal.broken(f"  {fault.name:<{width}}  {fault.said}{drill}", columns))


@command.command()
def mend() -> None:
    """Mend the lab, or both: start again what is broken, as it was at first, on the same addresses."""
    from opsconsole.lab import state

    with state.alone():
        labs = list(state.all_kept())
        if not labs:
            raise LabError("no lab is up", hint="`opsconsole lab up` starts one")
        for lab in labs:
            if lab.whole:
                click.echo(f"The {_kind(lab)} is whole.")
            else:
                _mend(lab)


def _mend(lab: "LabState") -> None:
    from opsconsole.lab import breaking

    try:
        asyncio.run(breaking.mend(lab, _tell))
    except (LabError, KeyboardInterrupt):
        if not lab.in_practice:
            _tell(f"the {_kind(lab)} could not be mended, and is down; `opsconsole lab up` starts another")
        raise
    was = f"; it was broken with {lab.fault}" if lab.fault and not lab.practised_by else ""
    click.echo(f"The {_kind(lab)} is whole again{was}.")


command.add_command(practise)


def _kind(lab: "LabState") -> str:
    return "drill lab" if lab.drill else "lab"


def _tell(progress: str) -> None:
    with suppress(OSError):  # nobody need be there to read it
        click.echo(progress, err=True)


def _same_versions(lab: "LabState", prometheus: str | None, alertmanager: str | None) -> None:
    """Raise LabError where the lab that is up is of other versions than those wished for."""
    from opsconsole.lab.servers import meets

    for name, version, wanted in (
        ("Prometheus", lab.prometheus_version, prometheus),
        ("Alertmanager", lab.alertmanager_version, alertmanager),
    ):
        if wanted and not meets(version, wanted):
            message = f"a {_kind(lab)} is up already, with {name} {version}, not {wanted}"
            raise LabError(message, hint="`opsconsole lab down`, then up again")


def _describe(lab: "LabState") -> None:
    rows = {
        f"Prometheus {lab.prometheus_version}": lab.prometheus_url,
        f"Alertmanager {lab.alertmanager_version}": lab.alertmanager_url,
        "Grafana stand-in": lab.grafana_url,
        "billing service": f"{lab.service_url}/health/billing",
        "inbox": f"{lab.inbox_url}/messages (SMTP on {lab.smtp_address})",
        "files and logs": str(lab.folder),
    }
    if lab.broken:
        rows["state"] = lab.broken
    width = max(map(len, rows))
    for name, place in rows.items():
        click.echo(f"  {name:<{width}}  {place}")
