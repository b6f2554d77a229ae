"""A lab that is broken on purpose, told of, and mended; and the faults that there are."""

import asyncio
import json
import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.request import urlopen

import pytest
from click.testing import CliRunner

from opsconsole import content
from opsconsole.cli import group, terminal
from opsconsole.errors import LabError
from opsconsole.lab import breaking, faults, parts, processes, stack, state
from opsconsole.lab.faults import LINKS, Fault
from opsconsole.lab.servers import Pair
from opsconsole.lab.state import LabState, Member
from opsconsole.lab.workshop import Workshop

FAULT = "silenced_for_ever"
GONE = Member("gone", 2**22 + 1, 1)
"""A process that runs nowhere: pids end at 2^22."""

CHECKLIST = tomllib.loads((content.folder("checks") / "billing.toml").read_text())

every_fault = pytest.mark.parametrize("fault", faults.load().values(), ids=faults.load())


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the labs of these tests are kept, apart from all others of this user."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("place")
        patch.setenv("XDG_RUNTIME_DIR", str(folder))
        patch.setenv("XDG_STATE_HOME", str(folder))
        yield folder


@pytest.fixture(scope="module")
def kept(place: Path, pair: Pair) -> Iterator[LabState]:
    lab = asyncio.run(stack.start("kept", pair.prometheus, pair.alertmanager))
    yield lab
    stack.stop(lab)


@pytest.fixture
def whole(kept: LabState, monkeypatch: pytest.MonkeyPatch) -> Iterator[LabState]:
    """The lab that is kept, whole; these tests break it where nothing need be steady."""
    monkeypatch.setattr(Workshop, "steady", lambda workshop: None)
    yield state.load(kept.folder)
    lab = state.load(kept.folder)
    if not lab.whole:
        asyncio.run(stack.renew(lab))


@pytest.fixture
def myself() -> Member:
    identity = processes.identity(os.getpid())
    assert identity
    return Member("practice", *identity)


def lab(*arguments: str) -> str:
    """What `opsconsole lab` says. Raises what it raises."""
    done = CliRunner().invoke(group, ["lab", *arguments], catch_exceptions=False)
    return done.output


def written(folder: Path, **values: object) -> LabState:
    """A lab of which there is nothing but what is written down of it."""
    folder.mkdir(parents=True)
    known = LabState(owner="kept", folder=folder, starter=GONE, started_at=0.0, ready=True)
    made = replace(known, **values)  # type: ignore[arg-type]
    made.save()
    return made


def silences(lab: LabState) -> list[object]:
    with urlopen(f"{lab.alertmanager_url}/api/v2/silences", timeout=60) as answer:
        found: list[object] = json.loads(answer.read())
    return found


def test_it_is_broken_told_refused_another_time_and_mended(whole: LabState) -> None:
    told = lab("break", FAULT)
    assert f"The lab is broken: {faults.named(FAULT).said}." in told
    assert "`opsconsole verify` should tell" in told
    assert len(silences(whole)) == 1
    assert f"broken with {FAULT}" in lab("status")
    with pytest.raises(LabError, match=f"broken already, with {FAULT}") as refused:
        lab("break", "target_down")
    assert "opsconsole lab mend" in refused.value.hint

    assert f"whole again; it was broken with {FAULT}" in lab("mend")
    mended = state.load(whole.folder)
    assert mended.whole
    assert mended.ready
    assert {member.name for member in mended.members} == set(parts.PARTS)
    assert not {member.pid for member in mended.members} & {member.pid for member in whole.members}
    assert [*parts.health_urls(mended)] == [*parts.health_urls(whole)]
    for _, url in parts.health_urls(mended):
        with urlopen(url, timeout=60) as answer:
            assert answer.status == 200
    assert silences(mended) == []
    assert lab("break", "mend") == "The lab is whole.\n"


def test_a_lab_that_is_being_mended_is_not_taken_for_a_killed_ones(
    whole: LabState, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = replace(whole, fault=FAULT, starter=GONE)
    broken.save()
    end = parts.end

    def ended(lab: LabState) -> None:
        end(lab)
        assert not [member for member in lab.members if member.running]
        assert stack.clear_leftovers() == []

    monkeypatch.setattr(parts, "end", ended)
    assert asyncio.run(stack.renew(broken)).whole


def test_mending_that_is_cut_off_leaves_nothing(
    place: Path, kept: LabState, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = place / "opsconsole" / "lab-cut-off"
    versions = (kept.prometheus_version, kept.alertmanager_version)
    broken = written(folder, prometheus_version=versions[0], alertmanager_version=versions[1], fault=FAULT)

    def cut_off(lab: LabState) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(stack, "_write_components", cut_off)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(stack.renew(broken))
    assert not folder.exists()


def test_what_mending_has_left_that_was_killed_is_removed_and_told(place: Path, kept: LabState) -> None:
    folder = place / "opsconsole" / "lab-killed"
    written(folder, ready=False, members=(GONE,))
    assert stack.clear_leftovers() == [folder]
    assert kept.folder.exists()


def test_a_fault_that_cannot_be_brought_about_is_mended_like_one_that_can(whole: LabState) -> None:
    def breaks(workshop: Workshop) -> None:
        raise LabError("there is no such route", where="alertmanager.yml")

    with pytest.raises(LabError, match="no such route") as failed:
        breaking.break_it(whole, Fault(breaks=breaks, shows={}, name="no_route"))
    assert "opsconsole lab mend" in failed.value.hint
    assert state.load(whole.folder).fault == "no_route"


def test_nobody_breaks_mends_or_ends_a_lab_on_which_somebody_practises(
    whole: LabState, myself: Member
) -> None:
    replace(whole, fault=FAULT, practised_by=myself).save()
    for command in ("mend", "break target_down", "practise", "down"):
        with pytest.raises(LabError, match="somebody practises on it") as refused:
            lab(*command.split())
        assert FAULT not in str(refused.value)
        assert f"`give up` there, or Ctrl-C; without its terminal: kill {myself.pid}" in refused.value.hint
    assert "broken for practice" in lab("status")
    assert FAULT not in lab("status")
    assert state.load(whole.folder).members == whole.members


def test_after_a_practice_that_was_cut_off_the_lab_is_mended_without_a_word_on_the_fault(
    whole: LabState,
) -> None:
    replace(whole, fault=FAULT, practised_by=GONE).save()
    with pytest.raises(LabError, match="for a practice that was cut off"):
        lab("break", "target_down")
    told = lab("mend")
    assert "The lab is whole again." in told
    assert FAULT not in told


def test_a_lab_of_which_a_part_has_ended_is_not_broken(tmp_path: Path) -> None:
    ended = written(tmp_path / "lab-ended", members=(replace(GONE, name="inbox"),))
    with pytest.raises(LabError, match="a part of the lab has ended: inbox"):
        breaking.break_it(ended, faults.named(FAULT))


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(LabError, match="no fault 'target_dwn'") as unknown:
        lab("break", "target_dwn")
    assert unknown.value.hint == "did you mean 'target_down'? `opsconsole lab list` shows all"
    with pytest.raises(LabError, match="no fault 'zzz'") as unknown:
        lab("break", "zzz")
    assert unknown.value.hint == "`opsconsole lab list` shows all"


@pytest.mark.parametrize("command", ["break target_down", "mend", "status", "break mend"])
def test_without_a_lab_each_command_says_how_to_start_one(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    with pytest.raises(LabError, match="is up") as none:
        lab(*command.split())
    assert "opsconsole lab up" in none.value.hint


def test_the_list_shows_all_by_their_links() -> None:
    listed = lab("list")
    for fault in faults.load().values():
        assert re.search(rf"^  {fault.name} +{re.escape(fault.said)}", listed, re.MULTILINE), fault.name
    assert [line.partition(":")[0] for line in listed.splitlines() if line[0] != " "] == [*LINKS]
    assert lab("break", "list") == listed


def test_in_a_terminal_the_list_is_as_wide_as_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal, "columns", lambda: 80)
    listed = lab("list")
    assert max(map(len, listed.splitlines())) <= 80
    assert set(lab("list").split()) >= {*faults.load()}


def test_there_are_at_least_sixty_over_every_link() -> None:
    found = faults.load()
    assert len(found) >= 60
    assert {fault.link for fault in found.values()} == {*LINKS}
    files = Path(faults.__file__).parent.glob("*/[a-z]*.py")
    assert sorted(found) == sorted(path.stem for path in files), "two faults of one name"


def test_no_two_faults_are_said_alike() -> None:
    said = [fault.said for fault in faults.load().values()]
    assert len(said) == len({*said})


@every_fault
def test_a_fault_is_well_formed(fault: Fault) -> None:
    items = {item["id"] for item in CHECKLIST["item"]}
    assert re.match(r"[A-Z]", fault.said), "a sentence, for: The lab is broken: ..."
    assert not fault.said.endswith((".", ":", ","))
    assert fault.shows
    if fault.drill:
        assert fault.alert in CHECKLIST["drills"]
        assert {*fault.shows} == {fault.alert}
        assert fault.unseen, "how `verify` says that it did not look"
    else:
        assert {*fault.shows, *fault.follows} <= items
    assert not {*fault.shows} & {*fault.follows}
    for expression in (*fault.shows.values(), *fault.follows.values(), fault.unseen):
        re.compile(expression)
    assert not [words for words in fault.shows.values() if re.search(words, "")], "it matches nothing at all"
