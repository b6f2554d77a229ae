"""Where `checks/` and `runbooks/` are: beside the package in a checkout, inside it in the wheel."""

from pathlib import Path

_PACKAGE = Path(__file__).parent


def folder(name: str) -> Path:
    """The folder `name` ("checks" or "runbooks") that belongs to this opsconsole."""
    inside = _PACKAGE / "_content" / name
    return inside if inside.is_dir() else _PACKAGE.parent / name


def runbook(name: str) -> str | None:
    """The Markdown of a runbook page, or None where there is no page of that name."""
    page = folder("runbooks") / f"{name}.md"
    return page.read_text(encoding="utf-8") if page.is_file() else None
