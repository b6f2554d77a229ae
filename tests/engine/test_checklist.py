"""A checklist and a check are data and code of other people: every mistake in them gets a clear answer."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole import content
from opsconsole.engine import checklist
from opsconsole.engine.discover import discover
from opsconsole.errors import ChecklistError

ITEM = '[[item]]\nid = "a"\ntitle = "A"\n[[item.check]]\nuse = "it"\n'


@pytest.fixture
def load(tmp_path: Path, write_check: Callable[..., Path]) -> Callable[..., checklist.Checklist]:
    write_check("it", "yield Seen('x')", signature="*, days: int = 3, names: list[str] = ()")

    def load(text: str, **common: Any) -> checklist.Checklist:
        path = tmp_path / "list.toml"
        path.write_text(text)
        return checklist.load(path, discover(tmp_path / "checks"), common)

    return load


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no [[item]]"),
        ("x = 1\n" + ITEM, "unknown key 'x'"),
        ("[[item]\n", "cannot be read"),
        (ITEM.replace('use = "it"', 'use = "ti"'), "did you mean 'it'?"),
        (ITEM + "day = 4\n", "did you mean 'days'?"),
        (ITEM + 'days = "four"\n', "days: Expected `int`, got `str`"),
        (ITEM + "names = [1]\n", "names: Expected `str`, got `int`"),
        (ITEM.replace('title = "A"\n', ""), "needs 'title'"),
        ('[[item]]\nid = "a"\ntitle = "A"\n', "names no check"),
        (ITEM + ITEM, "has two items 'a'"),
        ("item = 3\n", "has no [[item]]"),
        ("item = [3]\n", "is no table"),
        ("settings = 3\n" + ITEM, "is no table"),
    ],
)
def test_mistake_is_named(load: Callable[..., Any], text: str, message: str) -> None:
    with pytest.raises(ChecklistError) as raised:
        load(text)
    assert message in str(raised.value)
    assert "list.toml" in str(raised.value)


def test_settings_come_from_the_environment_then_the_item_then_the_checklist(
    load: Callable[..., Any],
) -> None:
    text = "[settings]\ndays = 5\n" + ITEM
    assert load(text).items[0].uses[0].settings["days"] == 5
    assert load(text + "days = 9\n").items[0].uses[0].settings["days"] == 9
    assert load(text + "days = 9\n", days=7).items[0].uses[0].settings["days"] == 7


def test_a_setting_that_no_check_has_is_named_with_the_place_it_stands(load: Callable[..., Any]) -> None:
    for where, wrong in (
        ("list.toml: settings", "[settings]\nday = 5\n"),
        ("the environment's settings", ""),
    ):
        with pytest.raises(ChecklistError) as raised:
            load(wrong + ITEM, **({} if wrong else {"day": 5}))
        assert where in str(raised.value)
        assert "did you mean 'days'?" in str(raised.value)


def test_select_by_id_or_part_of_one(load: Callable[..., Any]) -> None:
    made = load(ITEM + ITEM.replace('id = "a"', 'id = "ab"') + ITEM.replace('id = "a"', 'id = "xb"'))
    assert [item.id for item in made.select(["a"]).items] == ["a"]
    assert [item.id for item in made.select(["b"]).items] == ["ab", "xb"]
    with pytest.raises(ChecklistError, match="no item 'q'"):
        made.select(["q"])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def check(): pass", "has no check"),
        ("'''T.'''\nasync def check(mailbox):\n    yield", "asks for 'mailbox', which is no client"),
        ("async def check():\n    yield", "has no docstring"),
        ("import nothing_of_that_name", "ModuleNotFoundError"),
        ("'''T.'''\nDIAGNOSIS = ('none',)\nasync def check():\n    yield", "there is no such check"),
        ("async def check(:", "SyntaxError"),
    ],
)
def test_a_file_that_is_no_check_is_named(tmp_path: Path, source: str, message: str) -> None:
    (tmp_path / "wrong.py").write_text(source)
    with pytest.raises(ChecklistError, match=r"wrong\.py") as raised:
        discover(tmp_path)
    assert message in str(raised.value)


@given(st.text(max_size=300))
def test_any_text_is_a_checklist_or_a_clear_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.mktemp("any") / "list.toml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass")
    with pytest.raises(ChecklistError):
        checklist.load(path, {})


def test_the_shipped_checklist_has_the_guides_nine_items_and_the_retention() -> None:
    checks = discover(content.folder("checks"))
    billing = checklist.load(content.folder("checks") / "billing.toml", checks)
    assert [item.id for item in billing.items] == [
        "scraping", "webhook-metrics", "plugin", "retention", "dashboard",
        "panels", "rules", "thresholds", "routing", "test-email",
    ]  # fmt: skip
