"""`opsconsole.toml` as typed settings: one table an environment, `[env.NAME]`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsconsole.secrets import Secret


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where a server is and how it lets us in.

    `token` is sent as a bearer token; `user` and `password` as HTTP Basic; `ca_file` is a PEM file of
    authorities to trust beside the system's; `timeout_seconds` bounds one request.
    """

    url: str
    token: Secret | None = None
    user: str = ""
    password: Secret | None = None
    ca_file: Path | None = None
    timeout_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Grafana(Server):
    """`dashboard` is the uid of the dashboard that the checklist is about."""

    dashboard: str


@dataclass(frozen=True, kw_only=True)
class Service(Server):
    """The service under observation: `metrics` is the full URL of its metrics endpoint as seen from here
    (None: seen only through Prometheus), `job` the Prometheus job that scrapes it, the rest the paths of
    the endpoints that checks call on `url`."""

    metrics: str | None = None
    api_key: Secret | None = None
    job: str
    webhook_path: str = "/api/webhooks/stripe"
    health_path: str = "/health/billing"


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """The mailbox in which a test mail is looked for.

    `kind`: "lab" (the lab's inbox), "imap", "mailpit" or "postmark". `url` for lab, mailpit and postmark
    (Postmark's default is its public API); `host`, `port`, `user`, `password`, `folder` for imap (TLS always,
    except on loopback); `token` for postmark and mailpit. `address` limits the search to one recipient.
    """

    kind: str
    url: str = ""
    host: str = ""
    port: int = 993
    user: str = ""
    password: Secret | None = None
    folder: str = "INBOX"
    token: Secret | None = None
    address: str = ""
    ca_file: Path | None = None
    timeout_seconds: float | None = None


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A Kubernetes deployment, reached through the user's kubeconfig: `release` is the program in the
    container that evaluates code in the running application (the guide's `/app/bin/rsolv`)."""

    namespace: str
    deployment: str
    context: str = ""
    container: str = ""
    release: str = "/app/bin/rsolv"


@dataclass(frozen=True, kw_only=True)
class Environment:
    """One environment, complete. What is None is not named, and checks that need it say so.

    `checklist` is the path of a checklist or the name of one in `checks/`; `rules` the reference rule
    file; `settings` go before the checklist's own [settings]; `sign_offs` maps an item to the note with
    which this configuration signs it; `check_timeout_seconds` bounds a check, waiting not counted.
    """

    name: str
    prometheus: Server | None = None
    alertmanager: Server | None = None
    grafana: Grafana | None = None
    service: Service | None = None
    inbox: Inbox | None = None
    cluster: Cluster | None = None
    checklist: str = "billing"
    rules: Path | None = None
    protected: bool = False
    request_timeout_seconds: float = 10.0
    check_timeout_seconds: float = 60.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    sign_offs: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
