"""`opsconsole alert-test`: every alert from its cause to the inbox, and back to rest."""

from pathlib import Path
from typing import Any

import click

from opsconsole.cli import complete

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(short_help="Test every alert from its cause to the inbox.")
@click.argument("alerts", nargs=-1, metavar="[ALERT]...", shell_complete=complete.alerts)
@click.option(
    "--env",
    "environment",
    default="lab",
    metavar="NAME",
    shell_complete=complete.environments,
    help="The environment (default: lab).",
)
@click.option("--plan", "plan_only", is_flag=True, help="Show what would be done, and send nothing.")
@click.option("--plain", is_flag=True, help="One line a hop; the default without a terminal.")
@click.option("--json", "as_json", is_flag=True, help="Events as JSON lines, as they come.")
@click.option(
    "--watch",
    metavar="DURATION",
    help="Watch for so long (1h, 30m) those alerts that nothing brings about here.",
)
@click.option(
    "--unmodified",
    is_flag=True,
    help="In the lab: the rules as they are, by history of an incident instead of waiting.",
)
@click.option("--junit", type=FILE, help="Also write a JUnit report.")
@click.option("--markdown", type=FILE, help="Also write a Markdown report.")
@click.option("--html", type=FILE, help="Also write an HTML report.")
@click.option(
    "--allow-effects",
    metavar="NAME",
    shell_complete=complete.environments,
    help="Allow it in a protected environment. Faults on payments and webhooks need allow_faults = true in "
    "its configuration too.",
)
@click.option(
    "--config", type=FILE, help="The configuration (default: opsconsole.toml, found upwards from here)."
)
@click.option("--records", type=FILE, help="The records (default: in the user's state folder).")
@click.option("--prometheus-version", metavar="V", help="The lab's Prometheus, for instance 3.5.")
@click.option("--alertmanager-version", metavar="V", help="The lab's Alertmanager, for instance 0.28.")
def command(**options: Any) -> int:
    """Test every ALERT (default: all) from its cause to the inbox, and back to rest.

    For each alert: a plan, steady state, the cause injected just over the rule's threshold and held there,
    the signal followed from hop to hop, and the end proved. In the lab it is real but short: the same rules
    with their durations shortened. On any other environment durations are what they are.

    One final line an alert begins with PASS, FAIL or UNKNOWN. Ctrl-C stops the faults, cleans up and records;
    a second one leaves at once and says what is left.
    """
    from opsconsole.cli import alert_testing

    reports = {kind: path for kind in ("junit", "markdown", "html") if (path := options.pop(kind))}
    return alert_testing.perform(alert_testing.Wish(reports=reports, **options))
