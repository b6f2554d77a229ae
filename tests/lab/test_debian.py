"""Packages without root: which sources are asked, and that nothing unsigned is ever taken."""

import subprocess
from pathlib import Path

import pytest

from opsconsole.lab.debian import Apt, PackageError, Source, System, sources_of, system_sources

BOOKWORM = System("debian", "bookworm")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"

DEB822 = f"""\
# the archive
Types: deb deb-src
URIs: http://mirror.test/debian
Suites: bookworm
# a remark within
 bookworm-updates
Components: main
Signed-By: {KEYRING}

Types: deb
URIs: http://mirror.test/debian-security
Suites: bookworm-security
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mQINBF
 -----END PGP PUBLIC KEY BLOCK-----

Enabled: no
Types: deb
URIs: http://off.test/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: http://source.test/debian
Suites: bookworm
Components: main
"""

ONE_LINE = f"""\
# deb http://remark.test/debian bookworm main
deb http://mirror.test/debian bookworm main contrib # the archive
deb [arch=amd64 signed-by={KEYRING} trusted=yes] http://mirror.test/debian bookworm-updates main
deb-src http://mirror.test/debian bookworm main
deb cdrom:[Debian 12]/ bookworm main
deb http://docker.test/linux/debian bookworm stable
deb http://postgres.test/apt bookworm-pgdg main
"""


@pytest.fixture
def apt_folder(tmp_path: Path) -> Path:
    (tmp_path / "apt/sources.list.d").mkdir(parents=True)
    return tmp_path / "apt"


def test_deb822_sources_are_read(apt_folder: Path) -> None:
    (apt_folder / "sources.list.d/debian.sources").write_text(DEB822)
    archive, security = system_sources(apt_folder)
    assert archive == Source(
        "http://mirror.test/debian", ("bookworm", "bookworm-updates"), ("main",), KEYRING
    )
    assert security.signed_by.splitlines()[0] == "-----BEGIN PGP PUBLIC KEY BLOCK-----"
    assert "\n .\n mQINBF\n" in security.stanza()


def test_one_line_sources_are_read_and_trusted_yes_is_not_carried_over(apt_folder: Path) -> None:
    (apt_folder / "sources.list").write_text(ONE_LINE)
    sources = system_sources(apt_folder)
    assert [source.uris for source in sources[:2]] == ["http://mirror.test/debian"] * 2
    assert sources[0].components == ("main", "contrib")
    assert sources[1].signed_by == KEYRING
    assert "trusted" not in sources[1].stanza().lower()
    assert len(sources) == 4


def test_the_own_release_comes_with_its_updates_and_without_strangers(apt_folder: Path) -> None:
    (apt_folder / "sources.list").write_text(ONE_LINE)
    own = sources_of("bookworm", BOOKWORM, system_sources(apt_folder))
    assert [source.suites for source in own] == [("bookworm",), ("bookworm-updates",)]


def test_another_release_is_had_from_the_same_mirror(apt_folder: Path) -> None:
    (apt_folder / "sources.list.d/debian.sources").write_text(DEB822)
    (moved,) = sources_of("sid", BOOKWORM, system_sources(apt_folder))
    assert moved == Source("http://mirror.test/debian", ("sid",), ("main",), KEYRING)


def test_a_source_that_says_stable_is_the_archive_too() -> None:
    stable = Source("http://mirror.test/debian", ("stable",), ("main",))
    assert sources_of("bookworm", BOOKWORM, [stable]) == [stable]
    assert [source.suites for source in sources_of("trixie", BOOKWORM, [stable])] == [("trixie",)]


def test_ubuntu_leads_to_no_other_release() -> None:
    noble = Source("http://mirror.test/ubuntu", ("noble", "noble-security"), ("main", "universe"))
    assert sources_of("noble", System("ubuntu", "noble"), [noble]) == [noble]
    assert sources_of("sid", System("ubuntu", "noble"), [noble]) == []


@pytest.fixture
def unsigned(tmp_path: Path) -> Source:
    """A repository on disk with one package, and no signature."""
    content, repository = tmp_path / "content", tmp_path / "repository"
    (content / "DEBIAN").mkdir(parents=True)
    control = "Package: evil\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: none\n"
    (content / "DEBIAN/control").write_text(control)
    repository.mkdir()
    subprocess.run(["dpkg-deb", "--build", content, repository / "evil.deb"], check=True, capture_output=True)
    size = (repository / "evil.deb").stat().st_size
    (repository / "Packages").write_text(f"{control}Filename: ./evil.deb\nSize: {size}\n\n")
    return Source(f"file:{repository}", ("./",), ())


def test_an_unsigned_repository_counts_as_empty(tmp_path: Path, unsigned: Source) -> None:
    apt = Apt(tmp_path / "private", [unsigned])
    apt.update()
    assert apt.versions(["evil"]) == {}
    assert "does not have a Release file" in apt.why_empty()
    with pytest.raises(PackageError, match="apt-get could not fetch evil"):
        apt.unpack(["evil"], tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.servers
def test_a_package_of_the_systems_own_release_is_fetched_and_unpacked(tmp_path: Path) -> None:
    system = System.here()
    apt = Apt(tmp_path / "private", sources_of(system.release, system, system_sources()))
    apt.update()
    assert list(apt.versions(["python3-pip-whl", "no-such-package"])) == ["python3-pip-whl"]
    apt.unpack(["python3-pip-whl"], tmp_path / "out")
    assert list(tmp_path.glob("out/usr/share/python-wheels/pip-*.whl"))


def test_a_system_without_apt_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PackageError, match="no apt-get"):
        Apt(tmp_path / "private", [])
