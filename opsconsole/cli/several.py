"""Options that take every word up to the next option: `--rules a.yml b.yml`, as a shell makes of `*.yml`."""

from collections.abc import Iterable, Iterator
from typing import Any

import click


class Several(click.Option):
    """An option of one value or more, which may also be given more than once."""

    def __init__(self, declarations: list[str], **settings: Any) -> None:
        super().__init__(declarations, multiple=True, **settings)


class TakesSeveral(click.Command):
    """A command that may have options of the kind `Several`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        options = {name for option in self.params if isinstance(option, Several) for name in option.opts}
        try:
            args = list(_one_each(args, options))
        except click.UsageError as error:
            error.ctx = ctx
            if not ctx.resilient_parsing:  # a shell completes what is not whole yet
                raise
        return super().parse_args(ctx, args)


def _one_each(words: Iterable[str], options: set[str]) -> Iterator[str]:
    """`--rules a b --json` as `--rules=a --rules=b --json`; after `--` nothing is an option."""
    option, values, ended = "", 1, False
    for word in words:
        if ended or word == "-" or not word.startswith("-"):
            yield f"{option}={word}" if option else word
            values += 1
            continue
        if word == "--" and option:
            ended = True
            continue
        _not_empty(option, values)
        name, _, value = word.partition("=")
        option, values = (name, 1 if value else 0) if name in options else ("", 1)
        if not option or value:
            yield word
    _not_empty(option, values)


def _not_empty(option: str, values: int) -> None:
    if not values:
        raise click.BadOptionUsage(option, f"Option {option!r} requires at least one value.")
