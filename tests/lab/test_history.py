"""The history: plausible, seamless, the same series as the live service, and cheap to bring up to date."""

import json
import re
import subprocess
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest

from opsconsole.errors import LabError
from opsconsole.lab import history, past
from opsconsole.lab.history import DAYS, STEP_SECONDS, TODAY_PIECES, wanted_pieces
from opsconsole.lab.past import DAY_SECONDS, INCIDENT_AT_SECONDS, INCIDENT_SECONDS, ORIGIN, WEEK_SECONDS
from opsconsole.lab.servers import Servers
from opsconsole.lab.service.metrics import Metrics
from opsconsole.lab.service.streams import streams

P = "rsolv_billing_"
MIDNIGHT = ORIGIN + 60 * WEEK_SECONDS  # a day with an incident
NOON = MIDNIGHT + DAY_SECONDS // 2
AFTERWARDS = MIDNIGHT + DAY_SECONDS


def samples(times: range, calm_from: float = AFTERWARDS, seed: int = 1) -> dict[str, list[int]]:
    """The values of each series, by its name with labels."""
    found: dict[str, list[int]] = {}
    for line in "".join(past.exposition(seed, times, calm_from)).splitlines()[:-1]:
        series, value, _ = line.rsplit(" ", 2)
        found.setdefault(series, []).append(int(value))
    return found


def summed(found: dict[str, list[int]], pattern: str) -> list[int]:
    return [
        sum(values) for values in zip(*(v for s, v in found.items() if re.search(pattern, s)), strict=True)
    ]


def growth(values: list[int]) -> list[int]:
    return [after - before for before, after in pairwise(values)]


def live_series() -> set[str]:
    metrics = Metrics()
    metrics.prepare(streams(1))
    lines = metrics.expose("text/plain")[0].decode().splitlines()
    return {normal(line.rsplit(" ", 1)[0]) for line in lines if not line.startswith("#")}


def normal(series: str) -> str:
    """A series with its labels sorted and without those that the scrape adds."""
    name, labels = series.rstrip("}").split("{")
    kept = [label for label in labels.split(",") if not label.startswith(("job=", "instance="))]
    return name + ",".join(sorted(kept))


def test_past_and_live_are_the_same_series() -> None:
    assert {normal(series) for series in samples(range(NOON, NOON + 1))} == live_series()


def test_two_stretches_fit_together() -> None:
    whole = samples(range(NOON, NOON + 1200, 120))
    halves = [samples(range(NOON, NOON + 600, 120)), samples(range(NOON + 600, NOON + 1200, 120))]
    assert whole == {series: halves[0][series] + halves[1][series] for series in whole}


def test_counters_only_rise_and_histograms_add_up() -> None:
    found = samples(range(MIDNIGHT, AFTERWARDS, 600))
    for series, values in found.items():
        assert values == sorted(values), series
    for family in ("payment_processed_amount_cents", "credits_added_quantity", "usage_tracked_quantity"):
        everything = summed(found, rf"{family}_bucket.*\+Inf")
        assert everything == summed(found, f"{family}_count")
        assert summed(found, rf'{family}_bucket.*le="100\.0"') <= everything
    assert summed(found, "credits_added_quantity_count") == summed(found, "credits_added_total")


def test_days_are_busier_than_nights() -> None:
    hours = growth(summed(samples(range(MIDNIGHT, AFTERWARDS, 3600)), "payment_processed_total"))
    assert max(hours) > 1.5 * min(hours)


def failed_share(times: range, calm_from: float = AFTERWARDS) -> list[float]:
    found = samples(times, calm_from)
    failed = growth(summed(found, 'payment_processed_total.*status="failed"'))
    return [f / n for f, n in zip(failed, growth(summed(found, "payment_processed_total")), strict=True)]


def test_the_incident_is_a_warning_and_not_critical() -> None:
    start = MIDNIGHT + INCIDENT_AT_SECONDS
    during = failed_share(range(start, start + INCIDENT_SECONDS + 1, 300))
    assert all(0.10 < share < 0.25 for share in during)
    assert max(failed_share(range(NOON, AFTERWARDS, 300))) < 0.05


def test_no_incident_is_under_way_when_a_lab_starts() -> None:
    start = MIDNIGHT + INCIDENT_AT_SECONDS
    during = failed_share(range(start, start + INCIDENT_SECONDS, 300), calm_from=MIDNIGHT)
    assert max(during) < 0.05


def covered(pieces: Iterable[tuple[int, int]]) -> tuple[int, int]:
    """From where to where, if the pieces are seamless."""
    ordered = sorted(pieces)
    for before, after in pairwise(ordered):
        assert before[1] == after[0]
    return ordered[0][0], ordered[-1][1]


def test_the_history_reaches_back_fifteen_days_and_up_to_now() -> None:
    for now in (NOON, MIDNIGHT, MIDNIGHT + 1, AFTERWARDS - 1, NOON + 0.5):
        start, end = covered(wanted_pieces(now, []))
        assert start <= now - DAYS * DAY_SECONDS
        assert end - STEP_SECONDS <= now < end


def test_only_the_gap_is_made_later() -> None:
    present = wanted_pieces(NOON, [])
    later = wanted_pieces(NOON + 7200, present)
    assert set(later) - set(present) == {(present[-1][1], later[-1][1])}
    assert wanted_pieces(NOON + STEP_SECONDS, present) == present


def test_the_pieces_of_a_day_do_not_pile_up() -> None:
    present: list[tuple[int, int]] = []
    for start in range(NOON, NOON + 12 * 1200, 1200):
        present = wanted_pieces(start, present)
        assert len(present) <= DAYS + 1 + TODAY_PIECES
        covered(present)
    next_day = wanted_pieces(AFTERWARDS + 3600, present)
    assert (MIDNIGHT, AFTERWARDS) in next_day
    assert covered(next_day)[0] == covered(present)[0] + DAY_SECONDS


def test_a_clock_set_back_drops_the_future() -> None:
    present = wanted_pieces(NOON, [])
    assert covered(wanted_pieces(NOON - 3600, present))[1] <= NOON - 3600 + STEP_SECONDS


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A cache of its own, and a short and coarse history to keep it quick."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(history, "DAYS", 2)
    monkeypatch.setattr(history, "STEP_SECONDS", 1200)
    monkeypatch.setattr(history, "RECENT_STEP_SECONDS", 300)
    return tmp_path / "opsconsole" / "history"


def provide(servers: Servers, folder: Path, now: float) -> tuple[list[str], set[str]]:
    """What was said, and the blocks that the lab got."""
    said: list[str] = []
    history.provide(folder, servers.promtool, seed=1, on_progress=said.append, now=now)
    return said, {path.name for path in folder.iterdir()}


def test_blocks_are_made_once_and_then_linked(small: Path, servers: Servers, tmp_path: Path) -> None:
    said, first = provide(servers, tmp_path / "one", NOON)
    again, second = provide(servers, tmp_path / "two", NOON)
    _, third = provide(servers, tmp_path / "three", NOON + 3600)
    assert len(said) == 1
    assert again == []
    assert first == second
    assert first < third
    block = next((tmp_path / "one").glob("*/index"))
    assert block.stat().st_nlink == 4  # the cache's, and one for each lab


def test_promtool_finds_the_blocks_sound(small: Path, servers: Servers, tmp_path: Path) -> None:
    provide(servers, tmp_path / "tsdb", NOON)
    command: list[str | Path] = [servers.promtool, "tsdb", "list", tmp_path / "tsdb"]
    listed = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    count = len({normal(s) for s in samples(range(NOON, NOON + 1))})
    sound = [line for line in listed.splitlines() if re.search(rf"\s{count}\s", line)]
    assert len(sound) == len(list((tmp_path / "tsdb").iterdir()))


def test_what_a_killed_one_or_an_older_generator_left_is_removed(
    small: Path, servers: Servers, tmp_path: Path
) -> None:
    (small / "old-key" / "1-2").mkdir(parents=True)
    provide(servers, tmp_path / "one", NOON)
    [cache] = [path for path in small.iterdir() if path.is_dir()]
    (cache / ".making-x").mkdir()
    provide(servers, tmp_path / "two", NOON)
    assert not (small / "old-key").exists()
    assert not (cache / ".making-x").exists()


def test_a_promtool_that_fails_is_told(small: Path, tmp_path: Path) -> None:
    with pytest.raises(LabError, match="promtool cannot make the history"):
        history.provide(tmp_path / "x", Path("/bin/false"), seed=1, on_progress=lambda _: None, now=NOON)


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(LabError, match="the history cannot be kept"):
        history.provide(tmp_path / "x", Path("/bin/false"), seed=1, on_progress=lambda _: None, now=NOON)


def test_nothing_lies_ahead_of_now(small: Path, servers: Servers, tmp_path: Path) -> None:
    """Prometheus refuses what is older than its newest block: live samples would be lost."""
    provide(servers, tmp_path / "one", NOON + 31)
    ends = [json.loads(meta.read_text())["maxTime"] for meta in (tmp_path / "one").glob("*/meta.json")]
    assert NOON - 1200 < max(ends) / 1000 <= NOON + 32
