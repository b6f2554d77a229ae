"""What is rehearsed, and what is known of the series: from files or from an environment."""

from opsconsole.rehearse.load.exposition import from_exposition
from opsconsole.rehearse.load.guess import guessed, recorded
from opsconsole.rehearse.load.rules import load_rules

__all__ = ["from_exposition", "guessed", "load_rules", "recorded"]
