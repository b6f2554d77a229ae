"""`opsconsole completion SHELL`: the completion script."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the completion script of SHELL.

    For bash, in ~/.bashrc: eval "$(opsconsole completion bash)"; for zsh the same in ~/.zshrc; for fish:
    opsconsole completion fish > ~/.config/fish/completions/opsconsole.fish
    """
    root = ctx.find_root()
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(kind(root.command, {}, "opsconsole", "_OPSCONSOLE_COMPLETE").source())
