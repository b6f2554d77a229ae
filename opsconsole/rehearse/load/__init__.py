"""What is rehearsed, and what is known of the series: from files or from an environment."""

from opsconsole.rehearse.load.dashboards import load_dashboards
from opsconsole.rehearse.load.environment import from_environment, loaded_rules, served_panels
from opsconsole.rehearse.load.exposition import from_exposition
from opsconsole.rehearse.load.filling import refill
from opsconsole.rehearse.load.guess import guessed, recorded
from opsconsole.rehearse.load.rules import load_rules

__all__ = [
    "from_environment",
    "from_exposition",
    "guessed",
    "load_dashboards",
    "load_rules",
    "loaded_rules",
    "recorded",
    "refill",
    "served_panels",
]
