"""Fixtures for everyone: the real servers."""

import pytest
from hypothesis import HealthCheck, settings

from opsconsole.lab import servers as lab_servers
from opsconsole.lab.servers import Pair, Servers

# How long an example takes says more of the machine than of the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


def pytest_addoption(parser: pytest.Parser) -> None:
    versions = [pair.prometheus for pair in lab_servers.PAIRS]
    parser.addoption(
        "--pair",
        choices=versions,
        help=f"the Prometheus version of the pair, {versions[-1]} if it is not given; "
        "if it is, only the tests that use real servers run",
    )
    parser.addoption(
        "--half",
        type=int,
        choices=(0, 1),
        help="with --pair: only every second file of these tests, the even ones or the odd ones",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--pair"):
        chosen = [item for item in items if "pair" in getattr(item, "fixturenames", ())]
        if (half := config.getoption("--half")) is not None:
            files = set(sorted({item.path for item in chosen})[half::2])
            chosen = [item for item in chosen if item.path in files]
        config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
        items[:] = chosen


@pytest.fixture(scope="session")
def pair(request: pytest.FixtureRequest) -> Pair:
    """The version pair chosen by `--pair`; the newest by default."""
    wanted = request.config.getoption("--pair") or lab_servers.PAIRS[-1].prometheus
    return next(pair for pair in lab_servers.PAIRS if pair.prometheus == wanted)


@pytest.fixture(scope="session")
def servers(pair: Pair) -> Servers:
    """The real servers and their tools in the chosen versions."""
    return lab_servers.find(prometheus_version=pair.prometheus, alertmanager_version=pair.alertmanager)
