"""History of the lab's metrics (to come)."""

from collections.abc import Callable
from pathlib import Path

INSTANCE = "rsolv-platform:9568"


def provide(folder: Path, promtool: Path, *, on_progress: Callable[[str], None]) -> None:
    folder.mkdir()
