"""When a lab's Prometheus is calm: it scrapes, it knows where to send alerts, and none is active."""

import asyncio
import json
import time
import urllib.request
from typing import Any
from urllib.parse import quote

from opsconsole.errors import LabError

LEAST_SAMPLES = 200
"""Of one scrape of the billing service: all its series, beside Prometheus' own few."""

LEAST_SCRAPES = 6
"""In the shortest window of the rules, a second, so that what they count is not the beginning of it alone."""

POLL_SECONDS = 0.05
REQUEST_SECONDS = 10.0


async def wait(prometheus_url: str, *, within_seconds: float = 120.0) -> None:
    """Wait until it is calm: about five seconds after a start, for so long it looks for nobody.

    Raises LabError where it is not within `within_seconds`.
    """
    deadline = time.monotonic() + within_seconds
    while missing := await asyncio.to_thread(_missing, prometheus_url):
        if time.monotonic() > deadline:
            raise LabError(f"not calm after {within_seconds:g} s: {missing}", where=prometheus_url)
        await asyncio.sleep(POLL_SECONDS)


def _missing(prometheus_url: str) -> str:
    """What it lacks to be calm; empty where nothing is."""
    try:
        # In this order: before the first scrape there is one alert, about silence.
        if not _answer(f"{prometheus_url}/api/v1/alertmanagers")["activeAlertmanagers"]:
            return "it knows of no Alertmanager"
        seen = f"min(scrape_samples_scraped) > {LEAST_SAMPLES}"
        scraped = f"{seen} and min(count_over_time(up[1s])) > {LEAST_SCRAPES}"
        if not _answer(f"{prometheus_url}/api/v1/query?query={quote(scraped)}")["result"]:
            return "it has not scraped the billing service for a second"
        if active := _answer(f"{prometheus_url}/api/v1/alerts")["alerts"]:
            return f"{active[0]['labels']['alertname']} is {active[0]['state']}"
    except (OSError, ValueError, LookupError) as error:
        return f"it does not answer: {error}"
    return ""


def _answer(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=REQUEST_SECONDS) as response:  # noqa: S310
        return json.load(response)["data"]
