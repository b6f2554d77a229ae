"""`opsconsole cleanup`: take back what runs that were cut off have left in effect."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from opsconsole.cli import complete

if TYPE_CHECKING:
    from opsconsole.cli.acting import Stage
    from opsconsole.model import Outcome
    from opsconsole.store import OpenEffect
    from opsconsole.walkthrough.cleanup import Place

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--run", shell_complete=complete.runs, help="Only what this run has left (an id, or last).")
@click.option(
    "--env",
    "environment",
    metavar="NAME",
    shell_complete=complete.environments,
    help="Only what was left in this environment.",
)
@click.option("--json", "as_json", is_flag=True, help="Events as JSON lines, as they come.")
@click.option(
    "--config", type=FILE, help="The configuration (default: opsconsole.toml, found upwards from here)."
)
@click.option("--records", type=FILE, help="The records (default: in the user's state folder).")
def command(
    run: str | None, environment: str | None, as_json: bool, config: Path | None, records: Path | None
) -> int:
    """Take back what runs that were cut off have left in effect: test alerts, test objects, paused webhooks.

    Only what is in the records is looked for, and an effect is struck off when its end was seen: an alert
    that Alertmanager holds no more, a list that is empty. What cannot be seen stays open, exit code 3.
    What a console that still runs is doing is left alone; so is what was done on another host, unless its run
    is named. This only undoes what opsconsole did, so a protected environment needs no further consent.
    """
    from opsconsole.cli import acting

    async def work(stage: "Stage") -> int:
        from opsconsole.cli.lines import tell
        from opsconsole.lab.state import clear_leftovers
        from opsconsole.model import exit_code
        from opsconsole.walkthrough.cleanup import Cleaning

        meant = stage.records.find(run) if run is not None else None
        for folder in clear_leftovers():
            tell(f"removed what a lab has left in {folder}")
        outcomes: list[Outcome] = []
        for place, effects in _places(stage, meant, environment, config).items():
            outcomes += await Cleaning(place, effects, stage.new_run(), stage.records).run()
        if outcomes:
            return exit_code(outcomes)
        tell("nothing to clean")
        return 0

    return acting.act(records, as_json, work)


def _places(
    stage: "Stage", run: str | None, environment: str | None, path: Path | None
) -> "dict[Place, list[OpenEffect]]":
    """What is to be taken back, by where that is."""
    from functools import cache

    from opsconsole import config
    from opsconsole.cli.lines import tell
    from opsconsole.cli.places import place_of
    from opsconsole.errors import ConfigError
    from opsconsole.nearest import nearest
    from opsconsole.walkthrough.cleanup import untouchable

    configuration = cache(lambda: config.open_configuration(path))
    if environment is not None:
        left = {effect.environment for effect in stage.records.open_effects()}
        known = [*left, *configuration().environments, config.LAB]
        if environment not in known:
            raise ConfigError(f"no environment {environment!r}", hint=nearest(environment, known))
    places: dict[Place, list[OpenEffect]] = {}
    for effect in stage.records.open_effects():
        if run not in (None, effect.run) or environment not in (None, effect.environment):
            continue
        if why := untouchable(effect, run):
            tell(f"left alone: {effect.begun.what}, run {effect.run}: {why}")
        else:
            places.setdefault(place_of(effect, configuration), []).append(effect)
    return places
