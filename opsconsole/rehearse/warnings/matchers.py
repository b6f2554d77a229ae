"""Matchers that look for what was never seen, or that read as something else than they say."""

import difflib
import re
from collections.abc import Iterator, Sequence

import promql_parser as p

from opsconsole.promql.trees import Matcher, selector
from opsconsole.rehearse.load.series import MOST, selects
from opsconsole.rehearse.model import Warned
from opsconsole.rehearse.places import Place, places
from opsconsole.rehearse.schema import Metric, Schema

_REGEX_IN_TEXT = re.compile(r"(?s).*(?:\.[*+]|\w\|\w|\w\.\.$).*")
_GLOB = re.compile(r"[\w-]*\w\*")
_MOST_NAMED = 5


def warnings(tree: p.Expr, schema: Schema) -> Iterator[Warned]:
    for place in places(tree):
        node = place.node.vector_selector if isinstance(place.node, p.MatrixSelector) else place.node
        if not isinstance(node, p.VectorSelector):
            continue
        chosen = selector(node)
        for matcher in chosen.matchers:
            yield from _misread(place, matcher)
        if chosen.metric and chosen.metric in schema.metrics:
            yield from _never_seen(place, chosen.matchers, schema.metrics[chosen.metric])


def _misread(place: Place, matcher: Matcher) -> Iterator[Warned]:
    """A regular expression behind `=`, and a wildcard that is none behind `=~`."""
    if matcher.operator in ("=", "!=") and _REGEX_IN_TEXT.fullmatch(matcher.value):
        told = f"{_written(matcher)} compares with this very text: a regular expression needs ~"
        meant = Matcher(matcher.label, {"=": "=~", "!=": "!~"}[matcher.operator], matcher.value)
    elif matcher.operator in ("=~", "!~") and _GLOB.fullmatch(matcher.value):
        last = matcher.value[-2]
        told = f"{_written(matcher)} is a regular expression, in which {last}* is any number of {last}"
        meant = Matcher(matcher.label, matcher.operator, f"{matcher.value[:-1]}.*")
    else:
        return
    yield Warned(
        kind="matcher-misread",
        summary=told,
        guilty=place.text,
        nth=place.nth,
        correction=place.text.replace(_written(matcher), _written(meant)),
    )


def _never_seen(place: Place, matchers: Sequence[Matcher], metric: Metric) -> Iterator[Warned]:
    """Values of labels that the metric has. A label that it does not have is no matter of values."""
    if any(map(selects(matchers), metric.series)):
        return
    unseen = {
        matcher: seen
        for matcher in matchers
        if matcher.operator in ("=", "=~") and matcher.value
        if not any(map(selects([matcher]), metric.series))
        if (seen := sorted({one[matcher.label] for one in metric.series if matcher.label in one}))
    }
    for matcher, seen in unseen.items():
        yield Warned(
            kind="label-never-seen",
            summary=f"no series of {metric.name} has had {_what(matcher, seen, matchers, metric)}",
            guilty=place.text,
            nth=place.nth,
            correction=_corrected(place, matcher, seen),
        )
        if len(metric.series) >= MOST:
            return


def _what(matcher: Matcher, seen: Sequence[str], matchers: Sequence[Matcher], metric: Metric) -> str:
    """Of a metric with many series not all are known, but all that its selectors choose."""
    if len(metric.series) >= MOST:
        return f"{', '.join(map(_written, matchers))} so far"
    named = ", ".join(seen[:_MOST_NAMED]) + (", ..." if len(seen) > _MOST_NAMED else "")
    return f"{_written(matcher)} so far: there are {named}"


def _corrected(place: Place, matcher: Matcher, seen: Sequence[str]) -> str:
    close = difflib.get_close_matches(matcher.value, seen, n=1, cutoff=0.8)
    if not close:
        return ""
    return place.text.replace(_written(matcher), _written(Matcher(matcher.label, "=", close[0])))


def _written(matcher: Matcher) -> str:
    return f'{matcher.label}{matcher.operator}"{matcher.value}"'
