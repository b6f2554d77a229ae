"""Damaged answers: whatever a server sends, a client returns or raises Unseen, and nothing else."""

import asyncio
import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsconsole.errors import Unseen
from tests.clients.answers import JSON_ANSWERS, TEXT_ANSWERS, Ask
from tests.standins.door import AnsweringDoor

DAMAGED = settings(max_examples=30, derandomize=True)

deep: Any = "bottom"
for _ in range(200):
    deep = [deep]

JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.just(10**400),
    st.just(-(2**64)),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["NaN", "+Inf", "1_0", "0x1p3", "-", "9999-12-31T23:59:59+99:99", "0001-01-01T00:00:00+09:00"]
    ),
    st.sampled_from(["1y1", "99999999999999999999d", "١s", "\ud800"]),
    st.just([]),
    st.just({}),
    st.just(deep),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


def ask(client: Ask, body: bytes, status: int) -> None:
    """Ask, and let nothing but Unseen be raised."""

    async def asked() -> None:
        with contextlib.suppress(Unseen):
            await client(AnsweringDoor(body, status))

    asyncio.run(asked())


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


def damaged(whole: Any, path: tuple[Any, ...], junk: Any, *, remove: bool) -> Any:
    if not path:
        return junk
    copied = copy.deepcopy(whole)
    *way, last = path
    owner = copied
    for key in way:
        owner = owner[key]
    if remove:
        del owner[last]
    else:
        owner[last] = junk
    return copied


@pytest.mark.parametrize("name", JSON_ANSWERS)
async def test_the_whole_answer_is_read(name: str) -> None:
    whole, client = JSON_ANSWERS[name]
    assert await client(AnsweringDoor(json.dumps(whole).encode()))


@pytest.mark.parametrize("name", TEXT_ANSWERS)
async def test_the_whole_text_is_read(name: str) -> None:
    whole, client = TEXT_ANSWERS[name]
    assert await client(AnsweringDoor(whole.encode(), content_type="text/plain"))


@pytest.mark.parametrize("name", JSON_ANSWERS)
def test_a_value_is_another_or_missing(name: str) -> None:
    whole, client = JSON_ANSWERS[name]

    @DAMAGED
    @given(st.sampled_from(places(whole)), JUNK, st.booleans(), st.sampled_from([200, 400]))
    def spoil(path: tuple[Any, ...], junk: Any, remove: bool, status: int) -> None:
        body = json.dumps(damaged(whole, path, junk, remove=remove)).encode("utf-8", "surrogatepass")
        ask(client, body, status)

    spoil()


@pytest.mark.parametrize("name", [*JSON_ANSWERS, *TEXT_ANSWERS])
def test_it_is_cut_or_has_other_bytes_in_it(name: str) -> None:
    whole, client = JSON_ANSWERS[name] if name in JSON_ANSWERS else TEXT_ANSWERS[name]
    text = whole.encode() if isinstance(whole, str) else json.dumps(whole).encode()

    @DAMAGED
    @given(st.integers(0, len(text)), st.integers(0, len(text)), st.binary(max_size=8))
    def spoil(begin: int, end: int, bytes_between: bytes) -> None:
        ask(client, text[:begin] + bytes_between + text[end:], 200)

    spoil()


@pytest.mark.parametrize("name", [*JSON_ANSWERS, *TEXT_ANSWERS])
@pytest.mark.parametrize(
    "body", [b"<html>", b"[" * 100_000, b'{"a":' * 100_000, b"1" * 10_000, b"null", b"\xff"]
)
def test_it_is_no_answer_at_all(name: str, body: bytes) -> None:
    _, client = JSON_ANSWERS[name] if name in JSON_ANSWERS else TEXT_ANSWERS[name]
    with pytest.raises(Unseen):
        asyncio.run(_asked(client, body))


async def _asked(client: Ask, body: bytes) -> None:
    await client(AnsweringDoor(body))


@pytest.mark.parametrize("name", JSON_ANSWERS)
def test_an_empty_body_is_no_answer(name: str) -> None:
    with pytest.raises(Unseen, match="nothing where JSON"):
        asyncio.run(_asked(JSON_ANSWERS[name][1], b""))
