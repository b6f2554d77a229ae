"""What to do: the runbook pages of an item's checks. Loaded when it is first looked at."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from textual.containers import VerticalScroll
from textual.widgets import Markdown

from opsconsole import content


class Runbook(VerticalScroll):
    """Runbook pages as Markdown; a link to another page opens it here, `home` goes back."""

    _names: tuple[str, ...] = ()

    def show(self, names: Sequence[str]) -> None:
        """Show the pages of these names, one below the other; what is shown already stays as it is."""
        if tuple(names) != self._names:
            self._names = tuple(names)
            self.home()

    def home(self) -> None:
        """Show the item's own pages again."""
        self.run_worker(self._load(self._names), exclusive=True)

    async def _load(self, names: Sequence[str]) -> None:
        pages = [page for name in names if (page := content.runbook(name)) is not None]
        text = "\n\n---\n\n".join(pages) or f"There is no runbook page for {', '.join(names)}."
        if not self.query(Markdown):
            await self.mount(Markdown(open_links=False))
        await self.query_one(Markdown).update(text)
        self.scroll_home(animate=False)

    def on_markdown_link_clicked(self, event: Markdown.LinkClicked) -> None:
        event.stop()
        page = PurePosixPath(event.href.partition("#")[0])
        if page.suffix == ".md":
            self.run_worker(self._load([page.stem]), exclusive=True)
