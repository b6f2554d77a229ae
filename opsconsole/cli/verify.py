"""`opsconsole verify`: work through the checklist of an environment."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from opsconsole.cli import complete

if TYPE_CHECKING:
    from opsconsole.cli.verification import Wish

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(short_help="Work through the checklist of an environment.")
@click.option(
    "--env",
    "environment",
    default="lab",
    metavar="NAME",
    shell_complete=complete.environments,
    help="The environment (default: lab).",
)
@click.option(
    "-k",
    "select",
    multiple=True,
    metavar="ITEM",
    shell_complete=complete.items,
    help="Only this item, or those whose id has this in it.",
)
@click.option("--plain", is_flag=True, help="One line an item as it ends; the default without a terminal.")
@click.option("--json", "as_json", is_flag=True, help="Events as JSON lines, as they come.")
@click.option("--junit", type=FILE, help="Also write a JUnit report.")
@click.option("--markdown", type=FILE, help="Also write a Markdown report.")
@click.option("--html", type=FILE, help="Also write an HTML report.")
@click.option(
    "--allow-effects",
    metavar="NAME",
    shell_complete=complete.environments,
    help="Allow checks that change something in a protected environment.",
)
@click.option(
    "--resume",
    metavar="RUN",
    shell_complete=complete.runs,
    help="Go on with a run that was cut off (an id, or last).",
)
@click.option(
    "--config", type=FILE, help="The configuration (default: opsconsole.toml, found upwards from here)."
)
@click.option("--records", type=FILE, help="The records (default: in the user's state folder).")
@click.option("--prometheus-version", metavar="V", help="The lab's Prometheus, for instance 3.5.")
@click.option("--alertmanager-version", metavar="V", help="The lab's Alertmanager, for instance 0.28.")
def command(**options: Any) -> int:
    """Work through the checklist of an environment, acting on its real servers.

    Without a configuration the environment is the lab: real servers, a billing service and an inbox on
    this machine, started and stopped by this command. In a terminal a screen opens; --plain and --json
    write lines instead, each beginning with PASS, FAIL, SKIP, UNKNOWN, SIGN-OFF or BROKEN.
    """
    from opsconsole.cli import verification

    return verification.perform(_wish(options))


def _wish(options: dict[str, Any]) -> "Wish":
    from opsconsole.cli.verification import Wish

    reports = {kind: path for kind in ("junit", "markdown", "html") if (path := options.pop(kind))}
    return Wish(reports=reports, **options)
