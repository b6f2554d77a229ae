"""What is said of a target that is not up, and of samples that carry stamps."""

import re
import time

import msgspec
import pytest

from opsconsole import config
from opsconsole.clients.exposition import families
from opsconsole.clients.http import Endpoint, Http
from opsconsole.clients.prometheus import Target
from opsconsole.clients.service import Service
from opsconsole.clients.targets import Asked, not_up, stamped_wrongly

DOWN = Target(
    job="app", instance="app:9568", labels={}, url="http://10.0.0.7:9568/metrics", health="down",
    last_error="connection refused", last_scrape=0.0, scrape_interval_seconds=15.0,
    scrape_timeout_seconds=10.0, scrape_duration_seconds=0.0,
)  # fmt: skip


def service(metrics: str = "http://localhost:9568/metrics") -> Service:
    http = Http("service", Endpoint("http://localhost"), lambda exchange: None)
    return Service(http, config.Service(url="http://localhost", metrics=metrics, job="app"))


@pytest.mark.parametrize(
    ("error", "seconds", "metrics", "remedy"),
    [
        ("connection refused", 0.1, "http://localhost:4000/metrics", "answers on port 4000.*port 9568"),
        ("connection refused", 0.1, "https://app.example/metrics", "answers on port 443"),
        ("connection refused", 0.1, "http://localhost:9568/metrics", "what is between"),
        ("context deadline exceeded", 12.0, "http://localhost:9568/metrics", "the scrape_timeout of 10 s"),
        ("context deadline exceeded", 0.1, "http://localhost:9568/metrics", "what is between"),
        ("sample limit exceeded", 0.1, "http://localhost:4000/metrics", "the metric with the most series"),
    ],
)
def test_what_the_endpoint_answers_tells_the_cause(
    error: str, seconds: float, metrics: str, remedy: str
) -> None:
    target = msgspec.structs.replace(DOWN, last_error=error)
    finding = not_up(target, service(metrics), Asked(samples=40, seconds=seconds))
    assert finding.summary == f"is down: {error}"
    assert "scrapes http://10.0.0.7:9568/metrics" in finding.detail
    assert re.search(remedy, finding.remedy)


def test_an_endpoint_that_cannot_be_asked_is_told_and_one_that_was_not_is_not() -> None:
    assert not_up(DOWN, service(), Asked(error="answered HTML")).detail == "asked from here: answered HTML"
    assert (not_up(DOWN, service()).detail, not_up(DOWN, service(), Asked()).detail) == ("", "")


@pytest.mark.parametrize(
    ("ago_seconds", "said"),
    [(3600, "1 h behind"), (-7200, "2 h ahead"), (30, ""), (-30, ""), (None, "")],
    ids=["behind", "ahead", "a little behind", "a little ahead", "not stamped"],
)
@pytest.mark.parametrize("openmetrics", [False, True], ids=["text", "openmetrics"])
def test_stamps(ago_seconds: float | None, said: str, openmetrics: bool) -> None:
    now = time.time()
    at = "" if ago_seconds is None else now - ago_seconds
    stamp = f" {at:.3f}" if openmetrics and at else f" {1000 * at:.0f}" if at else ""
    text = f"# TYPE paid counter\npaid_total 3{stamp}\n" + ("# EOF\n" if openmetrics else "")
    kind = "application/openmetrics-text" if openmetrics else "text/plain"
    words = stamped_wrongly(families(text, kind, "here"), now)
    assert words.endswith(said)
    assert bool(words) is bool(said)
