"""What is known of the series that exist: from an environment, from an exposition, or guessed from the
rules."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["counter", "gauge", "histogram", "summary", "unknown"]
Origin = Literal["environment", "exposition", "guess"]

PARTS = ("_bucket", "_sum", "_count")

USUAL_TARGET_LABELS = frozenset(
    ["job", "instance", "app", "application", "az", "availability_zone", "cluster", "cluster_name",
    "component", "container", "customer", "datacenter", "dc", "endpoint", "env", "environment", "host",
    "hostname", "k8s_cluster", "kubernetes_cluster", "kubernetes_name", "kubernetes_namespace",
    "kubernetes_node", "kubernetes_pod_name", "location", "monitor", "namespace", "node", "nodename", "pod",
    "pod_name", "prometheus", "prometheus_replica", "project", "provider", "region", "release", "replica",
    "server", "service", "shard", "site", "stack", "stage", "target", "team", "tenant", "tier", "zone"]
)  # fmt: skip
"""What scrape configurations, service discovery and external labels commonly add to what a target exports."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metric:
    """One metric name, of a classic histogram each of `_bucket`, `_sum` and `_count` by itself.

    `kind` is the type of its family, so that of `x_bucket` is histogram. `series` are label sets without
    `__name__`, some hundred at most; `possible` are the names of all labels that any of its series carries,
    `always` those that every one carries. `last_seen` is unix seconds where it has series in the history and
    none now. `declared`: a target exports the metric's TYPE and no sample yet; nothing is known of its labels
    but by the series that it had. `scrape_interval_seconds` is the shortest of those at which its series are
    scraped, None where that is not known.
    """

    name: str
    kind: Kind = "unknown"
    series: tuple[Mapping[str, str], ...] = ()
    possible: frozenset[str] = frozenset()
    always: frozenset[str] = frozenset()
    last_seen: float | None = None
    declared: bool = False
    scrape_interval_seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schema:
    """The metrics that are known.

    `origin` says where from. With a guess nothing can be said of what does not exist, and no label of a
    metric is excluded. `added` are the labels that scraping may add to those of an exposition (empty for an
    environment, whose series carry them already). `recorded` are the names that recording rules among those
    rehearsed make: they exist if their rule is alive. `scrape_interval_seconds` is the longest of those at
    which its metrics are scraped, None where it is not known. `families` maps a histogram's bare name to its
    kind, as the TYPE lines or the metadata say.
    """

    origin: Origin
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    added: frozenset[str] = frozenset()
    recorded: frozenset[str] = frozenset()
    scrape_interval_seconds: float | None = None
    families: Mapping[str, Kind] = field(default_factory=dict)
    told: str = ""

    def kind(self, name: str) -> Kind:
        """The type of a metric: as declared, else by the ending of its name, as Prometheus' naming rules
        have it."""
        known = self.metrics.get(name)
        if known and known.kind != "unknown":
            return known.kind
        if name.endswith("_bucket"):
            return "histogram"
        if name.endswith(("_total", "_count", "_sum")):
            return "counter"
        return "unknown"
