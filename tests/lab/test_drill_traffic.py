"""The dense traffic of a drill lab is healthy in every window of the shortened rules."""

from collections import Counter
from collections.abc import Iterable

import pytest

from opsconsole.lab.parts import DRILL_PACE, SEED
from opsconsole.lab.service.metrics import Metrics
from opsconsole.lab.service.streams import Stream
from opsconsole.lab.service.traffic import Traffic
from opsconsole.lab.shortening import LEAST_WINDOW_SECONDS, SCRAPE_SECONDS, shortened

SECONDS = 600
FEW = round(LEAST_WINDOW_SECONDS / SCRAPE_SECONDS)
DAY_WINDOW = round(shortened(24 * 3600) / SCRAPE_SECONDS)
FIVE_MINUTES_WINDOW = round(shortened(300) / SCRAPE_SECONDS)

SHARES = {  # of the rules: what counts, of what, in how many scrapes at least and at most
    "payments": ("payment failed", "payment", FEW, FIVE_MINUTES_WINDOW),
    "webhooks": ("webhook failed", "webhook", FEW, FIVE_MINUTES_WINDOW),
    "cancellations": ("cancelled", "created", DAY_WINDOW - 4, DAY_WINDOW),
}


class Tally(Metrics):
    """Counts by what the rules ask for, much faster than real metrics."""

    def __init__(self) -> None:
        self.totals: Counter[str] = Counter()
        self.highest: dict[str, float] = {}

    def prepare(self, streams: Iterable[Stream]) -> None:
        pass

    def count(self, family: str, amount: float = 1, /, **labels: str) -> None:
        match family, labels.get("status"):
            case "payment_processed", status:
                self.totals.update(["payment", f"payment {status}"])
            case "stripe_webhook_received", _:
                self.totals["webhook"] += 1
            case "stripe_webhook_failed", _:
                self.totals["webhook failed"] += 1
            case "subscription_created", "success":
                self.totals["created"] += 1
            case "subscription_cancelled", _:
                self.totals["cancelled"] += 1
            case "credits_added", _:
                self.totals["grant"] += 1

    def observe(self, family: str, value: float, /, **labels: str) -> None:
        self.highest[family] = max(value, self.highest.get(family, 0.0))


@pytest.fixture(scope="module")
def played() -> tuple[Tally, list[Counter[str]]]:
    """What was counted in all, and what each scrape would have seen."""
    tally = Tally()
    traffic = Traffic(tally, SEED)
    scrapes = []
    for number in range(round(SECONDS / SCRAPE_SECONDS)):
        traffic.play_until(DRILL_PACE * number * SCRAPE_SECONDS)
        scrapes.append(tally.totals.copy())
    return tally, scrapes


@pytest.mark.parametrize("share", SHARES)
def test_no_window_comes_near_the_threshold(played: tuple[Tally, list[Counter[str]]], share: str) -> None:
    """Also where a few scrapes are missed, and so a rate sees less; the thresholds are 10 %."""
    part, whole, least, most = SHARES[share]
    parts, wholes = ([scrape[name] for scrape in played[1]] for name in (part, whole))
    for width in range(least, most + 1):
        worst = max(
            (parts[end] - parts[end - width]) / (wholes[end] - wholes[end - width])
            for end in range(width, len(parts))
        )
        assert worst < 0.09, f"in {width} scrapes"


@pytest.mark.parametrize("first_seconds", [0, 4, 5, 6])
@pytest.mark.parametrize("share", SHARES)
def test_nor_do_the_first_seconds(
    played: tuple[Tally, list[Counter[str]]], share: str, first_seconds: int
) -> None:
    """Before a window is full; the first scrape comes about five seconds after the start."""
    part, whole, _, most = SHARES[share]
    first, *others = played[1][round(first_seconds / SCRAPE_SECONDS) :][: most + 1]
    for scrape in others:
        assert scrape[part] - first[part] <= 0.09 * (scrape[whole] - first[whole])


def test_every_short_window_has_grants_and_webhooks(played: tuple[Tally, list[Counter[str]]]) -> None:
    """A quantile of nothing is no number, and silence is an alert."""
    scrapes = played[1]
    for before, after in zip(scrapes, scrapes[FIVE_MINUTES_WINDOW:], strict=False):
        assert after["grant"] - before["grant"] >= 3
        assert after["webhook"] > before["webhook"]


def test_no_value_comes_near_a_threshold(played: tuple[Tally, list[Counter[str]]]) -> None:
    highest = played[0].highest
    assert highest["stripe_webhook_received_duration_milliseconds"] <= 250
    assert highest["credits_added_quantity"] <= 250
