"""Where effects of past runs were made: the environment of that name, or the lab if it is there still."""

from collections.abc import Callable

from opsconsole.config import Configuration
from opsconsole.errors import OpsconsoleError
from opsconsole.lab import environment as labs
from opsconsole.lab import state
from opsconsole.store import OpenEffect
from opsconsole.walkthrough.cleanup import Place


def place_of(effect: OpenEffect, configuration: Callable[[], Configuration]) -> Place:
    """The environment in which it was made, or the very lab."""
    if effect.environment == labs.NAME:
        url = effect.begun.data.get("url", "")
        there = (lab for lab in state.labs() if any(member.running for member in lab.members))
        for lab in there:
            if url in (lab.alertmanager_url, lab.service_url) or (not url and lab.owner == "kept"):
                return Place(labs.NAME, str(lab.folder), labs.environment(lab))
        return Place(labs.NAME, gone="the lab is gone, and this with it")
    try:
        environment = configuration().environment(effect.environment)
        return Place(effect.environment, environment.source, environment)
    except OpsconsoleError as error:
        return Place(effect.environment, unknown=str(error))
