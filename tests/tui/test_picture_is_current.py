"""The pictures are what the screen shows today of the runs that they were made of."""

import asyncio

import pytest

from opsconsole.tui.picture import picture
from tests.tui import recorded


@pytest.mark.parametrize("command", recorded.PICTURES)
def test_a_picture_is_current(command: str) -> None:
    run, drawn = recorded.PICTURES[command]
    assert asyncio.run(picture(recorded.entries(run), size=(120, 36))) == drawn.read_text(), "make generated"
