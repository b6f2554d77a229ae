"""The command line. Each command is a module of this package, loaded when it is called."""

import importlib
import sys
from contextlib import suppress
from typing import Any

import click

from opsconsole import __version__

COMMANDS = {
    "verify": "Work through the checklist of an environment.",
    "alert-test": "Test every alert from its cause to the inbox.",
    "rehearse": "Prove that every alert can fire and every panel can show data.",
    "alert": "Send a test alert straight to Alertmanager and follow it.",
    "cleanup": "Take back what a run that was cut off has left in effect.",
    "checks": "List the checks and what they ask for.",
    "sign-off": "Give a person's judgement on an item that waits for one.",
    "runs": "List, show, compare, export and prove recorded runs.",
    "lab": "Keep a lab: real servers, a billing service and an inbox, on this machine.",
    "init": "Write an opsconsole.toml to begin with.",
    "env": "Show the environments and where each setting comes from.",
    "doctor": "Tell what is found on this machine and what is missing.",
    "completion": "Print the completion script of a shell.",
}
"""Every command with its help line; the module's name is the command's with `_` for `-`."""

_SILENT = {"cleanup", "completion"}
"""These do not tell of what is left in effect."""


class Commands(click.Group):
    """Knows the commands' names and help lines without loading them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"opsconsole.cli.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> tuple[Any, Any, list[str]]:
        if args and not args[0].startswith("-") and args[0] not in COMMANDS:
            import difflib

            close = difflib.get_close_matches(args[0], COMMANDS, n=1)
            raise click.UsageError(
                f"No command {args[0]!r}." + (f" Did you mean {close[0]!r}?" if close else ""), ctx
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="opsconsole %(version)s")
def group() -> None:
    """Know, tonight, that the monitoring of a system works.

    opsconsole works through a monitoring checklist by acting on the real servers, follows each signal to
    where a person would see it, and keeps the evidence. It never says PASS for what it did not see.

    Exit codes: 0 all passed or were skipped for a reason; 1 something failed; 2 the call or the
    configuration is wrong; 3 nothing failed, but something is unknown, broken or unsigned.
    """


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    from opsconsole.errors import OpsconsoleError

    try:
        code = group.main(arguments, prog_name="opsconsole", standalone_mode=False)
    except click.exceptions.Exit as leave:
        code = leave.exit_code
    except click.ClickException as error:
        error.show()
        code = 2
    except OpsconsoleError as error:
        _complain(str(error))
        code = error.exit_code
    except (KeyboardInterrupt, click.Abort):
        _complain("interrupted")
        code = 130
    except BrokenPipeError:
        sys.stderr.close()
        code = 0
    except OSError as error:
        _complain(f"{error.strerror or error}{f': {error.filename}' if error.filename else ''}")
        code = 2
    _tell_of_leftovers(sys.argv[1:] if arguments is None else arguments)
    raise SystemExit(code if isinstance(code, int) else 0)


def _tell_of_leftovers(arguments: list[str]) -> None:
    """After a command that did something: what a run that was cut off has left in effect."""
    if not arguments or arguments[0] not in COMMANDS.keys() - _SILENT or {"-h", "--help"} & {*arguments}:
        return
    from opsconsole.cli import leftovers

    for line in leftovers.told(leftovers.records_named(arguments)):
        with suppress(OSError, ValueError):  # nobody need be there to read it
            _complain(line)


def _complain(text: str) -> None:
    """Every error leaves by this door, redacted."""
    from opsconsole.redaction import redact

    click.echo(f"opsconsole: {redact(text)}", err=True)
