"""The README's picture is what the screen shows today of the run that it was made of."""

import asyncio

from opsconsole.tui.picture import picture
from tests.tui import recorded


def test_the_picture_in_the_readme_is_current() -> None:
    drawn = asyncio.run(picture(recorded.entries(), size=(120, 36)))
    assert drawn == recorded.PICTURE.read_text(), "make generated"
