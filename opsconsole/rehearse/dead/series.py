"""The series that a selector can read, by the schema and by the recording rules."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import promql_parser as p

from opsconsole.promql import Matcher, Selector
from opsconsole.promql.trees import selector
from opsconsole.rehearse.dead import words
from opsconsole.rehearse.dead.labels import NAME, Labels
from opsconsole.rehearse.dead.languages import Proof, needs_a_value, passes, unpassable
from opsconsole.rehearse.dead.ranges import INFINITY, Range, Why, between, exactly
from opsconsole.rehearse.dead.vectors import Buckets, Death, Result, Value, Vector, gathered
from opsconsole.rehearse.model import Rule
from opsconsole.rehearse.schema import PARTS, Metric, Schema

Recorded = Mapping[str, Sequence[Rule]]
TARGET = ("job", "instance")
_SCRAPED = "that what is scraped carries job and instance"
_OF_ALERTS = {"ALERTS": frozenset(["alertname", "alertstate"]), "ALERTS_FOR_STATE": frozenset(["alertname"])}
_COUNTS_UP = {"counter": ("",), "histogram": ("_bucket", "_count"), "summary": ("_count",)}
_OF_OBJECTS = ("label_", "annotation_", "tag_", "container_label_")  # named by what users write on objects
_ENOUGH = 100  # label sets of one metric: beyond, some may not be known


@dataclass(frozen=True, slots=True)
class World:
    """What there is to read. `unknown_exist`: metrics that nobody exports are taken for some that could be,
    with any labels."""

    schema: Schema
    recorded: Recorded
    unknown_exist: bool

    def exists(self, name: str) -> bool:
        """Whether the metric has series, or could have some at any time."""
        known = self.schema.metrics.get(name)
        if known and known.last_seen is None and (known.series or known.declared or known.possible):
            return True
        if self.schema.origin == "guess" or name in self.schema.recorded or _by_prometheus(name):
            return True
        return any(
            name == family + part and self.schema.families.get(family) == "histogram"
            for part in PARTS
            for family in (name.removesuffix(part),)
        )

    def bare_histogram(self, name: str) -> Proof | None:
        """Whether it is the name of a classic histogram, under which itself there are no series."""
        if self.schema.origin == "guess" or name.endswith(PARTS) or name in self.schema.recorded:
            return None
        known, buckets = self.schema.metrics.get(name), self.schema.metrics.get(f"{name}_bucket")
        if known and (known.series or known.last_seen):
            return None
        exported = buckets is not None and bool(buckets.series) and buckets.last_seen is None
        if exported and self.schema.origin == "environment":
            return Proof()
        kinds = self.schema.families.get(name), known.kind if known else None
        seen = exported or "histogram" in kinds
        return Proof(f"that {name} is no native histogram") if seen else None

    def has_floats(self, name: str) -> bool:
        """Whether it is certain that the metric is no native histogram."""
        if name.endswith("_bucket") or name in _OF_ALERTS:
            return True
        known = self.schema.metrics.get(name)
        if self.schema.origin == "guess" or known is None or known.kind == "unknown":
            return False
        return known.kind != "histogram" or name.endswith(PARTS)

    def spacing(self, name: str | None) -> tuple[float, str]:
        """The seconds between two samples of a series, 0 where they are not known, and what they rest on."""
        if name is None or name in _OF_ALERTS:
            return 0.0, ""
        if rules := self.recorded.get(name):
            return min(rule.interval_seconds or 0.0 for rule in rules), ""
        known = self.schema.metrics.get(name)
        if name in self.schema.recorded or ":" in name:
            return 0.0, ""
        if known and known.scrape_interval_seconds:
            return known.scrape_interval_seconds, ""
        seconds = self.schema.scrape_interval_seconds
        if not seconds or self.schema.origin == "environment":
            return 0.0, ""
        return seconds, f"that {name} is scraped each {words.duration(seconds)}"

    def counts_up(self, name: str) -> tuple[bool, str]:
        """Whether the metric is never negative, and what that rests on."""
        known = self.schema.metrics.get(name)
        declared = known is not None and known.kind != "unknown"
        up = name.endswith(_COUNTS_UP.get(self.schema.kind(name), ()))
        sure = declared and self.schema.origin != "guess"
        return up and (declared or not name.endswith("_sum")), "" if sure else f"that {name} is a counter"


def _by_prometheus(name: str) -> bool:
    """Whether Prometheus itself writes it, of its alerts or of every target."""
    return name in _OF_ALERTS or name == "up" or name.startswith("scrape_")


def select(node: p.VectorSelector, world: World, record: Callable[[Rule], Result | None]) -> Result:
    """What a selector reads. `record` judges a recording rule; None where that would go round in circles."""
    chosen = selector(node)
    if death := _contradicting(chosen, node):
        return Result(deaths=(death,))
    name = chosen.metric
    if name is None:
        return Result((Vector(Labels().narrowed(chosen.matchers)),))
    results = []
    if rules := world.recorded.get(name):
        results = [_recorded(rule, chosen, node, record(rule)) for rule in rules]
        if world.schema.origin == "guess":
            results = [_by_these_rules(name, result) for result in results]
        if not world.schema.metrics.get(name):
            return _together(results)
    return _together([*results, _scraped(name, chosen, node, world)])


def _by_these_rules(name: str, result: Result) -> Result:
    guess = f"that nobody but these rules writes {name}"
    deaths = tuple(replace(death, guess=death.guess or guess) for death in result.deaths)
    return replace(result, deaths=deaths)


def _together(results: Iterable[Result]) -> Result:
    results = list(results)
    found = [vector for result in results for vector in result.vectors]
    return gathered(found, (death for result in results for death in result.deaths))


def _contradicting(chosen: Selector, node: p.VectorSelector) -> Death | None:
    by_label: dict[str, list[Matcher]] = {}
    for matcher in chosen.matchers:
        by_label.setdefault(matcher.label, []).append(matcher)
    for label, found in by_label.items():
        if label != NAME and (proof := unpassable(tuple(replace(one, label="") for one in found))):
            return _no_value(words.matchers(found), proof, node)
    return None


def _no_value(matchers: str, proof: Proof, node: p.VectorSelector) -> Death:
    return Death("no-match-possible", f"no value passes {matchers}", node, guess=proof.guess)


def _scraped(name: str, chosen: Selector, node: p.VectorSelector, world: World) -> Result:
    """The series of a metric that is exported, or could be."""
    if bare := world.bare_histogram(name):
        return Result(deaths=(_bare_histogram(chosen, node, bare.guess),))
    if not world.exists(name) and not world.unknown_exist:
        return Result(deaths=(_unfed(name, node, world),))
    labels = _labels(name, world, fixed=node.at is not None)
    if death := _no_label(chosen, node, labels, world):
        return Result(deaths=(death,))
    labels = labels.narrowed(chosen.matchers)
    absent = [m.label for m in chosen.matchers if m.operator == "=" and not m.value]
    known = world.schema.metrics.get(name)
    return Result((
        Vector(
            labels.without(absent) if absent else labels,
            Value(_range(name, world)),
            buckets=_buckets(name, chosen, known) if name.endswith("_bucket") else None,
            floats=world.has_floats(name),
        ),
    ))  # fmt: skip


def _labels(name: str, world: World, *, fixed: bool) -> Labels:
    known = world.schema.metrics.get(name)
    if name in _OF_ALERTS:
        return Labels(dict.fromkeys(_OF_ALERTS[name], ""))
    guessed = dict.fromkeys(TARGET, _SCRAPED)
    if world.schema.origin == "guess":
        own = name in world.schema.recorded or ":" in name
        return Labels({} if own else guessed)
    if world.schema.origin == "exposition" and _by_prometheus(name):
        return Labels(guessed)
    if known is None or fixed or not world.exists(name):
        return Labels(guessed if _by_prometheus(name) else {})
    if not known.series and not known.possible:
        return Labels(guessed if known.declared else {})
    always = dict.fromkeys(known.always, "")
    return Labels(always, known.possible | world.schema.added)


def _no_label(chosen: Selector, node: p.VectorSelector, labels: Labels, world: World) -> Death | None:
    known = world.schema.metrics.get(chosen.metric or "")
    for matcher in chosen.matchers:
        if matcher.label == NAME or labels.may_have(matcher.label) or not needs_a_value(matcher):
            continue
        return Death(
            "no-label",
            f"no series of {chosen.metric} carries the label {matcher.label}",
            node,
            _other_label(chosen, matcher, known),
            guess=_unless_added(matcher.label, world),
        )
    return None


def _unless_added(label: str, world: World) -> str:
    """What it rests on that a metric does not have a label that none of its series has."""
    if label.startswith(_OF_OBJECTS):
        return f"that nothing will ever be given the label {label}"
    return f"that scraping adds no label {label}" if world.schema.origin == "exposition" else ""


def _other_label(chosen: Selector, wrong: Matcher, known: Metric | None) -> str:
    """The selector with the label that was meant, if one is like it or has such a value."""
    taken = {matcher.label for matcher in chosen.matchers}
    names = sorted((known.possible if known else frozenset()) - taken)
    values = [
        label
        for label in names
        if wrong.operator in ("=", "=~") and known
        and any(passes(wrong, value) for one in known.series if (value := one.get(label)))
    ]  # fmt: skip
    right = words.closest(wrong.label, values) or words.closest(wrong.label, names)
    if right is None and len(values) == 1:
        right = values[0]
    if right is None:
        return ""
    put = [replace(one, label=right) if one == wrong else one for one in chosen.matchers]
    return words.selector(chosen.metric or "", put)


def _bare_histogram(chosen: Selector, node: p.VectorSelector, guess: str) -> Death:
    name = chosen.metric or ""
    return Death(
        "bare-histogram",
        f"{name} is a histogram: it has no series under its bare name, only with {words.listed(PARTS)}",
        node,
        words.selector(f"{name}_bucket", chosen.matchers),
        guess,
    )


def _unfed(name: str, node: p.VectorSelector, world: World) -> Death:
    known = world.schema.metrics.get(name)
    if known and known.last_seen is not None:
        from datetime import UTC, datetime

        seen = datetime.fromtimestamp(known.last_seen, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return Death("no-metric", f"{name} is exported by nobody any more; last seen {seen}", node)
    close = words.closest(name, (one for one in world.schema.metrics if world.exists(one)))
    correction = words.selector(close, selector(node).matchers) if close else ""
    return Death("no-metric", f"{name} is exported by nobody", node, correction)


def _range(name: str, world: World) -> Range:
    if name == "ALERTS":
        return exactly(1.0, Why("ALERTS is always 1, of an alert that is pending or firing"))
    if name == "up" and not world.recorded.get(name):
        return between(0, 1, "up is 0 or 1", nan=True, whole=True, guess="that Prometheus alone writes up")
    counts, guess = world.counts_up(name)
    if not counts:
        return Range()
    return Range(0.0, low_why=Why(f"{name} is a counter, which is never negative", guess=guess))


def _buckets(name: str, chosen: Selector, known: Metric | None) -> Buckets:
    """The bounds of the series that pass the matchers, as far as any is known."""
    asked = [matcher for matcher in chosen.matchers if matcher.label == "le"]
    others = [matcher for matcher in chosen.matchers if matcher.label != "le"]
    series = known.series if known else ()
    chosen_ones = [one for one in series if all(passes(m, one.get(m.label, "")) is not False for m in others)]
    bounds = {one["le"] for one in chosen_ones or series if "le" in one}
    groups = {frozenset(pair for pair in one.items() if pair[0] != "le") for one in chosen_ones}
    kept = {le for le in bounds if all(passes(m, le) is not False for m in asked)}
    infinite = all(passes(matcher, "+Inf") is not False for matcher in asked)
    finite = frozenset(bound for le in kept if (bound := _number(le)) is not None and abs(bound) < INFINITY)
    many = f"on the first {_ENOUGH} label sets of {name}" if len(groups) >= _ENOUGH else ""
    by_name = "" if series else f"that {name} is of a classic histogram, as its name says"
    return Buckets(name, finite or None, infinite, many, by_name)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _recorded(rule: Rule, chosen: Selector, node: p.VectorSelector, result: Result | None) -> Result:
    """What a selector reads of what a recording rule writes."""
    if result is None:
        return Result((Vector(Labels().narrowed(chosen.matchers)),))
    if result.dead:
        return Result(deaths=tuple(_of_record(rule, node, death) for death in result.deaths))
    return result.each(lambda vector: _written(rule, chosen, node, vector))


def _of_record(rule: Rule, node: p.VectorSelector, death: Death) -> Death:
    """Why a recording rule has no data, told of what reads it."""
    if death.kind == "no-metric":
        return replace(
            death, summary=f"{death.summary}; the recording rule {rule.record} reads it", node=node
        )
    summary = f"the recording rule {rule.record} can never have data: {death.summary}"
    return Death("dead-recording-rule", summary, node, guess=death.guess)


def _written(rule: Rule, chosen: Selector, node: p.VectorSelector, vector: Vector) -> Vector | Death:
    labels = vector.labels.give(rule.labels) if rule.labels else vector.labels
    for matcher in chosen.matchers:
        if matcher.label == NAME:
            continue
        if not labels.may_have(matcher.label) and needs_a_value(matcher):
            summary = f"the recording rule {rule.record} writes no series with the label {matcher.label}"
            return Death("no-label", summary, node)
        both = (*labels.matchers.get(matcher.label, ()), matcher)
        if proof := unpassable(tuple(replace(one, label="") for one in both)):
            return _no_value(f"{words.matchers(both)}, in the recording rule {rule.record}", proof, node)
        labels = labels.narrowed([matcher])
    range_ = _told_of(rule, vector.value.range)
    return Vector(labels, Value(range_), buckets=vector.buckets, floats=vector.floats)


def _told_of(rule: Rule, range_: Range) -> Range:
    """The range of what a recording rule writes, which says that its bounds come from there."""
    low, high = (
        why and replace(why, text=f"{why.text}, in the recording rule {rule.record}")
        for why in (range_.low_why, range_.high_why)
    )
    return replace(range_, low_why=low, high_why=high)
