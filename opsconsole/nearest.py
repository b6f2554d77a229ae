"""The hint that goes with every unknown name."""

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str], *, all_at: str = "") -> str:
    """A hint that names what is closest to `name`, else all there is; where that is too much to be named,
    `all_at` are the words on where it is, and they go with both."""
    import difflib

    known = list(known)
    if close := difflib.get_close_matches(name, known, n=1, cutoff=0.5):
        return f"did you mean {close[0]!r}? {all_at}".strip()
    return all_at or f"there are: {', '.join(known) or 'none'}"
