"""Makes Debian's Alertmanager run from any folder.

Upstream's Alertmanager carries its notification templates inside; Debian's reads them from a fixed path under
/usr/share and does not start where they are missing. Only root could put them there. In the cached copy
that one path is therefore replaced by a relative one of the same length, and the package's own templates are
kept beside the program: started in its own folder (`command`), it finds them. Nothing else is changed.
"""

import shutil
from pathlib import Path

PACKAGED = "usr/share/prometheus/alertmanager"
FOLDER = "templates"
_OLD = f"/{PACKAGED}".encode()
_NEW = f"{FOLDER}/".encode() + b"./" * ((len(_OLD) - len(FOLDER) - 1) // 2)
_OTHER_PATHS = (b"/ui", b"/no-ui")  # of the web interface, which this path begins too


def relocate(program: Path, unpacked: Path) -> None:
    """Make `program` find the templates of the `unpacked` package in its own folder.

    A program without the fixed path (upstream's) is left as it is.
    """
    templates = sorted((unpacked / PACKAGED).glob("*.tmpl"))
    code = program.read_bytes()
    pieces = code.split(_OLD)
    moved = pieces[0]
    for piece in pieces[1:]:
        moved += (_OLD if piece.startswith(_OTHER_PATHS) else _NEW) + piece
    if not templates or moved == code:
        return
    (program.parent / FOLDER).mkdir()
    for template in templates:
        shutil.copy(template, program.parent / FOLDER)
    program.write_bytes(moved)


def command(program: Path) -> list[str | Path]:
    """How to start Alertmanager so that it finds its templates: in its own folder (env(1))."""
    return ["env", "--chdir", program.parent, program]
