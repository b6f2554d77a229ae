"""`opsconsole init`: a configuration to begin with."""

from pathlib import Path

import click


@click.command()
@click.option(
    "--path",
    type=click.Path(path_type=Path),
    default="opsconsole.toml",
    show_default=True,
    help="The file to write.",
)
def command(path: Path) -> None:
    """Write an opsconsole.toml with staging and production in it, explained line by line.

    Never overwrites: a file that is there stays as it is.
    """
    from opsconsole.errors import ConfigError

    template = Path(__file__).with_name("template.toml").read_text(encoding="utf-8")
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(template)
    except FileExistsError:
        raise ConfigError(
            "is there already, and stays as it is",
            where=str(path),
            hint="edit it, or write beside it: opsconsole init --path other.toml",
        ) from None
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot be written: {error}", where=str(path)) from error
    click.echo(f"Wrote {path}. Next:")
    click.echo("  edit the lines marked EDIT")
    click.echo("  export the variables that it names, such as GRAFANA_TOKEN")
    click.echo("  opsconsole env show staging")
    click.echo("  opsconsole verify --env staging")
