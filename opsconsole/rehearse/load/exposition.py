"""What a target exposes as the truth about series: files in Prometheus' text format or OpenMetrics.

They are read line by line and leniently, so that a part of an exposition is as good as the whole, and that
what cannot be read has its line.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from opsconsole.rehearse.load.families import endings, kind_of, kind_of_type
from opsconsole.rehearse.load.guess import recorded
from opsconsole.rehearse.load.series import Gathered, asked, expressions
from opsconsole.rehearse.load.sources import Source, refuse, sources
from opsconsole.rehearse.model import Panel, Rule
from opsconsole.rehearse.schema import USUAL_TARGET_LABELS, Kind, Metric, Schema

_QUOTED = r'"(?:\\.|[^"\\])*"'
_LABEL = re.compile(rf"\s*({_QUOTED}|[^\W\d]\w*)\s*(?:=\s*({_QUOTED}))?\s*(?:,|$)")
_SAMPLE = re.compile(rf"([a-zA-Z_:][\w:]*)?\s*(?:\{{((?:[^\"}}]|{_QUOTED})*)\}})?\s*(\S+)")
_TYPE = re.compile(rf"#\s*TYPE\s+({_QUOTED}|\S+)\s+(\w+)\s*$")
_ESCAPED = re.compile(r"\\(.)")

_TARGET = {"job": "service", "instance": "127.0.0.1:9090"}
_OF_A_SCRAPE = (
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
)
"""What Prometheus records of each scrape by itself."""


def from_exposition(
    paths: str | Path | Iterable[str | Path], rules: Iterable[Rule] = (), panels: Iterable[Panel] = ()
) -> Schema:
    """The schema of what targets expose, from one or several files; `-` is standard input.

    Every series also has the labels that a scrape gives it, with made-up values: job="service" and
    instance="127.0.0.1:9090". The series that Prometheus records of each scrape (`up` and the like) are there
    too, and may carry every usual target label. `added` are job, instance, the usual target labels, and
    of those that something in the files carries by itself the form that Prometheus gives it where the target
    has it too (`exported_pod`). A metric with a TYPE and no sample is declared; nothing is known of
    its labels. Raises ConfigError with file and line for what cannot be read.
    """
    rules, panels = list(rules), list(panels)
    files = list(sources([paths] if isinstance(paths, str | Path) else paths, (".prom", ".txt"), refuse))
    found = _Exposed(Gathered(asked(expressions(rules, panels))))
    for file in files:
        found.read(file)
    renamed = {f"exported_{label}" for label in found.labels & (USUAL_TARGET_LABELS | _TARGET.keys())}
    return Schema(
        origin="exposition",
        metrics={metric.name: metric for metric in (*found.metrics(), *_scraped())},
        added=frozenset(_TARGET) | USUAL_TARGET_LABELS | renamed,
        recorded=recorded(rules),
        families=found.families,
        told=f"what {', '.join(file.file for file in files)} exposes",
    )


class _Exposed:
    """What is in the files read so far. `labels` are the names of all that the series carry by themselves."""

    def __init__(self, gathered: Gathered) -> None:
        self.labels: set[str] = set()
        self._gathered = gathered
        self._types: dict[str, str] = {}
        self._openmetrics: set[str] = set()

    def read(self, source: Source) -> None:
        """Raises ConfigError with the line of what cannot be read."""
        if source.text.lstrip().startswith("<"):
            raise source.wrong("it is HTML, no metrics", 1, "give what the target's /metrics answers")
        types = {}
        for number, line in enumerate(source.text.split("\n"), 1):
            if declared := _TYPE.match(text := line.strip()):
                types[_unquoted(declared[1])] = declared[2]
            elif text and not text.startswith("#") and not self._sample(text):
                hint = 'a line is `name{label="value"} 1`, as a target\'s /metrics answers it'
                raise source.wrong("this line is no sample of a metric", number, hint)
        self._types.update(types)
        if source.text.rstrip().endswith("# EOF"):
            self._openmetrics.update(types)

    def _sample(self, line: str) -> bool:
        """Whether the line is a sample, which is then gathered."""
        parts = _SAMPLE.match(line)
        labels = _labels(parts[2] or "") if parts else None
        if parts is None or labels is None or not _is_number(parts[3]):
            return False
        name = parts[1] or labels.pop("", "")
        self.labels.update(label for label, value in labels.items() if value)
        self._gathered.add(name, {**_TARGET, **labels})
        return bool(name) and "" not in labels

    @property
    def families(self) -> dict[str, Kind]:
        return {name: kind_of_type(declared) for name, declared in self._types.items()}

    def metrics(self) -> Iterator[Metric]:
        """Those that have samples, then those that are declared alone."""
        named = self._gathered.names()
        for name in sorted(named):
            yield self._gathered.metric(name, kind_of(name, self._types))
        for family, declared in self._types.items():
            parts = [f"{family}{ending}" for ending in self._endings(family, declared)]
            totals = {f"{family}_total"} if declared == "counter" else set()
            if not named & {*parts, *totals}:
                kind = kind_of_type(declared)
                yield from (Metric(name=part, kind=kind, declared=True) for part in parts)

    def _endings(self, family: str, declared: str) -> tuple[str, ...]:
        if declared != "counter":
            return endings(declared)
        return ("_total",) if family in self._openmetrics and not family.endswith("_total") else ("",)


def _scraped() -> Iterator[Metric]:
    always = frozenset(_TARGET)
    for name in _OF_A_SCRAPE:
        yield Metric(
            name=name, kind="gauge", series=(_TARGET,), possible=always | USUAL_TARGET_LABELS, always=always
        )


def _labels(text: str) -> dict[str, str] | None:
    """The labels between the braces, a metric's name there (`{"name", ...}`) under the empty key; None for
    what is not in the form."""
    labels: dict[str, str] = {}
    at = 0
    while at < len(text.rstrip()):
        found = _LABEL.match(text, at)
        if not found or (found[2] is None and (found[1][0] != '"' or "" in labels)):
            return None
        name, value = ("", found[1]) if found[2] is None else (_unquoted(found[1]), found[2])
        labels[name] = _unquoted(value)
        at = found.end()
    return labels


def _unquoted(text: str) -> str:
    if not text.startswith('"'):
        return text
    return _ESCAPED.sub(lambda found: "\n" if found[1] == "n" else found[1], text[1:-1])


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
