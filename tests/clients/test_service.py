"""The service client, and the reading of expositions."""

import pytest
from pytest_httpserver import HTTPServer

from opsconsole import config
from opsconsole.clients.exposition import families
from opsconsole.clients.service import Service
from opsconsole.errors import Nonsense, Refused
from opsconsole.lab.stack import LabState
from opsconsole.model import Exchange
from tests.clients.conftest import OpenDoor

GUIDE = (
    "rsolv_billing_subscription_created_total",
    "rsolv_billing_payment_processed_total",
    "rsolv_billing_stripe_webhook_received_total",
    "rsolv_billing_usage_tracked_total",
    "rsolv_billing_credits_added_total",
)


def service(open_door: OpenDoor, url: str, metrics: str | None, token: str = "") -> Service:
    return Service(
        open_door(url, server="service", token=token), config.Service(url=url, metrics=metrics, job="j")
    )


async def test_the_families_of_the_guide_by_the_names_that_promql_knows(
    open_door: OpenDoor, lab: LabState
) -> None:
    families = await service(open_door, lab.service_url, lab.metrics_url).metrics()
    for name in GUIDE:
        assert families[name].kind == "counter"
        assert families[name].samples
    duration = families["rsolv_billing_payment_processed_duration_milliseconds"]
    assert duration.kind == "histogram"
    assert {name.removeprefix(duration.name) for name, _, _ in duration.samples} == {
        "_bucket",
        "_sum",
        "_count",
    }


async def test_health_is_the_services_own_word(open_door: OpenDoor, lab: LabState) -> None:
    healthy, words = await service(open_door, lab.service_url, None).health()
    assert healthy, words


async def test_a_service_that_calls_itself_ill(open_door: OpenDoor, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/health/billing").respond_with_json({"status": "stripe is down"}, status=503)
    healthy, words = await service(open_door, httpserver.url_for(""), None).health()
    assert not healthy
    assert "stripe is down" in words


async def test_a_login_page_is_no_health(open_door: OpenDoor, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/health/billing").respond_with_data(
        "<!doctype html>", content_type="text/html"
    )
    with pytest.raises(Nonsense, match="HTML"):
        await service(open_door, httpserver.url_for(""), None).health()


async def test_a_missing_health_page_is_not_seen(open_door: OpenDoor, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/health/billing").respond_with_data("no such page", status=404)
    with pytest.raises(Nonsense, match="404"):
        await service(open_door, httpserver.url_for(""), None).health()


async def test_no_metrics_url_is_said(open_door: OpenDoor, httpserver: HTTPServer) -> None:
    with pytest.raises(Nonsense, match="not named"):
        await service(open_door, httpserver.url_for(""), None).metrics()


async def test_the_token_goes_to_its_own_origin_alone(
    open_door: OpenDoor, httpserver: HTTPServer, recorded: list[Exchange]
) -> None:
    httpserver.expect_request("/metrics").respond_with_data("a 1\n")
    own = service(open_door, httpserver.url_for(""), httpserver.url_for("/metrics"), token="secret-token")
    await own.metrics()
    other = service(open_door, "http://127.0.0.1:1", httpserver.url_for("/metrics"), token="secret-token")
    await other.metrics()
    sent = [request.headers.get("authorization") for request, _ in httpserver.log]
    assert sent == ["Bearer secret-token", None]


@pytest.mark.parametrize(
    "text", ["<html><body>login</body></html>", '{"a": 1}', "a{b=1} 2\n", "a b c d\n", "\0"]
)
def test_rubbish_is_no_exposition(text: str) -> None:
    with pytest.raises(Nonsense):
        families(text, "text/plain", "service")


def test_a_page_under_a_false_name_is_html_all_the_same() -> None:
    with pytest.raises(Nonsense, match="HTML"):
        families(" <!doctype html>", "text/plain", "service")
    with pytest.raises(Nonsense, match="HTML"):
        families("login 1", "text/html; charset=utf-8", "service")


def test_openmetrics_that_was_cut_off_is_not_taken_for_whole() -> None:
    with pytest.raises(Nonsense, match="EOF"):
        families("# TYPE a counter\na_total 3.0\n", "application/openmetrics-text", "service")


def test_nan_and_infinity_are_values() -> None:
    samples = families('a{b="+"} NaN\na{b="-"} -Inf\n', "text/plain", "service")["a"].samples
    assert [str(value) for _, _, value in samples] == ["nan", "-inf"]


def test_openmetrics_by_its_content_type() -> None:
    text = "# TYPE a counter\na_total 3.0\na_created 1.0\n# EOF\n"
    found = families(text, "application/openmetrics-text; version=1.0.0", "service")
    assert found["a_total"].samples == [("a_total", {}, 3.0)]


async def test_a_refusal_is_a_refusal(open_door: OpenDoor, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/metrics").respond_with_data("no", status=403)
    with pytest.raises(Refused):
        await service(open_door, httpserver.url_for(""), httpserver.url_for("/metrics")).metrics()
