"""Matchers that no value passes, found without trying values."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole.promql import Matcher
from opsconsole.rehearse.dead.languages import passes, unpassable


def matchers(*texts: str) -> tuple[Matcher, ...]:
    return tuple(Matcher("", *re.fullmatch(r"(=~|!~|!=|=)(.*)", text, re.DOTALL).groups()) for text in texts)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "texts",
    [
        ["=a", "=b"], ["=a", "!=a"], ["=~a", "!=a"], ["=~a|b", "!=a", "!=b"], ["=~foo.*", "=~bar.*"],
        ["=~a^"],
        ["=~$a"], ["=~(?:^a|$b)c$d"], ["=~[^\\s\\S]"], ["=~.+", "="], ["!=", "=~"], ["=~[0-9]+", "=~[a-z]+"],
        ["=~x{2,3}", "!~xx?x?"], ["=~5[0-9]{2}|4\\d\\d", "!~\\d{3}"], ["=~(?i)AB", "=aC"],
        ["=~(a|b)*c", "=~[ab]{3}"],
        ["=~[^a]", "=a"], ["=~a.c", "=~ab."  , "!=abc"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_no_value_passes(texts: list[str]) -> None:
    found = unpassable(matchers(*texts))
    assert found is not None
    assert found.guess == ""


@pytest.mark.parametrize(
    "texts", [["!~.*"], ["!~.+|"], ["=~foo.*", "!~foo.*"], ["=~5..", "!~[45].."]], ids=" ".join
)
def test_no_value_without_a_line_break_passes(texts: list[str]) -> None:
    found = unpassable(matchers(*texts))
    assert found is not None
    assert found.guess == "that no value has a line break in it"


@pytest.mark.parametrize(
    "texts",
    [
        ["=a"], ["!=a"], ["=~.*"], ["=~"], ["!~a"], ["=~^a$"], ["=~(?:a$|b).*"], ["=~(a|^b)c"],
        ["=~5..", "!=500"],
        ["=~(?i)AB", "=ab"], ["=~foo.*", "!~foo.+"], ["=~foo.*", "=~.*bar"],
        ["=~.*-(prod|stage)-.*", "=~.*-dev"],
        ["=~a{2}", "=aa"], ["=~\\Qa.b\\E", "=axb"], ["=~\\bx\\b", "=y"], ["=~[[:alpha:]]", "=1"],
        ["=~(?s).", "=~(?m)^$"],
        ["=~\\x41", "=b"], ["=~{{.*}}", "={{x}}"], ["=~(?P<n>a)", "=a"], ["=~[]a]+", "=]a"],
        ["=~a-[b-]", "=a--"],
        ["!~a|b", "!~c", "!=d", "!="],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_value_may_pass(texts: list[str]) -> None:
    assert unpassable(matchers(*texts)) is None


PATTERNS = st.recursive(
    st.sampled_from(["a", "b", ".", "[ab]", "[^a]", "\\d", "a-z", "", "^", "$", "1"]),
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map("|".join),
        inner.map("(?:{})*".format),
        inner.map("({})+".format),
        inner.map("({}){{1,2}}".format),
    ),
    max_leaves=6,
)
VALUES = st.text("ab1z-", max_size=4)


@given(pattern=PATTERNS, value=VALUES)
def test_a_value_passes_as_pythons_own_expressions_say(pattern: str, value: str) -> None:
    expected = re.fullmatch(f"(?:{pattern})", value, re.DOTALL) is not None
    assert passes(Matcher("", "=~", pattern), value) is expected
    assert passes(Matcher("", "!~", pattern), value) is not expected


@given(wanted=st.lists(PATTERNS, max_size=2), refused=st.lists(PATTERNS, max_size=1), value=VALUES)
def test_what_a_value_passes_is_never_called_unpassable(
    wanted: list[str], refused: list[str], value: str
) -> None:
    all_ = matchers(*(f"=~{one}" for one in wanted), *(f"!~{one}" for one in refused))
    if all(passes(one, value) for one in all_):
        assert unpassable(all_) is None
