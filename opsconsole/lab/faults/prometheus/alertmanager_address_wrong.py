"""Prometheus sends its alerts to a port where nobody listens: none has been taken."""

from urllib.request import urlopen

from opsconsole.lab import parts, processes
from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

RULES = "groups:\n"
WATCHDOG = f"""{RULES}  - name: meta
    rules:
      - alert: Watchdog
        expr: vector(1)
"""


def breaks(lab: Workshop) -> None:
    """A watchdog, as many have one, makes sure that there is something to be sent."""
    with processes.free_ports(1) as [port]:
        nobody = f"127.0.0.1:{port}"
    ours = parts.address(lab.lab.alertmanager_url)
    lab.edit(lab.lab.prometheus_config_path, (f'["{ours}"]', f'["{nobody}"]'))
    lab.edit(lab.lab.rules_path, (RULES, WATCHDOG))
    lab.restart("prometheus", "--rules.alert.resend-delay=1s")
    failed = f'prometheus_notifications_errors_total{{alertmanager="http://{nobody}/api/v2/alerts"}}'

    def refused() -> bool:
        with urlopen(f"{lab.lab.prometheus_url}/metrics") as answer:  # noqa: S310
            lines = answer.read().decode().splitlines()
        return any(line.startswith(failed) and not line.endswith(" 0") for line in lines)

    lab.until(refused, "Prometheus to find nobody at that address")


FAULT = Fault(
    breaks=breaks,
    shows={"routing": r"Prometheus sent \d+ alerts to http://127\.0\.0\.1:\d+/.*, and none was taken"},
)
