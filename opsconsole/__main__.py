"""`python -m opsconsole` is `opsconsole`."""

from opsconsole.cli import main

main()
