"""What the billing service's metrics were at any moment: a pure function of seed and time.

The same streams as the live service, with a shape: days and nights, weekends, slow ripples. Each counter is
the integral of its rate since a fixed moment, in closed form, so that any stretch of history fits any other.
Once a week, at night, payments fail more often for a while, enough for the warning and not for the critical
alert.
"""

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate

from opsconsole.lab.service.families import FAMILIES, PREFIX
from opsconsole.lab.service.streams import Labels, Observed, Stream, streams

JOB = "rsolv-platform"
INSTANCE = "rsolv-platform:9568"
"""What Prometheus' relabelling makes of the service's address, so that live and past are the same series."""

DAY_SECONDS = 86_400
WEEK_SECONDS = 7 * DAY_SECONDS
ORIGIN = 1_735_689_600  # 2025-01-01, a Wednesday: where every counter begins

INCIDENT_AT_SECONDS = 11_400  # 03:10 on the first day of each week counted from ORIGIN
INCIDENT_SECONDS = 2_400
INCIDENT_FACTOR = 5.0  # 2 % of failed payments become about 15 %

_BUSY = ((DAY_SECONDS, 0.35, 9 * 3600), (WEEK_SECONDS, 0.12, -DAY_SECONDS))  # period, amplitude, shift


def exposition(seed: int, times: Sequence[int], calm_from: float) -> Iterator[str]:
    """The samples of all series at these unix times as OpenMetrics lines, series by series.

    No incident begins at or after `calm_from`: a lab starts in calm, whatever the hour.
    """
    stamps = [f" {at}\n" for at in times]
    histograms: dict[tuple[str, Labels], list[tuple[Observed, list[int]]]] = defaultdict(list)
    for stream in streams(seed):
        count = counter(seed, stream, calm_from)
        counts = [count(at) for at in times]
        for family, labels in ((stream.family, stream.labels), *stream.beside):
            yield from _lines(FAMILIES[family].exposed_name, labels, counts, stamps)
        for observed in stream.observed:
            histograms[observed.family, observed.labels].append((observed, counts))
    for (family, labels), sources in histograms.items():
        yield from _histogram(family, labels, sources, stamps)
    yield "# EOF\n"


def counter(seed: int, stream: Stream, calm_from: float) -> Callable[[float], int]:
    """How often `stream` has occurred since ORIGIN, as a function of unix time."""
    rng = random.Random(f"{seed} {stream.subject or stream.family} {stream.failed}")
    depth = 0.4 if stream.failed else 0.08
    ripples = tuple((period, depth / 2, rng.uniform(0, period)) for period in (11_160, 2_820))
    waves = (*_BUSY, *ripples)
    start = sum(_wave(0, *wave) for wave in waves)
    fails = (stream.failed and stream.subject == "payment") or stream.family == "invoice_failed"

    def count(at: float) -> int:
        seconds = at - ORIGIN
        busy = seconds + sum(_wave(seconds, *wave) for wave in waves) - start
        extra = INCIDENT_FACTOR * _incident_seconds(seconds, calm_from - ORIGIN) if fails else 0.0
        return int(stream.per_second * (busy + extra))

    return count


def _wave(seconds: float, period: float, amplitude: float, shift: float) -> float:
    """The integral of one sine wave of the rate, up to a constant."""
    turn = 2 * math.pi / period
    return -amplitude / turn * math.cos(turn * (seconds - shift))


def _incident_seconds(seconds: float, calm_from: float) -> float:
    """How long incidents have lasted in all, none on or after `calm_from`."""
    weeks, within = divmod(min(seconds, calm_from), WEEK_SECONDS)
    return weeks * INCIDENT_SECONDS + min(max(within - INCIDENT_AT_SECONDS, 0.0), INCIDENT_SECONDS)


def _histogram(
    family: str, labels: Labels, sources: list[tuple[Observed, list[int]]], stamps: list[str]
) -> Iterator[str]:
    bounds = (*FAMILIES[family].buckets, math.inf)
    for bound in bounds:
        matching = [
            _cumulated([value <= bound for value in observed.values], counts) for observed, counts in sources
        ]
        le = "+Inf" if bound == math.inf else str(bound)
        totals = [sum(parts) for parts in zip(*matching, strict=True)]
        yield from _lines(f"{PREFIX}{family}_bucket", (*labels, ("le", le)), totals, stamps)
    sums = [_cumulated(observed.values, counts) for observed, counts in sources]
    yield from _lines(
        f"{PREFIX}{family}_sum", labels, [sum(parts) for parts in zip(*sums, strict=True)], stamps
    )
    counted = [sum(parts) for parts in zip(*(counts for _, counts in sources), strict=True)]
    yield from _lines(f"{PREFIX}{family}_count", labels, counted, stamps)


def _cumulated(cycle: Sequence[int], counts: list[int]) -> list[int]:
    """The sum of the first n values of an endless repetition of `cycle`, for each n of `counts`."""
    sums = [0, *accumulate(cycle)]
    length, whole = len(cycle), sums[-1]
    return [n // length * whole + sums[n % length] for n in counts]


def _lines(name: str, labels: Labels, values: Sequence[int], stamps: list[str]) -> Iterator[str]:
    everything = (*labels, ("instance", INSTANCE), ("job", JOB))
    series = name + "{" + ",".join(f'{label}="{text}"' for label, text in everything) + "} "
    yield "".join([f"{series}{value}{stamp}" for value, stamp in zip(values, stamps, strict=True)])
