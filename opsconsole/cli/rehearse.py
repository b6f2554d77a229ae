"""`opsconsole rehearse`: prove that every alert can fire and every panel can show data."""

from pathlib import Path
from typing import Any

import click

from opsconsole.cli import complete
from opsconsole.cli.several import Several, TakesSeveral

FILE = click.Path(dir_okay=False, path_type=Path)
PLACE = click.Path(path_type=Path, allow_dash=True)


@click.command(cls=TakesSeveral, short_help="Prove that every alert can fire and every panel can show data.")
@click.option(
    "--env",
    "environment",
    metavar="NAME",
    shell_complete=complete.environments,
    help="The environment: its rules as loaded, its dashboard as served, its series (default: the lab, where "
    "no files are named).",
)
@click.option(
    "--rules", cls=Several, type=PLACE, metavar="FILE...", help="Rule files, or folders of them, instead."
)
@click.option(
    "--dashboard",
    "dashboards",
    cls=Several,
    type=PLACE,
    metavar="FILE...",
    help="Dashboards as JSON, instead.",
)
@click.option(
    "--metrics",
    cls=Several,
    type=PLACE,
    metavar="FILE...",
    help="What the targets export, as they serve it: the truth about series, in the place of an environment.",
)
@click.option("-k", "select", multiple=True, metavar="NAME", help="Only this alert or panel, or those whose "
    "name has this in it.")  # fmt: skip
@click.option("--backtest", is_flag=True, help="When each alert would have fired over the history there is.")
@click.option("--plain", is_flag=True, help="One line an alert or panel; the default without a terminal.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document.")
@click.option("--junit", type=FILE, help="Also write a JUnit report.")
@click.option("--sarif", type=FILE, help="Also write a SARIF report, for code review.")
@click.option(
    "--write-tests",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Also write, for each alert that can fire, a promtool unit test that proves it.",
)
@click.option(
    "--config", type=FILE, help="The configuration (default: opsconsole.toml, found upwards from here)."
)
@click.option(
    "--prometheus-version", metavar="V", help="Whose promtool to use, and the lab's Prometheus: such as 3.5."
)
def command(**options: Any) -> int:
    """Prove that every alert can fire and every panel can show data.

    Nothing is sent to anyone, and nothing is changed. With --rules or --dashboard, files are rehearsed. The
    truth about series is --metrics, or an environment; with neither, it is guessed from the rules, and what
    rests on the guess says so.

    Each line begins with the verdict and the name. An alert is alive, dead, unfed (it rests on a metric that
    nobody exports) or undecided; a panel has data, is quiet (none now), never has any, or is an error.

    Exit codes: 0 every alert can fire and every panel can show data; 1 one is dead, unfed, never or an error;
    2 the call or a file is wrong; 3 one is undecided, or a server could not be seen.
    """
    from opsconsole.cli import rehearsing

    reports = {kind: path for kind in ("junit", "sarif") if (path := options.pop(kind))}
    return rehearsing.perform(rehearsing.Wish(reports=reports, **options))
