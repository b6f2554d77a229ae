"""The lab as an environment, in the same form as those of opsconsole.toml."""

from dataclasses import replace
from pathlib import Path

from opsconsole.config import Environment, Grafana, Inbox, Server, Service
from opsconsole.lab.state import LabState
from opsconsole.secrets import MadeUp

NAME = "lab"
JOB = "rsolv-platform"
SIGN_OFFS = {"thresholds": "the lab has no production to judge; its configuration signs, no person did"}


def outline() -> Environment:
    """What is known of a lab before it runs. It is waited for longer than other servers are: all
    that it has shares one machine, which may be busy."""
    return Environment(
        name=NAME,
        rules=reference_rules(),
        sign_offs=SIGN_OFFS,
        settings={"external_labels": {"environment": NAME}},
        request_timeout_seconds=60.0,
        check_timeout_seconds=300.0,
        source="the embedded lab",
    )


def environment(lab: LabState) -> Environment:
    """A lab that runs, with its addresses and the secrets that it made up."""
    return replace(
        outline(),
        prometheus=Server(url=lab.prometheus_url),
        alertmanager=Server(url=lab.alertmanager_url),
        grafana=Grafana(
            url=lab.grafana_url,
            token=MadeUp("lab:GRAFANA_TOKEN", lab.grafana_token),
            dashboard="billing-metrics",
            reference=lab.reference_dashboard_path,
        ),
        service=Service(
            url=lab.service_url,
            metrics=lab.metrics_url,
            api_key=MadeUp("lab:API_KEY", lab.api_key),
            job=JOB,
            declining_payment_method="pm_card_visa_chargeDeclined",
            passing_payment_method="pm_card_visa",
            webhook_secret=MadeUp("lab:WEBHOOK_SECRET", lab.webhook_secret),
            test_hooks="/lab",
        ),
        inbox=Inbox(kind="lab", url=lab.inbox_url),
        rules=lab.reference_rules_path,
        source=f"the embedded {'drill lab' if lab.drill else 'lab'} in {lab.folder}",
    )


def reference_rules() -> Path:
    """The rule file as it is shipped, not the lab's copy of it."""
    return Path(__file__).parent / "components" / "billing-alerts.yml"
