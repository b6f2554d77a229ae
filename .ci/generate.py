"""Makes anew what is generated: the README's list of checks, and the pictures, from runs in the lab."""

import json
import re
import subprocess
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parent.parent
OPSCONSOLE = str(Path(sys.executable).with_name("opsconsole"))

sys.path.insert(0, str(HOME))
from opsconsole.tui.picture import save_picture  # noqa: E402
from tests.tui import recorded  # noqa: E402


def said(*argv: str) -> str:
    return subprocess.run([OPSCONSOLE, *argv], check=True, capture_output=True, text=True).stdout


readme = HOME / "README.md"
table = f"<!-- checks -->\n{said('checks', '--markdown')}<!-- /checks -->"
readme.write_text(
    re.sub(r"<!-- checks -->.*?<!-- /checks -->", lambda _: table, readme.read_text(), flags=re.DOTALL)
)


def without_bodies(line: str) -> str:
    """A line of the run, for the repository: nobody's name, and of each answer only the beginning."""
    entry = json.loads(line)
    event = entry["event"]
    if "host" in event:
        event.update(who="oncall", host="console")
    if "exchange" in event:
        event["exchange"]["response_body"] = event["exchange"]["response_body"][:200]
    return json.dumps(entry, ensure_ascii=False).replace(str(HOME), ".")


def is_drawn(command: str, line: str) -> bool:
    """Whether the picture needs this line: hundreds of requests of an alert test are on another view."""
    return command != "alert-test" or json.loads(line)["kind"] != "Exchanged"


for command, (run, drawn) in recorded.PICTURES.items():
    told = said(command, "--env", "lab", "--json").splitlines()
    run.write_text("".join(f"{without_bodies(line)}\n" for line in told if is_drawn(command, line)))
    save_picture(drawn, recorded.entries(run))
