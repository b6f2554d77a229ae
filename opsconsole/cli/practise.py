"""`opsconsole lab practise`: find what the lab was broken with."""

from pathlib import Path

import click

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command("practise", short_help="Practise: break the lab without saying what, and have it found.")
@click.option("--seed", type=int, metavar="N", help="The practice of this number: always the same fault.")
@click.option("--records", type=FILE, help="The records (default: in the user's state folder).")
def command(seed: int | None, records: Path | None) -> int:
    """Practise being on call: the lab is broken, without a word on what with. Find it, and say what it is.

    Look with the console, here or in another terminal: `verify --env lab` sees the broken lab. Answer with
    the fault's number or name in the list, or with words of it. `hint` helps, `give up` ends it. It is
    recorded as a run, with the time it took, the answers and the hints: PASS when it was found.

    The lab that is up is used, and is whole again afterwards. Without one, one is started for as long as it
    takes. Without a terminal, each line of standard input is taken as if it had been typed.

    Exit codes: 0 found; 1 not found; 130 interrupted.
    """
    from opsconsole.cli import practising

    return practising.perform(seed, records)
