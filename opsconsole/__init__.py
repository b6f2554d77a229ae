"""opsconsole verifies that the monitoring of a system works: it acts, follows and proves."""

__version__ = "0.1.0"
