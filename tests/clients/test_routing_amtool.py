"""Routing agrees with `amtool config routes test`, over generated configurations and label sets.

OPSCONSOLE_ROUTING_CONFIGS sets the number of configurations (24 by default, for CI's sake).
"""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from opsconsole.clients.routing import AlertmanagerConfig
from opsconsole.lab.servers import Pair, Servers
from tests.clients.generated import Generator, quoted, quoted_name, text

CONFIGS = int(os.environ.get("OPSCONSOLE_ROUTING_CONFIGS", "24"))
LABEL_SETS = 6

pytestmark = pytest.mark.servers


@pytest.mark.parametrize("seed", range(CONFIGS))
def test_receivers_in_order(seed: int, pair: Pair, servers: Servers, tmp_path: Path) -> None:
    generator = Generator(seed, utf8=pair.alertmanager != "0.25")
    file = tmp_path / "alertmanager.yml"
    file.write_text(text(generator.config()), encoding="utf-8")
    config = AlertmanagerConfig.parse(file.read_text(encoding="utf-8"))
    for labels in [generator.labels() for _ in range(LABEL_SETS)]:
        ours = [route.receiver for route in config.routes(labels)]
        assert ours == amtool_receivers(servers, file, labels), (
            f"{labels}\n{file.read_text(encoding='utf-8')}"
        )


def amtool_receivers(servers: Servers, file: Path, labels: Mapping[str, str]) -> list[str]:
    arguments = [f"{quoted_name(name)}={quoted(value)}" for name, value in labels.items()]
    command = [str(servers.amtool), "config", "routes", "test", f"--config.file={file}", "--", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{done.stderr}{done.stdout}\n{file.read_text(encoding='utf-8')}"
    return done.stdout.strip().split(",")
