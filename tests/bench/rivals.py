"""The same requests as `verify` made, by other means: bare httpx, a shell script, chaostoolkit."""

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from opsconsole.model import Exchange

CHAOSTOOLKIT = "chaostoolkit==1.19.0"
_PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python"]


def httpx_script(exchanges: Sequence[Exchange], folder: Path) -> list[str]:
    """All at once, no waiting for one another, nothing looked at but the status: the least there can be."""
    requests = [[e.method, e.url, e.request_headers, e.request_body] for e in exchanges]
    path = folder / "bare_httpx.py"
    path.write_text(
        "import asyncio, httpx\n"
        f"REQUESTS = {requests!r}\n"
        "async def main():\n"
        "    async with httpx.AsyncClient(verify=False, trust_env=False, timeout=60) as client:\n"
        "        answers = await asyncio.gather(\n"
        "            *(client.request(m, u, headers=h, content=b or None) for m, u, h, b in REQUESTS))\n"
        "    assert all(answer.status_code < 500 for answer in answers)\n"
        "asyncio.run(main())\n"
    )
    return [sys.executable, str(path)]


def shell_script(exchanges: Sequence[Exchange], folder: Path) -> list[str] | None:
    """In the guide's own style: curl after curl, each looked at with jq or grep."""
    if not shutil.which("curl") or not shutil.which("jq"):
        return None
    lines = ["set -e"]
    for exchange in exchanges:
        headers = " ".join(f"-H {shlex.quote(f'{k}: {v}')}" for k, v in exchange.request_headers.items())
        body = f"-d {shlex.quote(exchange.request_body)}" if exchange.request_body else ""
        look = "jq -e . >/dev/null" if "json" in exchange.response_type else "grep -c . >/dev/null"
        lines.append(f"curl -sf {headers} {body} {shlex.quote(exchange.url)} | {look}")
    path = folder / "guide.sh"
    path.write_text("\n".join(lines) + "\n")
    return ["bash", str(path)]


def chaos_experiment(exchanges: Sequence[Exchange], folder: Path, cache: Path) -> list[str] | None:
    """One probe a request, in the method of an experiment with an empty steady state."""
    chaos = _chaostoolkit(cache)
    if chaos is None:
        return None
    method = [
        {
            "type": "probe",
            "name": f"request {number}",
            "tolerance": 200,
            "provider": {
                "type": "http",
                "url": exchange.url,
                "method": exchange.method,
                "headers": exchange.request_headers,
                "timeout": 60,
                **({"arguments": exchange.request_body} if exchange.request_body else {}),
            },
        }
        for number, exchange in enumerate(exchanges)
    ]
    path = folder / "experiment.json"
    path.write_text(
        json.dumps({"title": "verify", "description": "the same requests", "method": method, "rollbacks": []})
    )
    journal = str(folder / "journal.json")
    log = str(folder / "chaostoolkit.log")
    return [str(chaos), "--log-file", log, "run", "--journal-path", journal, str(path)]


def _chaostoolkit(cache: Path) -> Path | None:
    """Its command in an environment of its own, made once; None where it cannot be had."""
    chaos = cache / "bin" / "chaos"
    if not chaos.exists():
        print(f"setting up {CHAOSTOOLKIT}, once", flush=True)
        try:
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", cache], check=True)
            subprocess.run(
                [*_PIP, str(cache / "bin" / "python"), "install", "--quiet", CHAOSTOOLKIT], check=True
            )
        except (OSError, subprocess.CalledProcessError):
            return None
    return chaos
