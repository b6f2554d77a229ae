"""What is proven empty is empty on the real Prometheus, over generated expressions.

OPSCONSOLE_PROMQL_EXPRESSIONS sets their number (600 by default).
"""

import asyncio
import json
import os
import random
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from opsconsole.lab import processes
from opsconsole.lab.servers import Servers
from tests.rehearse.worlds import world

pytestmark = pytest.mark.servers

EXPRESSIONS = int(os.environ.get("OPSCONSOLE_PROMQL_EXPRESSIONS", "600"))
SERIES = [
    {"__name__": "paid", "job": "a", "plan": "pro"},
    {"__name__": "paid", "job": "a", "plan": "team", "coupon": "x"},
    {"__name__": "failed", "job": "a", "code": "declined"},
    {"__name__": "bare"},
    {"__name__": "plans", "plan": "pro"},
    *({"__name__": "took_bucket", "job": "a", "le": le} for le in ("1.0", "+Inf")),
    {"__name__": "took_count", "job": "a"},
]
AGO_SECONDS = 3600
STEP_SECONDS = 15


class Expressions:
    """Random instant vectors over SERIES and over what is not there."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def vector(self, depth: int = 3) -> str:
        if depth == 0:
            return self.selector()
        pick = self.random.choice
        match pick(("select", "rate", "aggregate", "binary", "binary", "set", "set", "call", "quantile")):
            case "select":
                return self.selector()
            case "rate":
                return f"{pick(('rate', 'sum_over_time', 'absent_over_time'))}({self.selector()}[5m])"
            case "aggregate":
                head = pick(("sum", "count", "topk", 'count_values("plan",'))
                return self.aggregate(head, self.vector(depth - 1))
            case "binary":
                operator, group = (
                    pick(("+", "/", ">", "== bool")),
                    pick(("", "", " group_left ()", " group_left (code)")),
                )
                matching = self.matching(always=bool(group))
                return f"({self.vector(depth - 1)}) {operator}{matching}{group} ({self.vector(depth - 1)})"
            case "set":
                operator = pick(("and", "or", "unless"))
                return f"({self.vector(depth - 1)}) {operator}{self.matching()} ({self.vector(depth - 1)})"
            case "quantile":
                return f"histogram_quantile(0.9, {self.vector(depth - 1)})"
        inner = self.vector(depth - 1)
        return pick(("absent({})", "abs({})", "vector(scalar({}))", "hour() + vector(0) * ({})", "({}) > -1",
                     'label_replace({}, "plan", "$1", "job", "(.*)")')).replace("{}", inner)  # fmt: skip

    def aggregate(self, head: str, inner: str) -> str:
        by = self.random.choice((" by (plan)", " by (job, le)", " by (nope)", " without (plan)", ""))
        name, _, argument = head.partition("(")
        if name == "topk":
            return f"topk{by} (1, {inner})"
        return f"{name}{by} ({argument} {inner})" if argument else f"{name}{by} ({inner})"

    def matching(self, *, always: bool = False) -> str:
        choices = [
            " on (job)",
            " on ()",
            " on (plan)",
            " on (coupon)",
            " ignoring (plan, coupon)",
            " ignoring (code)",
        ]
        return self.random.choice(choices if always else [*choices, "", "", ""])

    def selector(self) -> str:
        metric = self.random.choice(
            ("paid", "paid", "failed", "bare", "plans", "took_bucket", "took", "missing")
        )
        matcher = self.random.choice(
            ("", "", "", '{plan="pro"}', '{plan=""}', '{code!=""}', '{coupon=~"x?"}', '{nope!~"|y"}')
        )
        return metric + matcher


@pytest.fixture(scope="module")
def prometheus(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, float]]:
    """The URL of a Prometheus that holds SERIES, and a time at which it has them."""
    folder: Path = tmp_path_factory.mktemp("prometheus")
    at = float(int(time.time()) - AGO_SECONDS)
    lines = []
    for series in SERIES:
        labels = ",".join(f'{name}="{value}"' for name, value in series.items() if name != "__name__")
        for step in range(40, -1, -1):
            lines.append(f"{series['__name__']}{{{labels}}} {41 - step} {at - step * STEP_SECONDS}")
    (folder / "in.om").write_text("\n".join([*lines, "# EOF", ""]))
    (folder / "prometheus.yml").write_text("global: {}\n")
    subprocess.run(
        [servers.promtool, "tsdb", "create-blocks-from", "openmetrics", folder / "in.om", folder / "data"],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    with processes.free_ports(1) as (port,):
        process = processes.spawn(
            [
                servers.prometheus,
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            log=folder / "prometheus.log",
            die_with_parent=True,
        )
        try:
            url = f"http://127.0.0.1:{port}"
            asyncio.run(processes.wait_ready(f"{url}/-/ready", process))
            yield url, at
        finally:
            process.stop()


def query(prometheus: tuple[str, float], text: str) -> list[object] | None:
    """The result, or None where Prometheus refuses the expression (many-to-many and the like)."""
    url, at = prometheus
    arguments = urllib.parse.urlencode({"query": text, "time": at})
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query?{arguments}", timeout=60) as answer:
            result: list[object] = json.load(answer)["data"]["result"]
            return result
    except urllib.error.HTTPError as error:
        if error.code not in (400, 422):
            raise
        return None


def test_the_series_are_there(prometheus: tuple[str, float]) -> None:
    assert len(query(prometheus, '{__name__=~".+"}') or ()) == len(SERIES)


def test_what_is_proven_empty_is_empty(prometheus: tuple[str, float]) -> None:
    known, generator = world(*SERIES), Expressions(seed=1)
    proven = empty = 0
    for _ in range(EXPRESSIONS):
        text = generator.vector()
        reasons, result = known.never(text), query(prometheus, text)
        assert not (reasons and result), f"{text}\nsaid: {reasons}\nbut: {result}"
        proven += bool(reasons)
        empty += result == []
    assert proven > EXPRESSIONS / 10, "the generator proves nothing"
    assert proven < EXPRESSIONS, "the generator makes nothing that has data"
