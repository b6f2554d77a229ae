"""`opsconsole.toml` as typed settings: one table an environment, `[env.NAME]`."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from opsconsole.errors import ConfigError
from opsconsole.nearest import nearest
from opsconsole.secrets import Secret
from opsconsole.tablereader import NameOrPath, Port, Reader, Seconds, Url
from opsconsole.tomlfile import TomlFile

FILE_NAME = "opsconsole.toml"
LAB = "lab"
"""The environment that is embedded: it is in no file, and is made from the running lab."""

SERVERS = ("prometheus", "alertmanager", "grafana", "service")
_INBOX_NEEDS = {
    "lab": ("url",),
    "imap": ("host", "user", "password"),
    "mailpit": ("url",),
    "postmark": ("token",),
}


@dataclass(frozen=True, kw_only=True)
class Server:
    """Where a server is and how it lets us in.

    `token` is sent as a bearer token; `user` and `password` as HTTP Basic; `ca_file` is a PEM file of
    authorities to trust beside the system's; `timeout_seconds` bounds one request.
    """

    url: Url
    token: Secret | None = None
    user: str = ""
    password: Secret | None = None
    ca_file: Path | None = None
    timeout_seconds: Seconds | None = None


@dataclass(frozen=True, kw_only=True)
class Grafana(Server):
    """`dashboard` is the uid of the dashboard that the checklist is about, `reference` the file with that
    dashboard as it is meant."""

    dashboard: str
    reference: Path | None = None


@dataclass(frozen=True, kw_only=True)
class Service(Server):
    """The service under observation: `metrics` is the full URL of its metrics endpoint as seen from here
    (None: seen only through Prometheus), `job` the Prometheus job that scrapes it, the rest the paths of
    the endpoints that checks call on `url`."""

    metrics: Url | None = None
    api_key: Secret | None = None
    job: str
    webhook_path: str = "/api/webhooks/stripe"
    health_path: str = "/health/billing"
    payment_methods_path: str = "/api/v1/billing/payment-methods"
    declining_payment_method: str = ""
    passing_payment_method: str = ""
    webhook_secret: Secret | None = None
    test_hooks: str = ""


@dataclass(frozen=True, kw_only=True)
class Inbox:
    """The mailbox in which a test mail is looked for.

    `kind`: "lab" (the lab's inbox), "imap", "mailpit" or "postmark". `url` for lab, mailpit and postmark
    (Postmark's default is its public API); `host`, `port`, `user`, `password`, `folder` for imap (TLS always,
    except on loopback); `token` for postmark and mailpit. `address` limits the search to one recipient.
    """

    kind: Literal["lab", "imap", "mailpit", "postmark"]
    url: Url = ""
    host: str = ""
    port: Port = 993
    user: str = ""
    password: Secret | None = None
    folder: str = "INBOX"
    token: Secret | None = None
    address: str = ""
    ca_file: Path | None = None
    timeout_seconds: Seconds | None = None


@dataclass(frozen=True, kw_only=True)
class Slack:
    """The Slack channel in which the alerts of this environment arrive, read with an app's token (scopes
    channels:history and channels:read; groups:… for a private channel). `channel` is its id (C…) or its name
    (#…), `url` the Web API's."""

    token: Secret
    channel: str
    url: Url = "https://slack.com/api"


@dataclass(frozen=True, kw_only=True)
class PagerDuty:
    """PagerDuty's incidents, read with a REST API key, which may be a read-only one; `url` is the API of the
    account's service region."""

    token: Secret
    url: Url = "https://api.pagerduty.com"


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
    file; `settings` go before the checklist's own [settings]; `sign_offs` (in the file: `sign_off`) maps
    an item to the note with which this configuration signs it; `check_timeout_seconds` bounds a check,
    waiting not counted; `source` is where it is configured, file and line.
    """

    name: str
    prometheus: Server | None = None
    alertmanager: Server | None = None
    grafana: Grafana | None = None
    service: Service | None = None
    inbox: Inbox | None = None
    slack: Slack | None = None
    pagerduty: PagerDuty | None = None
    cluster: Cluster | None = None
    checklist: NameOrPath = "billing"
    rules: Path | None = None
    protected: bool = False
    allow_faults: bool = False
    request_timeout_seconds: Seconds = 10.0
    check_timeout_seconds: Seconds = 60.0
    settings: Mapping[str, Any] = field(default_factory=dict)
    sign_offs: Mapping[str, str] = field(default_factory=dict, metadata={"key": "sign_off"})
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """What a file says, or nothing where there is none (`path` None).

    `origins` maps environment and dotted key (`grafana.url`) to file and line; what is not in it is a
    default.
    """

    path: Path | None = None
    environments: Mapping[str, Environment] = field(default_factory=dict)
    origins: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def environment(self, name: str) -> Environment:
        """The environment of that name, with the files that it names in place. Raises ConfigError."""
        environment = self.named(name)
        for key, path in files(environment).items():
            if not is_file(path):
                raise ConfigError(
                    f"{key}: there is no file {path}",
                    where=self.origins[name].get(key, ""),
                    hint=f"correct the path, which is relative to the folder of {FILE_NAME}",
                )
        return environment

    def named(self, name: str) -> Environment:
        """The environment of that name, as it is written. Raises ConfigError."""
        if environment := self.environments.get(name):
            return environment
        if name == LAB:
            raise ConfigError(
                "the lab is embedded, and made when it starts", hint="opsconsole verify --env lab"
            )
        if self.path is None:
            raise ConfigError(
                f"no environment {name!r}: there is no {FILE_NAME} here or above, nor in ~/.config",
                hint="opsconsole init writes one to begin with",
            )
        raise ConfigError(
            f"no environment {name!r}", where=str(self.path), hint=nearest(name, [*self.environments, LAB])
        )


def files(environment: Environment) -> dict[str, Path]:
    """The files that an environment names, by their dotted keys."""
    named = {"rules": environment.rules}
    if "/" in environment.checklist:
        named["checklist"] = Path(environment.checklist)
    named["grafana.reference"] = environment.grafana.reference if environment.grafana else None
    for key in (*SERVERS, "inbox"):
        named[f"{key}.ca_file"] = getattr(getattr(environment, key), "ca_file", None)
    return {key: path for key, path in named.items() if path is not None}


def find(start: Path) -> Path | None:
    """The nearest opsconsole.toml from `start` upwards, else the one in the user's configuration folder
    ($XDG_CONFIG_HOME, ~/.config)."""
    return next((path for path in _places(start.absolute()) if is_file(path)), None)


def load(path: Path) -> Configuration:
    """Read the file at `path`. Raises ConfigError with file, line and table for anything that is wrong."""
    file = TomlFile.read(path)
    reader = Reader(file)
    reader.only(file.data, ("env",), ())
    environments = {
        name: _environment(reader, name, table)
        for name, table in reader.table(file.data.get("env", {}), ("env",)).items()
    }
    origins: dict[str, dict[str, str]] = {name: {} for name in environments}
    for (_, name, *keys), place in reader.origins.items():
        origins[name][".".join(keys)] = place
    return Configuration(path=path, environments=environments, origins=origins)


def open_configuration(given: Path | None = None) -> Configuration:
    """The file given, else the nearest one, else an empty configuration."""
    try:
        path = given or find(Path.cwd())
    except FileNotFoundError:
        raise ConfigError("the working folder is gone", hint="cd to one that exists") from None
    return load(path) if path else Configuration()


def load_environment(name: str, given: Path | None = None) -> Environment:
    """The environment `name` of the file given, else of the nearest one. Raises ConfigError."""
    return open_configuration(given).environment(name)


def _environment(reader: Reader, name: str, table: Any) -> Environment:
    keys = ("env", name)
    if name == LAB:
        reader.file.wrong(
            keys, "lab is the embedded environment: it needs no configuration and takes none",
            "give yours another name", table=keys,
        )  # fmt: skip
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}", name):
        reader.file.wrong(keys, "an environment's name is made of letters, digits, - and _", table=("env",))
    environment = reader.record(Environment, reader.table(table, keys), keys, name=name, source="")
    _complete(reader, environment, keys)
    return replace(environment, source=reader.file.place(keys))


def _complete(reader: Reader, environment: Environment, keys: tuple[str, ...]) -> None:
    """Refuse what cannot work together, before a server is asked."""
    if inbox := environment.inbox:
        for key in _INBOX_NEEDS[inbox.kind]:
            if not getattr(inbox, key):
                inner = (*keys, "inbox")
                reader.file.wrong(inner, f"kind {inbox.kind!r} needs {key!r}", table=inner)
    if environment.slack and not environment.slack.channel.strip("# "):
        inner = (*keys, "slack")
        reader.file.wrong(inner, "channel: no channel is named", 'like "#billing-alerts"', table=inner)
    for key in SERVERS:
        server: Server | None = getattr(environment, key)
        if server and server.token and server.password:
            reader.file.wrong(
                (*keys, key), "has a token and a password", "keep the one that is meant", table=(*keys, key)
            )


def _places(start: Path) -> list[Path]:
    above = [folder / FILE_NAME for folder in (start, *start.parents)]
    configured = os.environ.get("XDG_CONFIG_HOME", "")
    try:
        folder = Path(configured) if configured.startswith("/") else Path.home() / ".config"
    except RuntimeError:
        return above
    return [*above, folder / "opsconsole" / FILE_NAME]


def is_file(path: Path) -> bool:
    """Whether there is a file, as far as we may see."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
