"""Rules fired by promtool: with series that are given, and with random ones that keep to a schema."""

import json
import math
import os
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random

from opsconsole.rehearse.model import Rule
from opsconsole.rehearse.packing import rule_entry
from opsconsole.rehearse.schema import Metric, Schema

Series = Mapping[str, str]
"""Values in promtool's notation by the name of the series."""

_FAILED = re.compile(r"rule: ((?:A\d+)|(?:[^\s,]+)), time: ")
_FIRED = re.compile(r'alertname="A(\d+)"')
_ODD_VALUES = {"status": "error", "plan": "gold", "reason": "refund", "job": "other", "le": ""}
_STEPS = (-5.0, -1.0, 0.0, 0.1, 0.5, 1.0, 2.0, 4.0, 5.0, 6.0, 100.0, 1e4)


def fired(
    promtool: Path, rules: Sequence[Rule], series: Series, folder: Path, *,
    interval_seconds: int, samples: int, records: Sequence[Rule] = (),
) -> tuple[set[int], set[int]]:  # fmt: skip
    """The places of the rules that fired, and of those that Prometheus gave up on, if only at one moment.

    A sample and an evaluation each `interval_seconds`; the first rules that fail are left out of another run.
    """
    failed: set[int] = set()
    alerts = {place: {**rule_entry(rule), "alert": f"A{place}"} for place, rule in enumerate(rules)}
    before = [rule_entry(rule) for rule in records]
    while alerts:
        end = f"{interval_seconds * (samples - 1)}s"
        firing = f'max by (alertname) (max_over_time(ALERTS{{alertstate="firing"}}[{end}]))'
        wanted = {"expr": firing, "eval_time": end, "exp_samples": [{"labels": '{none="x"}', "value": 1}]}
        test = {
            "interval": f"{interval_seconds}s",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": [wanted],
        }
        said = _said(promtool, folder, [*before, *alerts.values()], test, interval_seconds)
        wrong = {int(name[1:]) for name in _FAILED.findall(said) if name[1:].isdigit()} & alerts.keys()
        if not wrong:
            assert "got:" in said, said[:2000]
            return set(map(int, _FIRED.findall(said.replace('\\"', '"').partition("got:")[2]))), failed
        failed |= wrong
        alerts = {place: entry for place, entry in alerts.items() if place not in wrong}
    return set(), failed


def _said(promtool: Path, folder: Path, rules: Sequence[object], test: object, interval_seconds: int) -> str:
    groups = {"groups": [{"name": "attacked", "rules": rules}]}
    (folder / "rules.yml").write_text(json.dumps(groups), encoding="utf-8")
    whole = {"rule_files": ["rules.yml"], "evaluation_interval": f"{interval_seconds}s", "tests": [test]}
    (folder / "test.yml").write_text(json.dumps(whole), encoding="utf-8")
    environment = {**os.environ, "TMPDIR": str(folder), "GOGC": "800"}
    ran = subprocess.run(
        [promtool, "test", "rules", "test.yml"], cwd=folder, env=environment, capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip
    return ran.stdout + ran.stderr


def random_series(random: Random, schema: Schema, samples: int, names: Sequence[str]) -> dict[str, str]:
    """Series of these metrics, some with values of labels that were never seen."""
    found: dict[str, str] = {}
    for name in names:
        metric = schema.metrics[name]
        for _ in range(random.choice((0, 1, 1, 2, 3))):
            labels = _labels(random, metric)
            if metric.name.endswith("_bucket"):
                found.update(_histogram(random, metric, labels, samples))
            else:
                found[_named(name, labels)] = _written(_values(random, metric, samples))
    return found


def _labels(random: Random, metric: Metric) -> dict[str, str]:
    labels = dict(random.choice(metric.series))
    for label in [*labels]:
        if random.random() < 0.2:
            labels[label] = _ODD_VALUES.get(label, "odd")
        if label not in metric.always and random.random() < 0.4:
            del labels[label]
    labels.pop("le", None)
    return labels


def _histogram(
    random: Random, metric: Metric, labels: dict[str, str], samples: int
) -> Iterator[tuple[str, str]]:
    bounds = sorted({one["le"] for one in metric.series}, key=float)
    total = [0.0] * samples
    there = [random.random() < 0.95 for _ in range(samples)]
    for bound in bounds:
        share = _counter(random, samples, gaps=False)
        total = [before + (more or 0.0) for before, more in zip(total, share, strict=True)]
        values = [value if here else None for value, here in zip(total, there, strict=True)]
        yield _named(metric.name, {**labels, "le": bound}), _written(values)


def _values(random: Random, metric: Metric, samples: int) -> list[float | None]:
    if metric.name == "up":
        return [random.choice((0.0, 1.0, 1.0, None)) for _ in range(samples)]
    return (_counter if metric.kind in ("counter", "histogram") else _gauge)(random, samples)


def _counter(random: Random, samples: int, *, gaps: bool = True) -> list[float | None]:
    values: list[float | None] = []
    pace, value, gappy = (
        random.choice((0.0, 0.1, 1.0, 1000.0)),
        random.choice((0.0, 7.0)),
        random.random() < 0.3,
    )
    for _ in range(samples):
        value = 0.0 if random.random() < 0.03 else value + pace * random.choice((0, 0, 1, 1, 1, 9))
        values.append(None if gaps and gappy and random.random() < 0.2 else value)
    return values


def _gauge(random: Random, samples: int) -> list[float | None]:
    odd = (None, math.nan, math.inf, -math.inf)
    if random.random() < 0.3:
        return [random.choice(_STEPS)] * samples
    values: list[float | None] = []
    value = random.choice(_STEPS)
    for _ in range(samples):
        value = random.choice(_STEPS) if random.random() < 0.4 else value
        values.append(random.choice(odd) if random.random() < 0.1 else value)
    return values


def _named(name: str, labels: Mapping[str, str]) -> str:
    inside = ",".join(f"{label}={json.dumps(value)}" for label, value in sorted(labels.items()) if value)
    return f"{name}{{{inside}}}"


def _written(values: Sequence[float | None]) -> str:
    return " ".join("_" if value is None else _number(value) for value in values)


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return repr(value) if math.isfinite(value) else "Inf" if value > 0 else "-Inf"
