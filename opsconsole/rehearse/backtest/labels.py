"""The labels of an alert: those of the series that its expression returns, under those of its rule."""

import re
from collections.abc import Mapping

from opsconsole.rehearse.model import Rule

LabelSet = tuple[tuple[str, str], ...]
"""Sorted pairs, no empty values, without alertname."""

_SIMPLE = re.compile(r"\{\{-?\s*(?:\$labels|\.Labels)\.([a-zA-Z_]\w*)\s*-?\}\}", re.ASCII)


class Labelling:
    """What a rule makes of its expression's labels.

    Of templates only `{{ $labels.name }}` is filled in. `unknown` are the labels with any other template:
    what they become is not known, so alerts are shown without them.
    """

    def __init__(self, rule: Rule) -> None:
        self._templates = {name: _pieces(text) for name, text in rule.labels.items() if "{{" in text}
        self.fixed = {name: text for name, text in rule.labels.items() if name not in self._templates}
        self.unknown = frozenset(name for name, pieces in self._templates.items() if pieces is None)
        self._by_value = [name for name in sorted(self.unknown) if "alue" in rule.labels[name]]

    def of(self, series: Mapping[str, str]) -> LabelSet:
        """The alert's labels, those that are not known left as the series has them, so that two alerts
        stay two."""
        labels = {name: text for name, text in series.items() if name != "__name__"} | self.fixed
        for name, pieces in self._templates.items():
            if pieces is not None:
                labels[name] = "".join(
                    series.get(piece, "") if odd % 2 else piece for odd, piece in enumerate(pieces)
                )
        return tuple(sorted((name, text) for name, text in labels.items() if text and name != "alertname"))

    def shown(self, labels: LabelSet) -> dict[str, str]:
        """The labels of which it is known what they are."""
        return {name: text for name, text in labels if name not in self.unknown}

    def notes(self) -> list[str]:
        """What to know of the labels, for people."""
        told = []
        if self.unknown:
            told.append(f"left out: {', '.join(sorted(self.unknown))}, which its template fills in")
        if self._by_value:
            told.append(
                f"{', '.join(self._by_value)} seems to depend on the value: then Prometheus takes each new "
                "text for another alert, which is pending anew; this is not reckoned with"
            )
        return told


def _pieces(template: str) -> list[str] | None:
    """Text and label names in turn, beginning with text; None where there is more to it than that."""
    pieces = _SIMPLE.split(template)
    return None if any("{{" in text for text in pieces[::2]) else pieces
