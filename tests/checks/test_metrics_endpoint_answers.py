"""A metrics page with metrics, an empty one, none named, and one that cannot be seen."""

from opsconsole.config import Environment
from opsconsole.model import Outcome
from tests.checks.conftest import Verify, changed
from tests.checks.unseen import blinded, every_reason, saying
from tests.standins.raw import http, raw_server

CHECK = "metrics_endpoint_answers"


async def test_passes(here: Environment, verify: Verify) -> None:
    view = await verify(here, check=CHECK)
    assert view.outcome is Outcome.PASS
    assert "families at http://127.0.0.1" in view.text


async def test_it_exports_nothing(here: Environment, verify: Verify) -> None:
    async with raw_server(http(b"", content_type="text/plain")) as url:
        view = await verify(changed(here, service_metrics=url), check=CHECK)
    assert (view.outcome, view.text) == (Outcome.FAIL, f"{url} exports nothing")


async def test_skipped_where_it_is_not_named(here: Environment, verify: Verify) -> None:
    view = await verify(changed(here, service_metrics=None), check=CHECK)
    assert view.outcome is Outcome.SKIP


@every_reason
async def test_unknown_when_not_to_be_seen(reason: str, here: Environment, verify: Verify) -> None:
    async with blinded(here, "service_metrics", reason) as blind:
        view = await verify(blind, check=CHECK)
    assert view.outcome is Outcome.UNKNOWN
    assert saying(reason) in view.text
