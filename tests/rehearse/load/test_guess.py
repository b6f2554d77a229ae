"""What expressions alone tell of the metrics that they name."""

from opsconsole.rehearse.load import guessed, recorded
from opsconsole.rehearse.model import Panel, Rule

RULES = [
    Rule(alert="A", expr='sum by (pod) (rate(errors{code=~"5.."}[5m])) / on(pod) group_left(node) info > 1'),
    Rule(alert="B", expr="histogram_quantile(0.9, sum by (le) (rate(seconds_bucket[5m]))) > 1"),
    Rule(alert="C", expr="histogram_quantile(0.9, rate(native[5m])) > delta(queue[5m])"),
    Rule(alert="D", expr="seconds_count / bytes_count > made:rate5m"),
    Rule(
        record="made:rate5m",
        expr='sum by (site) (label_replace(sum without (zone) (up), "site", "$1", "zone", "(.*)"))',
    ),
    Rule(alert="E", expr="broken("),
    Rule(alert="F", expr='{__name__="paid_total", a="b"} > 1 unless {c="d"}'),
]


def test_metrics_their_labels_and_kinds() -> None:
    schema = guessed(RULES, [Panel(title="p", queries=("sum by (host) (up)", "$broken"))])
    assert schema.origin == "guess"
    assert {name: set(metric.possible) for name, metric in schema.metrics.items()} == {
        "errors": {"code", "pod"},
        "info": {"pod", "node"},
        "seconds_bucket": {"le"},
        "native": set(),
        "queue": set(),
        "seconds_count": set(),
        "bytes_count": set(),
        "up": {"zone", "host"},
        "paid_total": {"a"},
    }
    assert {name: schema.kind(name) for name in schema.metrics} == {
        "errors": "counter",
        "info": "unknown",
        "seconds_bucket": "histogram",
        "native": "histogram",
        "queue": "gauge",
        "seconds_count": "histogram",
        "bytes_count": "counter",
        "up": "unknown",
        "paid_total": "counter",
    }
    assert schema.families == {"seconds": "histogram", "native": "histogram"}
    assert all(not metric.series and not metric.always for metric in schema.metrics.values())


def test_what_recording_rules_make() -> None:
    assert recorded(RULES) == guessed(RULES).recorded == {"made:rate5m"}
