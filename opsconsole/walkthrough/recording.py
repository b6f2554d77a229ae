"""How a run that acts begins and ends in the records."""

import platform

from opsconsole import __version__
from opsconsole.config import Environment
from opsconsole.engine.record import Recorder
from opsconsole.model import ItemSummary, RunStarted
from opsconsole.session import whoami


def begin(
    recorder: Recorder,
    environment: Environment,
    *,
    kind: str,
    title: str,
    items: tuple[ItemSummary, ...],
    checklist_hash: str = "",
) -> None:
    """Record that a run of this kind begins; `title` stands where a checklist's would."""
    who, host = whoami()
    recorder.emit(
        RunStarted(
            run=recorder.run,
            environment=environment.name,
            protected=environment.protected,
            effects=True,
            checklist=title,
            checklist_hash=checklist_hash,
            items=items,
            who=who,
            host=host,
            versions={"opsconsole": __version__, "python": platform.python_version()},
            kind=kind,
        )
    )
