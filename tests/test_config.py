"""opsconsole.toml: what is read, where it is found, and that anything else is a clear error without echo."""

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from opsconsole import config
from opsconsole.config import Configuration, Environment
from opsconsole.errors import ConfigError
from opsconsole.secrets import Secret

COMPLETE = """
[env.staging]
prometheus = "http://localhost:9090"
alertmanager = { url = "https://alerts.example.org/am/", user = "me", password = "env:AM_PASSWORD" }
rules = "rules/billing-alerts.yml"
request_timeout_seconds = 5
check_timeout_seconds = 30.5
checklist = "billing"
sign_off = { thresholds = "no production here" }

[env.staging.grafana]
url = "https://grafana.example.org"
token = "env:GRAFANA_TOKEN"
dashboard = "billing-metrics"
reference = "dashboards/billing.json"
ca_file = "ca.pem"
timeout_seconds = 2

[env.staging.service]
url = "https://api.example.org"
metrics = "http://localhost:9568/metrics?name=x"
api_key = "keyring:opsconsole/staging"
job = "rsolv-platform"

[env.staging.inbox]
kind = "imap"
host = "imap.example.org"
port = 1993
user = "alerts"
password = "file:secrets/imap"

[env.staging.cluster]
namespace = "rsolv-staging"
deployment = "staging-rsolv-platform"

[env.staging.slack]
token = "env:SLACK_TOKEN"
channel = "#billing-alerts"

[env.staging.pagerduty]
token = "file:secrets/pagerduty"
url = "https://api.eu.pagerduty.com"

[env.staging.settings]
expected = 7
families = [
    "a",
    "[b]",
]
days = 3

[env.production]
protected = true
checklist = "lists/short.toml"
"""


def write(folder: Path, text: str) -> Path:
    path = folder / config.FILE_NAME
    path.write_text(text, encoding="utf-8")
    return path


def refused(folder: Path, text: str) -> ConfigError:
    """The error that `text` is refused with; in its place stands `FILE` for the path."""
    path = write(folder, text)
    with pytest.raises(ConfigError) as caught:
        config.load(path)
    caught.value.where = caught.value.where.replace(str(path), "FILE")
    return caught.value


def test_everything_that_can_be_said_is_read(tmp_path: Path) -> None:
    staging = config.load(write(tmp_path, COMPLETE)).environments["staging"]
    assert staging.prometheus == config.Server(url="http://localhost:9090")
    assert staging.alertmanager == config.Server(
        url="https://alerts.example.org/am/", user="me", password=Secret("env:AM_PASSWORD")
    )
    assert staging.grafana == config.Grafana(
        url="https://grafana.example.org",
        token=Secret("env:GRAFANA_TOKEN"),
        dashboard="billing-metrics",
        reference=tmp_path / "dashboards/billing.json",
        ca_file=tmp_path / "ca.pem",
        timeout_seconds=2.0,
    )
    assert staging.service is not None
    assert staging.service.api_key == Secret("keyring:opsconsole/staging")
    assert staging.service.webhook_path == "/api/webhooks/stripe"
    assert staging.inbox is not None
    assert staging.inbox.password == Secret(f"file:{tmp_path / 'secrets/imap'}")
    assert staging.inbox.port == 1993
    assert staging.slack == config.Slack(
        token=Secret("env:SLACK_TOKEN"), channel="#billing-alerts", url="https://slack.com/api"
    )
    assert staging.pagerduty == config.PagerDuty(
        token=Secret(f"file:{tmp_path / 'secrets/pagerduty'}"), url="https://api.eu.pagerduty.com"
    )
    assert staging.cluster == config.Cluster(
        namespace="rsolv-staging", deployment="staging-rsolv-platform", release="/app/bin/rsolv"
    )
    assert staging.rules == tmp_path / "rules/billing-alerts.yml"
    assert (staging.request_timeout_seconds, staging.check_timeout_seconds) == (5.0, 30.5)
    assert staging.settings == {"expected": 7, "families": ["a", "[b]"], "days": 3}
    assert staging.sign_offs == {"thresholds": "no production here"}
    assert staging.protected is False


def test_what_is_not_said_has_its_default(tmp_path: Path) -> None:
    production = config.load(write(tmp_path, COMPLETE)).environments["production"]
    assert production == Environment(
        name="production",
        protected=True,
        checklist=str(tmp_path / "lists/short.toml"),
        source=f"{tmp_path / config.FILE_NAME}:52",
    )


def test_each_value_knows_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, COMPLETE)
    origins = config.load(path).origins["staging"]
    lines = COMPLETE.split("\n")
    for key, text in {
        "prometheus": "prometheus =",
        "alertmanager.password": "alertmanager =",
        "grafana.token": "token =",
        "inbox.kind": "kind =",
        "slack.channel": "channel =",
        "pagerduty.url": 'url = "https://api.eu',
        "settings.days": "days =",
        "sign_off.thresholds": "sign_off =",
    }.items():
        place, _, line = origins[key].rpartition(":")
        assert (place, lines[int(line) - 1].startswith(text)) == (str(path), True), key
    assert "grafana.user" not in origins


@pytest.mark.parametrize(
    ("text", "where", "message", "hint"),
    [
        ("x = 1", "FILE:1", "unknown key 'x'", "there are: env"),
        ("\nenvs = {}", "FILE:2", "unknown key 'envs'", "'env'"),
        ("[env.a]\n\nprometeus = ''", "FILE:3: [env.a]", "unknown key 'prometeus'", "'prometheus'"),
        (
            "[env.a]\ngrafana = { url = 'http://g', dashbord = '' }",
            "FILE:2: [env.a.grafana]", "'dashbord'", "'dashboard'",
        ),
        ("[env.a.grafana]\nurl = 'http://g'", "FILE:1: [env.a.grafana]", "needs 'dashboard'", ""),
        ("[env.a]\ngrafana = 'http://g'", "FILE:2: [env.a.grafana]", "needs 'dashboard'", ""),
        ("[env.a]\nprometheus = 9090", "FILE:2", "prometheus: expected a table, found a number", ""),
        ("[env.a]\nprotected = 'yes'", "FILE:2", "expected true or false, found a string", ""),
        ("[env.a]\ncheck_timeout_seconds = '10s'", "FILE:2", "expected a number of seconds", ""),
        ("[env.a]\ncheck_timeout_seconds = true", "FILE:2", "expected a number of seconds", ""),
        ("[env.a]\ncheck_timeout_seconds = 0", "FILE:2", "must be over 0 and at most 3600 seconds", ""),
        ("[env.a]\ncheck_timeout_seconds = nan", "FILE:2", "must be over 0 and at most 3600 seconds", ""),
        ("[env.a]\ncheck_timeout_seconds = 60000", "FILE:2", "must be over 0 and at most 3600", ""),
        ("[env.a]\nprometheus = 'localhost:9090'", "FILE:2", "not a URL that begins with http://", "like"),
        ("[env.a]\nprometheus = 'ftp://p'", "FILE:2", "not a URL that begins with http://", "like"),
        ("[env.a]\nprometheus = 'http://p:port'", "FILE:2", "no usable URL", "like"),
        ("[env.a]\nprometheus = 'http://p x'", "FILE:2", "not a URL", "like"),
        ("[env.a]\ninbox = { kind = 'gmail' }", "FILE:2", "kind: not one of", "'mailpit'"),
        ("[env.a]\ninbox = { kind = 'imap', port = 0, host = 'h' }", "FILE:2", "a port from 1 to 65535", ""),
        ("[env.a]\ninbox = { kind = 'mailpit' }", "FILE:2: [env.a.inbox]", "kind 'mailpit' needs 'url'", ""),
        ("[env.a]\nslack = { token = 'env:X' }", "FILE:2: [env.a.slack]", "needs 'channel'", ""),
        ("[env.a]\nslack = { channel = '#c' }", "FILE:2: [env.a.slack]", "needs 'token'", ""),
        ("[env.a]\nslack = { token = 'env:X', channel = ' #' }", "FILE:2: [env.a.slack]", "no channel", "#b"),
        ("[env.a]\nslack = { tokn = 'env:X' }", "FILE:2: [env.a.slack]", "unknown key 'tokn'", "'token'"),
        ("[env.a]\npagerduty = {}", "FILE:2: [env.a.pagerduty]", "needs 'token'", ""),
        ("[env.a]\npagerduty = { api = 1 }", "FILE:2: [env.a.pagerduty]", "unknown key 'api'", "there are"),
        ("[env.a]\nrules = ''", "FILE:2", "rules: no usable path", ""),
        ("[env.a]\nsign_off = { thresholds = ' ' }", "FILE:2", "thresholds: needs a note", ""),
        ("[env.a.settings]\nx = [inf]", "FILE:2", "x: expected a finite number", ""),
        ("[env.a.settings]\nx = " + "[" * 20 + "]" * 20, "FILE:2", "x: nested more than 16 levels", ""),
        ("[env.'a b']", "FILE:1: [env]", "letters, digits", ""),
        ("[env.lab]\nrules = 'r'", "FILE:1: [env.lab]", "lab is the embedded environment", "another name"),
        ("env = 1", "FILE:1", "env: expected a table, found a number", ""),
        ("[env]\na = 1", "FILE:2", "a: expected a table, found a number", ""),
        ("[env.a]\n\nprometheus = \n", "FILE:3", "is no valid TOML: invalid value", ""),
        ("[env.a\n", "FILE:1", "is no valid TOML", ""),
        ("a = " + "[" * 5000, "FILE", "too deep", ""),
        ("a = " + "9" * 5000, "FILE", "too large", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_its_place(
    tmp_path: Path, text: str, where: str, message: str, hint: str
) -> None:
    error = refused(tmp_path, text)
    assert error.where.startswith(where)
    assert message in error.message
    assert hint in error.hint


@pytest.mark.parametrize(
    "text",
    [
        "grafana = { url = 'http://g', dashboard = 'd', token = 'PLANTED-1' }",
        "prometheus = { url = 'http://p', password = 'PLANTED-1', user = 'u' }",
        "service = { url = 'http://s', job = 'j', api_key = 'PLANTED-1' }",
        "inbox = { kind = 'postmark', token = 'PLANTED-1' }",
        "slack = { token = 'PLANTED-1', channel = 'c' }",
        "pagerduty = { token = 'PLANTED-1' }",
        "settings = { smtp_password = 'PLANTED-1' }",
        "settings = { list = [{ api_key = 'PLANTED-1' }] }",
        "prometheus = 'http://me:PLANTED-1@p'",
        "prometheus = 'http://PLANTED-1@p'",
        "prometheus = 'http://p/?token=PLANTED-1'",
        "prometheus = { url = 'http://p', pasword = 'PLANTED-1' }",
        "protected = 'PLANTED-1'",
        "check_timeout_seconds = 'PLANTED-1'",
        "inbox = { kind = 'PLANTED-1' }",
        "service = { url = 'PLANTED-1', job = 'j' }",
        "prometheus = 'http://p'  # sk_live_PLANTED1PLANTED1",
        "checklist = 'glsa_PLANTED1PLANTED1PLANTED1_PLANTED1'",
        "password = PLANTED-1",
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_echoed(tmp_path: Path, text: str) -> None:
    error = refused(tmp_path, f"[env.a]\n{text}\n")
    assert error.where.startswith("FILE:2")
    assert "PLANTED" not in str(error)


def test_a_password_and_a_token_do_not_go_together(tmp_path: Path) -> None:
    error = refused(
        tmp_path, "[env.a]\nprometheus = { url = 'http://p', token = 'env:T', password = 'env:P' }"
    )
    assert "a token and a password" in error.message


def test_an_unknown_environment_names_the_nearest(tmp_path: Path) -> None:
    configuration = config.load(write(tmp_path, COMPLETE))
    with pytest.raises(ConfigError, match="'staging'"):
        configuration.environment("stagging")


def test_without_a_file_an_environment_says_how_to_begin() -> None:
    with pytest.raises(ConfigError, match="opsconsole init"):
        Configuration().environment("staging")


def test_a_file_that_an_environment_names_must_be_there(tmp_path: Path) -> None:
    configuration = config.load(write(tmp_path, "[env.a]\nrules = 'r.yml'\n[env.b]\n"))
    assert configuration.environment("b").name == "b"
    with pytest.raises(ConfigError, match=r"opsconsole\.toml:2: rules: there is no file"):
        configuration.environment("a")
    (tmp_path / "r.yml").touch()
    assert configuration.environment("a").rules == tmp_path / "r.yml"
    grafana = "[env.a.grafana]\nurl = 'http://g'\ndashboard = 'd'\nreference = 'd.json'\n"
    with pytest.raises(
        ConfigError, match=r"opsconsole\.toml:4: grafana.reference: there is no file"
    ) as caught:
        config.load(write(tmp_path, grafana)).environment("a")
    assert "relative to the folder of opsconsole.toml" in caught.value.hint


def test_found_upwards_then_in_the_users_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, deep = tmp_path / "home", tmp_path / "work" / "a" / "b"
    (home / "opsconsole").mkdir(parents=True)
    deep.mkdir(parents=True)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home))
    assert config.find(deep) is None
    users = write(home / "opsconsole", "")
    assert config.find(deep) == users
    above = write(tmp_path / "work", "")
    assert config.find(deep) == above
    nearest = write(deep, "")
    assert config.find(deep) == nearest


def test_the_file_given_goes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    monkeypatch.chdir(tmp_path)
    assert config.open_configuration() == Configuration()
    found = write(tmp_path, "[env.found]")
    other = tmp_path / "other.toml"
    other.write_text("[env.given]", encoding="utf-8")
    assert config.open_configuration().path == found
    assert list(config.open_configuration(other).environments) == ["given"]
    assert config.load_environment("found").name == "found"
    assert config.load_environment("given", other).name == "given"


@pytest.mark.parametrize("name", ["missing.toml", "", "bad\0name"])
def test_a_file_that_cannot_be_read_is_an_error(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError):
        config.load(tmp_path / name)


def test_no_text_and_no_end_are_errors(tmp_path: Path) -> None:
    path = tmp_path / config.FILE_NAME
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not UTF-8 text, at byte 0"):
        config.load(path)
    with pytest.raises(ConfigError, match="larger than 1 MiB"):
        config.load(Path("/dev/zero"))


TABLES = (Environment, config.Server, config.Grafana, config.Service, config.Inbox, config.Cluster)
NAMES = sorted({field.name for table in TABLES for field in fields(table)})
KEYS = st.sampled_from([*NAMES, "env", "lab", "sign_off"]) | st.text(max_size=8)
LEAVES = (
    st.none().map(lambda _: "http://localhost:9090")
    | st.sampled_from(
        ["env:TOKEN", "file:x", "file:~nobody/x", "keyring:a/b", "keyring:a", "imap", "http://["]
    )
    | st.text(max_size=12)
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.datetimes()
    | st.dates()
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)


def toml(value: Any) -> str:
    """`value` as TOML on one line."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return '"' + "".join(c if c.isalnum() else f"\\U{ord(c):08x}" for c in value) + '"'
        case dict():
            return "{" + ", ".join(f"{toml(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
        case list():
            return "[" + ", ".join(map(toml, value)) + "]"
        case int() | float():
            return repr(value)
        case _:
            return str(value.isoformat())


@given(tree=st.dictionaries(KEYS, TREES, max_size=6), rest=st.dictionaries(KEYS, TREES, max_size=2))
@example(tree={"inbox": {"kind": "imap"}}, rest={})
@example(tree={"settings": {"a": [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]}}, rest={})
def test_any_tree_is_a_configuration_or_a_config_error(
    tmp_path_factory: pytest.TempPathFactory, tree: dict[str, Any], rest: dict[str, Any]
) -> None:
    lines = [f"{toml(key)} = {toml(value)}" for key, value in tree.items()]
    more = [f"{toml(key)} = {toml(value)}" for key, value in rest.items()]
    path = write(apart(tmp_path_factory), "\n".join([*more, "[env.staging]", *lines]))
    match loaded(path):
        case ConfigError() as error:
            assert error.where.startswith(str(path))
        case configuration:
            assert isinstance(configuration.environments["staging"], Environment)


@given(text=st.text() | st.text(alphabet="[]{}=\"'\n#a.env \\"))
def test_any_text_is_a_configuration_or_a_config_error(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = apart(tmp_path_factory) / config.FILE_NAME
    path.write_bytes(text.encode("utf-8", "replace"))
    assert isinstance(loaded(path), Configuration | ConfigError)


def apart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is not above another test's, where its opsconsole.toml would be found."""
    folder = tmp_path_factory.getbasetemp() / "any-configuration"
    folder.mkdir(exist_ok=True)
    return folder


def loaded(path: Path) -> Configuration | ConfigError:
    try:
        return config.load(path)
    except ConfigError as error:
        return error
