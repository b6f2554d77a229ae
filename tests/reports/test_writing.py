"""A report is written whole or not at all, and one that cannot be written is known beforehand."""

import os
import stat
from pathlib import Path

import pytest

from opsconsole import reports
from opsconsole.errors import UsageError


def test_a_report_replaces_the_one_before_it(tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text("old")
    reports.check_writable(path)
    reports.write(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]
    mask = os.umask(0o022)
    os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644 & ~mask


def test_a_link_is_followed_not_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    reports.write(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_a_device_is_written_to_and_stays_one() -> None:
    device = Path("/dev/null")
    reports.check_writable(device)
    reports.write(device, "text")
    assert device.is_char_device()


def test_the_old_report_stays_where_the_new_one_cannot_be_finished(tmp_path: Path) -> None:
    path = tmp_path / "report.md"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError):
        reports.write(path, "half \udcff")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["nowhere/report.xml", "file/report.xml", "."])
def test_a_place_that_cannot_be_written_is_refused_beforehand(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("")
    for refused in (reports.check_writable, lambda path: reports.write(path, "text")):
        with pytest.raises(UsageError) as caught:
            refused(tmp_path / name)
        assert caught.value.where.startswith(str(tmp_path))
        assert caught.value.hint
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
