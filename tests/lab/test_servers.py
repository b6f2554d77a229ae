"""The real servers are found in the order promised, in the version wanted, and fetched once."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from opsconsole.errors import MissingServer
from opsconsole.lab import debian, servers
from opsconsole.lab.servers import (
    ALERTMANAGER,
    PAIRS,
    PROMETHEUS,
    Servers,
    ask_version,
    find,
    find_promtool,
    meets,
    present,
)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder of servers, and an empty PATH."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "cache/opsconsole/servers" / platform.machine()


def program(folder: Path, name: str, version: str) -> Path:
    """A program that tells its version as the real ones do, and counts its calls beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    told = f"{name}, version {version}+ds (branch: debian, revision: 1)"
    file.write_text(f"#!/bin/sh\necho called >> {file}.calls\necho '{told}'\n")
    file.chmod(0o755)
    return file


def on_path(tmp_path: Path, prometheus: str, alertmanager: str, command: str = "alertmanager") -> None:
    for name, version in (("prometheus", prometheus), ("promtool", prometheus)):
        program(tmp_path / "bin", name, version)
    for name, version in ((command, alertmanager), ("amtool", alertmanager)):
        program(tmp_path / "bin", name, version)


def in_cache(cache: Path, prometheus: str, alertmanager: str) -> None:
    for name in ("prometheus", "promtool"):
        program(cache / f"prometheus-{prometheus}", name, prometheus)
    for name in ("alertmanager", "amtool"):
        program(cache / f"alertmanager-{alertmanager}", name, alertmanager)


@pytest.mark.parametrize(
    ("version", "wanted", "met"),
    [
        ("3.5.3", "3.5", True),
        ("3.5.3", "3.5.3", True),
        ("3.5.3", "v3", True),
        ("3.5.3", None, True),
        ("3.50.1", "3.5", False),
        ("2.53.3", "2.5", False),
        ("3.5", "3.5.3", False),
        ("3.5.3", "", False),
    ],
)
def test_a_wanted_version_is_a_prefix_in_whole_numbers(version: str, wanted: str | None, met: bool) -> None:
    assert meets(version, wanted) is met


@pytest.mark.parametrize("command", ["alertmanager", "prometheus-alertmanager"])
def test_the_path_comes_first(cache: Path, tmp_path: Path, command: str) -> None:
    on_path(tmp_path, "2.42.0", "0.25.0", command)
    in_cache(cache, "3.5.3", "0.33.1")
    found = find(download=False)
    assert found == Servers(
        prometheus=tmp_path / "bin/prometheus",
        promtool=tmp_path / "bin/promtool",
        alertmanager=tmp_path / "bin" / command,
        amtool=tmp_path / "bin/amtool",
        prometheus_version="2.42.0",
        alertmanager_version="0.25.0",
        source="PATH",
    )


def test_a_wanted_version_that_the_path_lacks_is_taken_from_the_cache(cache: Path, tmp_path: Path) -> None:
    on_path(tmp_path, "2.42.0", "0.25.0")
    in_cache(cache, "3.5.3", "0.33.1")
    found = find("3.5", "0.25", download=False)
    assert (found.prometheus_version, found.alertmanager_version) == ("3.5.3", "0.25.0")
    assert found.promtool == cache / "prometheus-3.5.3/promtool"
    assert found.source == "cache and PATH"


def test_the_newest_in_the_cache_is_taken_by_number(cache: Path) -> None:
    in_cache(cache, "2.53.3", "0.9.0")
    in_cache(cache, "3.10.0", "0.28.1")
    in_cache(cache, "3.5.3", "0.3.0")
    found = find(download=False)
    assert (found.prometheus_version, found.alertmanager_version) == ("3.10.0", "0.28.1")


def test_a_server_without_its_tool_does_not_count(cache: Path, tmp_path: Path) -> None:
    on_path(tmp_path, "2.42.0", "0.25.0")
    in_cache(cache, "3.5.3", "0.33.1")
    (tmp_path / "bin/promtool").unlink()
    (cache / "alertmanager-0.33.1/amtool").unlink()
    assert find(download=False).source == "cache and PATH"
    assert present(ALERTMANAGER, "0.33") is None


def test_a_stranger_of_the_same_name_does_not_count(cache: Path, tmp_path: Path) -> None:
    on_path(tmp_path, "2.42.0", "0.25.0")
    (tmp_path / "bin/prometheus").write_text("#!/bin/sh\necho the titan\n")
    assert present(PROMETHEUS) is None


def test_a_version_is_asked_once_and_again_when_the_program_changes(cache: Path, tmp_path: Path) -> None:
    on_path(tmp_path, "2.42.0", "0.25.0")
    for _ in range(3):
        assert find(download=False).prometheus_version == "2.42.0"
    assert (tmp_path / "bin/prometheus.calls").read_text().count("called") == 1
    on_path(tmp_path, "2.53.30", "0.25.0")
    assert find(download=False).prometheus_version == "2.53.30"


def test_a_cache_that_cannot_be_written_does_no_harm(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_path(tmp_path, "2.42.0", "0.25.0")
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert find(download=False).source == "PATH"


@pytest.mark.parametrize("notes", ["", "[1]", '{"x": 1}', "\x00", "{" * 99])
def test_damaged_notes_of_versions_are_asked_anew(cache: Path, tmp_path: Path, notes: str) -> None:
    on_path(tmp_path, "2.42.0", "0.25.0")
    cache.mkdir(parents=True)
    text = notes.replace('"x"', f'"{tmp_path}/bin/prometheus"')
    (cache / "versions.json").write_text(text)
    assert find(download=False).prometheus_version == "2.42.0"


def test_where_nothing_works_one_message_names_what_to_install(cache: Path) -> None:
    with pytest.raises(MissingServer) as failure:
        find("3.5")
    told = str(failure.value)
    assert failure.value.exit_code == 2
    assert "no Prometheus 3.5 and Alertmanager to be had: not on the PATH, not in" in told
    assert "this system has no apt-get" in told
    for name in ("prometheus", "promtool", "alertmanager", "amtool", "apt-get install"):
        assert name in failure.value.hint


def test_a_cache_that_cannot_be_made_is_a_clear_answer(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/nowhere")
    with pytest.raises(MissingServer, match="/proc/nowhere"):
        find()


def test_ubuntu_is_not_asked_for_debians_releases(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    noble = debian.Source("file:/nowhere", ("noble",), ("main", "universe"))
    monkeypatch.setattr(debian.System, "here", lambda: debian.System("ubuntu", "noble"))
    monkeypatch.setattr(debian, "system_sources", lambda: [noble])
    with pytest.raises(MissingServer, match="this system's package sources do not lead to Debian's sid"):
        find("3.5")


def test_promtool_alone_comes_from_the_path_without_any_server(cache: Path, tmp_path: Path) -> None:
    program(tmp_path / "bin", "promtool", "2.42.0")
    in_cache(cache, "3.5.3", "0.33.1")
    assert find_promtool() == tmp_path / "bin/promtool"
    assert find_promtool("2.42") == tmp_path / "bin/promtool"
    assert find_promtool("3.5") == cache / "prometheus-3.5.3/promtool"


def test_a_stranger_called_promtool_does_not_count(cache: Path, tmp_path: Path) -> None:
    (tmp_path / "bin/promtool").write_text("#!/bin/sh\necho a tool to promote\n")
    (tmp_path / "bin/promtool").chmod(0o755)
    in_cache(cache, "3.5.3", "0.33.1")
    assert find_promtool() == cache / "prometheus-3.5.3/promtool"


def test_where_there_is_no_promtool_one_message_says_what_to_install(cache: Path) -> None:
    with pytest.raises(MissingServer, match=r"no promtool 3\.5 to be had: not on the PATH") as failure:
        find_promtool("3.5")
    assert "this system has no apt-get" in str(failure.value)
    assert "apt-get install prometheus" in failure.value.hint
    assert "Alertmanager" not in str(failure.value)


def test_no_host_is_written_anywhere() -> None:
    for module in (servers, debian):
        assert "://" not in Path(str(module.__file__)).read_text()


@pytest.mark.servers
def test_the_real_pair_is_what_it_says(servers: Servers, pair: servers.Pair) -> None:
    for file, version in (
        (servers.prometheus, servers.prometheus_version),
        (servers.promtool, servers.prometheus_version),
        (servers.alertmanager, servers.alertmanager_version),
        (servers.amtool, servers.alertmanager_version),
    ):
        assert ask_version(file) == version
    assert meets(servers.prometheus_version, pair.prometheus)
    assert meets(servers.alertmanager_version, pair.alertmanager)


FETCH = """
from opsconsole.lab import servers
servers._on_path = lambda kind: None
found = servers.find(on_progress=lambda line: print(line, flush=True))
assert found.alertmanager.parent.joinpath("amtool").exists()
"""


@pytest.mark.servers
@pytest.mark.skipif(
    debian.System.here().distribution not in ("debian", "ubuntu"), reason="needs apt's packages"
)
def test_two_at_once_fetch_once_and_leave_nothing_behind(tmp_path: Path) -> None:
    cache = tmp_path / "opsconsole/servers" / platform.machine()
    (cache / ".fetch-killed/half").mkdir(parents=True)
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path)}
    both = [
        subprocess.Popen([sys.executable, "-c", FETCH], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    told = "".join(each.communicate(timeout=300)[0] for each in both)
    assert [each.returncode for each in both] == [0, 0]
    assert told.count("fetching Prometheus") == told.count("fetching Alertmanager") == 1
    kept = sorted(folder.name.partition("-")[0] for folder in cache.iterdir())
    assert kept == [".lock", "alertmanager", "prometheus"]


def test_the_pairs_are_those_of_three_releases() -> None:
    assert [pair.release for pair in PAIRS] == ["bookworm", "trixie", "sid"]
