"""What holds for every fault: it moves what it says, is journalled, and never done with a live key."""

import pytest
import stripe
from pytest_httpserver import HTTPServer

from opsconsole import alive, faults
from opsconsole.engine.checklist import load
from opsconsole.engine.discover import discover
from opsconsole.errors import ConfigError, EffectRefused, Refused
from opsconsole.faults import Means, Moved
from opsconsole.faults._stripe import event, signature
from opsconsole.secrets import MadeUp
from tests.faults.conftest import SECRET, Happened, MakeMeans, Series, everything, series

NAMES = [
    "bad_webhooks",
    "cancellations",
    "credit_grants",
    "declined_payments",
    "slow_webhooks",
    "stalled_webhooks",
]
COUNTED = NAMES[:-1]
DILUTING = ["bad_webhooks", "declined_payments", "slow_webhooks"]
KEYED = ["cancellations", "credit_grants", "declined_payments", "stalled_webhooks"]
NEEDS = {
    "declined_payments": "declining_payment_method api_key",
    "slow_webhooks": "test_hooks api_key webhook_secret",
    "cancellations": "test_hooks api_key",
    "credit_grants": "test_hooks api_key",
    "stalled_webhooks": "test_hooks api_key",
}


def test_there_is_a_fault_for_each_drill_of_the_checklist(pytestconfig: pytest.Config) -> None:
    assert faults.names() == NAMES
    folder = pytestconfig.rootpath / "checks"
    assert set(load(folder / "billing.toml", discover(folder)).drills.values()) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_has_the_name_of_its_file(name: str) -> None:
    fault = faults.named(name)
    assert fault.name == name
    assert fault.counted is (name in COUNTED)
    assert bool(fault.moves) is fault.counted


def test_an_unknown_name_is_told_the_nearest() -> None:
    with pytest.raises(ConfigError, match="no fault 'bad_webhook'") as unknown:
        faults.named("bad_webhook", where="billing.toml:9")
    assert "bad_webhooks" in unknown.value.hint
    assert unknown.value.where == "billing.toml:9"
    with pytest.raises(ConfigError):
        faults.named("_stripe")


@pytest.mark.parametrize("name", NAMES)
def test_what_it_needs_is_said(name: str) -> None:
    fault, service = faults.named(name), everything("http://service")
    assert fault.unavailable(service) == ""
    assert "http://service/" in fault.sends(service)
    for key in NEEDS.get(name, "").split():
        value = None if key in ("api_key", "webhook_secret") else ""
        without = type(service)(**{**vars(service), key: value})
        assert fault.unavailable(without) == f"service.{key} is not set"


def test_all_that_is_missing_is_said_at_once() -> None:
    bare = type(everything(""))(url="http://service", job="j")
    said = faults.named("slow_webhooks").unavailable(bare)
    assert said == "service.test_hooks and service.api_key and service.webhook_secret are not set"
    assert faults.named("bad_webhooks").unavailable(bare) == ""


@pytest.mark.parametrize("name", NAMES)
def test_whether_it_dilutes_depends_on_the_settings(name: str) -> None:
    fault, full = faults.named(name), everything("http://service")
    assert fault.dilutes(full) is bool(fault.passing_moves) is (name in DILUTING)
    bare = type(full)(**{**vars(full), "passing_payment_method": "", "webhook_secret": None})
    assert fault.dilutes(bare) is (name == "slow_webhooks")


@pytest.mark.parametrize("name", COUNTED)
async def test_bad_ones_move_exactly_what_it_says(name: str, means: Means, service_url: str) -> None:
    fault = faults.named(name)
    async with fault.open(means) as doses:
        before = await series(service_url)
        await doses.give(5, 0)
        await moved_by(5, fault.moves, before, service_url)


@pytest.mark.parametrize("name", DILUTING)
async def test_passing_ones_move_exactly_what_it_says(name: str, means: Means, service_url: str) -> None:
    fault = faults.named(name)
    async with fault.open(means) as doses:
        before = await series(service_url)
        assert await doses.give(0, 4) == ""
        await moved_by(4, fault.passing_moves, before, service_url)


async def moved_by(count: int, moves: tuple[Moved, ...], before: dict[Series, float], url: str) -> None:
    """Each is the sum of one metric's series by so much, and nothing else counts anything."""
    after = await series(url)
    changed = {key: value - before.get(key, 0.0) for key, value in after.items()}
    left = {key: by for key, by in changed.items() if by and _counts(key)}
    for moved in moves:
        wanted = {(name, value) for name, value in moved.labels.items()}
        mine = {key: by for key, by in left.items() if key[0] == moved.metric and wanted <= key[1]}
        assert sum(mine.values()) == count, moved
        left = {key: by for key, by in left.items() if key not in mine}
    assert not left


def _counts(key: Series) -> bool:
    """A counter, or the count of a histogram, also in its last bucket."""
    name, labels = key
    return name.endswith(("_total", "_count")) or (name.endswith("_bucket") and ("le", "+Inf") in labels)


@pytest.mark.parametrize("name", NAMES)
async def test_it_is_journalled_before_it_begins_and_when_its_end_was_seen(
    name: str, means: Means, happened: Happened
) -> None:
    async with faults.named(name).open(means) as doses:
        await doses.give(1, 0)
        assert happened.journal == ["begun"]
    assert happened.journal == ["begun", "ended"]
    acts = [word for word in happened.words if word in ("begun", "POST", "DELETE", "ended")]
    assert (acts[0], acts[1], acts[-1]) == ("begun", "POST", "ended")
    (data,) = happened.of("begun")
    assert data["kind"] in ("payment_methods", "paused_webhooks", "requests")
    assert (data["url"], data["run"]) == (means.service.base, means.run)
    assert alive.is_alive(data["process"])


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("key", ["api_key", "webhook_secret"])
async def test_a_live_key_is_refused_before_anything_is_sent_or_journalled(
    name: str, key: str, means_on: MakeMeans, httpserver: HTTPServer, happened: Happened
) -> None:
    live = "sk_live_0123456789abcdef"
    means = means_on(httpserver.url_for(""), **{key: MadeUp("env:STRIPE", live)})
    with pytest.raises(EffectRefused, match="live") as refused:
        async with faults.named(name).open(means):
            pass
    assert live not in str(refused.value)
    assert (happened.lines, httpserver.log) == ([], [])


@pytest.mark.parametrize("name", KEYED)
async def test_a_key_that_does_not_open_the_door_says_nothing_of_the_alert(
    name: str, means_on: MakeMeans, service_url: str, happened: Happened
) -> None:
    means = means_on(service_url, api_key=MadeUp("lab:WRONG", "another-key"))
    with pytest.raises(Refused, match="not logged in"):
        async with faults.named(name).open(means) as doses:
            await doses.give(1, 0)
    assert happened.journal == ["begun", "ended"]


async def test_signatures_are_those_of_stripe_s_own_library(means: Means) -> None:
    body = event("run")
    stripe.WebhookSignature.verify_header(body.decode(), signature(means.settings, body), SECRET, 300)
    assert event("run") != body
    with pytest.raises(stripe.SignatureVerificationError, match="outside the tolerance"):
        stripe.WebhookSignature.verify_header(
            body.decode(), signature(means.settings, body, 1.0), SECRET, 300
        )
