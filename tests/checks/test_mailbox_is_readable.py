"""A mailbox that can be read, is not named, or cannot be seen."""

from opsconsole.config import Environment
from opsconsole.model import Outcome
from tests.checks.conftest import Verify, changed
from tests.checks.unseen import blinded, every_reason, saying

CHECK = "mailbox_is_readable"


async def test_passes(here: Environment, verify: Verify) -> None:
    view = await verify(here, check=CHECK)
    assert view.outcome is Outcome.PASS
    assert "the lab's inbox at" in view.text


async def test_unknown_where_none_is_named(here: Environment, verify: Verify) -> None:
    view = await verify(changed(here, inbox=None), check=CHECK)
    assert (view.outcome, view.text) == (Outcome.UNKNOWN, "the environment lab names no inbox")


@every_reason
async def test_unknown_when_not_to_be_seen(reason: str, here: Environment, verify: Verify) -> None:
    async with blinded(here, "inbox_url", reason) as blind:
        view = await verify(blind, check=CHECK)
    assert view.outcome is Outcome.UNKNOWN
    assert saying(reason) in view.text
