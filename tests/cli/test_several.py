"""Options of several values: what a shell makes of `--rules *.yml`, however the options are mixed."""

import click
import pytest

from opsconsole.cli.several import Several, TakesSeveral


@click.command(cls=TakesSeveral)
@click.option("--rules", cls=Several)
@click.option("--metrics", cls=Several)
@click.option("--junit")
@click.option("--plain", is_flag=True)
@click.option("-k", "select", multiple=True)
def command(rules: tuple[str, ...], metrics: tuple[str, ...], **rest: object) -> object:
    return rules, metrics, rest


def parsed(line: str) -> object:
    rules, metrics, rest = command.main(line.split(" ") if line else [], standalone_mode=False)
    return rules, metrics, {name: value for name, value in rest.items() if value}


@pytest.mark.parametrize(
    ("line", "rules", "metrics", "rest"),
    [
        ("", (), (), {}),
        ("--rules a", ("a",), (), {}),
        ("--rules a b --metrics m n --plain", ("a", "b"), ("m", "n"), {"plain": True}),
        ("--plain --rules a --rules b c", ("a", "b", "c"), (), {"plain": True}),
        ("--rules=a b --junit out", ("a", "b"), (), {"junit": "out"}),
        ("--rules a --junit=out --metrics m", ("a",), ("m",), {"junit": "out"}),
        ("--rules a -k x -k y", ("a",), (), {"select": ("x", "y")}),
        ("--rules a=b -", ("a=b", "-"), (), {}),
        ("--rules -- a -odd.yml --plain", ("a", "-odd.yml", "--plain"), (), {}),
    ],
    ids=str,
)
def test_values_go_to_the_option_before_them(
    line: str, rules: tuple[str, ...], metrics: tuple[str, ...], rest: dict[str, object]
) -> None:
    assert parsed(line) == (rules, metrics, rest)


@pytest.mark.parametrize("line", ["--rules", "--rules --plain", "--rules= --plain", "--metrics a --rules"])
def test_an_option_without_a_value_is_a_wrong_call(line: str) -> None:
    with pytest.raises(click.BadOptionUsage, match=r"--rules.* at least one value"):
        parsed(line)


@pytest.mark.parametrize("line", ["a", "--plain a", "--rules a --plain b", "--junit x y"])
def test_a_value_that_belongs_to_no_option_is_a_wrong_call(line: str) -> None:
    with pytest.raises(click.UsageError, match="unexpected extra argument"):
        parsed(line)


def test_a_shell_completes_a_line_that_is_not_whole_yet() -> None:
    context = command.make_context("command", ["--rules"], resilient_parsing=True)
    assert context.params["rules"] == ()
