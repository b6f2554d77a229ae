"""Makes .venv with the pinned dependencies and this checkout in it, on a machine that may lack venv and pip.

Debian and Ubuntu keep both out of their Python. Then the environment is made without pip, and the
distribution's own pip, fetched without root, installs into it. Called by the Makefile; it needs Python 3.11's
standard library alone.
"""

import importlib.util
import os
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
VENV = HOME / ".venv"
INSTALL = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-compile"]
"""The lock is complete, so nothing is left to resolve; what is never imported need not be compiled."""
SYSTEM_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
PIP_TOLD_WHERE = """
import runpy, sys
sys.path.insert(0, {wheel!r})
from pip._vendor import certifi
certifi.where = lambda: {bundle!r}
runpy.run_module("pip", run_name="__main__", alter_sys=True)
"""
"""Debian's pip reads the system's certificates as soon as it is loaded, even with `--cert`."""

sys.path.insert(0, str(HOME))
from opsconsole.lab import debian  # noqa: E402


def main() -> int:
    """Exit codes: 0 done; 2 something is missing, said in one message; else pip's."""
    try:
        with tempfile.TemporaryDirectory() as folder:
            pip, environment = make(Path(folder))
            for what in (
                ["--require-hashes", "-r", "requirements.lock"],
                ["--no-build-isolation", "-e", "."],
            ):
                argv = [*pip, "install", *INSTALL, *what]
                if code := subprocess.run(argv, cwd=HOME, env=environment, check=False).returncode:
                    return code
    except debian.PackageError as no:
        print(f"{no}\n  Install python3-venv (apt-get install python3-venv) and try again.", file=sys.stderr)
        return 2
    except OSError as no:
        print(f"setting up .venv: {no}", file=sys.stderr)
        return 2
    return 0


def make(folder: Path) -> tuple[list[str], dict[str, str]]:
    """How to call the environment's pip, and with which variables; `folder` holds what has to be fetched."""
    python = str(VENV / "bin" / "python")
    has_pip = [python, "-m", "pip"], dict(os.environ)
    if _works([*has_pip[0], "--version"]):
        return has_pip
    with_pip = importlib.util.find_spec("ensurepip") is not None
    venv.create(VENV, clear=True, symlinks=True, with_pip=with_pip)
    return has_pip if with_pip else fetched_pip(python, folder)


def _works(argv: list[str]) -> bool:
    try:
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def fetched_pip(python: str, folder: Path) -> tuple[list[str], dict[str, str]]:
    """The distribution's pip as a wheel, which Python runs as it is; and certificates, if there are none."""
    packages = ["python3-pip-whl"] + ["ca-certificates"] * (not SYSTEM_CERTIFICATES.exists())
    print(f"no pip here: fetching {' and '.join(packages)}", flush=True)
    system = debian.System.here()
    apt = debian.Apt(folder / "apt", debian.sources_of(system.release, system, debian.system_sources()))
    apt.update()
    apt.unpack(packages, folder)
    wheel = next(folder.glob("usr/share/python-wheels/pip-*.whl"))
    if SYSTEM_CERTIFICATES.exists():
        return [python, str(wheel / "pip")], dict(os.environ)
    bundle = folder / "certificates.crt"
    authorities = sorted(folder.glob("usr/share/ca-certificates/mozilla/*.crt"))
    bundle.write_text("".join(authority.read_text() for authority in authorities))
    told_where = PIP_TOLD_WHERE.format(wheel=str(wheel), bundle=str(bundle))
    return [python, "-c", told_where], {"PIP_CERT": str(bundle), **os.environ}


if __name__ == "__main__":
    sys.exit(main())
