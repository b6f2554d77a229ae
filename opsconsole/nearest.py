"""The hint that goes with every unknown name."""

from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint that names what is closest to `name`, else all there is."""
    import difflib

    known = list(known)
    if close := difflib.get_close_matches(name, known, n=1, cutoff=0.5):
        return f"did you mean {close[0]!r}?"
    return f"there are: {', '.join(known) or 'none'}"
