"""What the shell completes after an option: names that exist now, looked up without asking any server."""

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from opsconsole.errors import OpsconsoleError

if TYPE_CHECKING:
    from opsconsole.engine.checklist import Checklist


def environments(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The lab and the environments of the configuration that is in force."""
    from opsconsole import config

    names = [config.LAB]
    with suppress(OpsconsoleError):
        names += config.open_configuration(ctx.params.get("config")).environments
    return [name for name in names if name.startswith(incomplete)]


def items(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The items of the environment's checklist."""
    return [item.id for item in _checklist(ctx).items if item.id.startswith(incomplete)]


def runs(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The last runs, and the word for the very last."""
    from opsconsole.store import open_records

    names = ["last"]
    with suppress(OpsconsoleError):
        records = open_records(ctx.params.get("records"), read_only=True)
        names += [summary.run for summary in records.runs(20)]
        records.close()
    return [name for name in names if name.startswith(incomplete)]


def alerts(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The alerts that the environment's checklist tells how to bring about."""
    return [alert for alert in _checklist(ctx).drills if alert.startswith(incomplete)]


def faults(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The faults with which a lab can be broken."""
    from opsconsole.lab import faults

    return [name for name in faults.load() if name.startswith(incomplete)]


def _checklist(ctx: click.Context) -> "Checklist":
    """That of the environment named so far; an empty one where it cannot be read."""
    from opsconsole import config, session
    from opsconsole.engine.checklist import Checklist
    from opsconsole.lab.environment import outline

    name = ctx.params.get("environment") or config.LAB
    with suppress(OpsconsoleError):
        environment = (
            outline() if name == config.LAB else config.load_environment(name, ctx.params.get("config"))
        )
        return session.plan(environment).checklist
    return Checklist("", (), {}, "")
