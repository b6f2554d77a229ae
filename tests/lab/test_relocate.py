"""Debian's Alertmanager, made to find its templates in its own folder."""

from pathlib import Path

import pytest

from opsconsole.lab.relocate import PACKAGED, command, relocate


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """A package's files, as far as they matter here."""
    templates = tmp_path / "all" / PACKAGED
    templates.mkdir(parents=True)
    (templates / "default.tmpl").write_text("{{ define }}")
    (tmp_path / "unit").mkdir()
    return tmp_path / "all"


def test_one_path_is_replaced_by_one_of_the_same_length(unpacked: Path) -> None:
    program = unpacked.parent / "unit" / "alertmanager"
    code = b"\x00 /%b/ui/ \x01/%b\x02 /%b/no-ui" % ((PACKAGED.encode(),) * 3)
    program.write_bytes(code)
    program.chmod(0o755)
    relocate(program, unpacked)
    moved = program.read_bytes()
    assert len(moved) == len(code)
    before, _, after = moved.partition(b"\x01")
    path, _, rest = after.partition(b"\x02")
    assert before == code.partition(b"\x01")[0]
    assert rest == code.partition(b"\x02")[2]
    assert (program.parent / path.decode() / "default.tmpl").read_text() == "{{ define }}"
    assert program.stat().st_mode & 0o111


def test_a_program_without_the_path_is_left_alone(unpacked: Path) -> None:
    program = unpacked.parent / "unit" / "prometheus"
    program.write_bytes(b"nothing of the kind")
    relocate(program, unpacked)
    assert program.read_bytes() == b"nothing of the kind"
    assert list(program.parent.iterdir()) == [program]


def test_it_is_started_in_its_own_folder(tmp_path: Path) -> None:
    assert command(tmp_path / "alertmanager") == ["env", "--chdir", tmp_path, tmp_path / "alertmanager"]
