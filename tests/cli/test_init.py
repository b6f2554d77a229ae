"""`opsconsole init`: what it writes loads, explains itself, and never replaces a file."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from opsconsole import config
from opsconsole.cli.init import command
from opsconsole.errors import ConfigError


@pytest.fixture
def written(tmp_path: Path) -> Path:
    path = tmp_path / "opsconsole.toml"
    result = CliRunner().invoke(command, ["--path", str(path)])
    assert result.exit_code == 0, result.output
    return path


def test_what_it_writes_loads_with_staging_and_production(written: Path) -> None:
    environments = config.load(written).environments
    assert {name: environment.protected for name, environment in environments.items()} == {
        "staging": False,
        "production": True,
    }
    for environment in environments.values():
        assert environment.prometheus
        assert environment.alertmanager
        assert environment.grafana
        assert environment.service
        assert environment.inbox
        assert environment.cluster


def test_staging_does_not_look_at_production(written: Path) -> None:
    environments = config.load(written).environments
    staging, production = environments["staging"], environments["production"]
    assert staging.service
    assert production.service
    assert staging.cluster
    assert production.cluster
    for name in ("url", "metrics"):
        ours, theirs = getattr(staging.service, name), getattr(production.service, name)
        assert urlsplit(ours).netloc != urlsplit(theirs).netloc, name
    assert staging.cluster.namespace != production.cluster.namespace


def test_every_secret_is_a_reference(written: Path) -> None:
    secrets = re.findall(
        r"^(?:token|password|api_key) = (.*?)(?:\s+#.*)?$", written.read_text(), re.MULTILINE
    )
    assert len(secrets) >= 4
    assert all(re.fullmatch(r'"(?:env|file|keyring):\S+"', secret) for secret in secrets)


def test_the_lines_that_are_commented_out_are_right_too(written: Path) -> None:
    """Somebody will take the # away: every example in the comments must load."""
    text = written.read_text(encoding="utf-8")
    keys = (
        "ca_file|context|days|thresholds|token|channel|(?:declining|passing)_payment_method"
        "|webhook_secret|test_hooks|allow_faults"
    )
    text = re.sub(rf"^# (?=\[env\.|(?:{keys}) =)", "", text, flags=re.MULTILINE)
    inbox = 'kind = "postmark"\ntoken = "env:POSTMARK_SERVER_TOKEN"\n'
    text = re.sub(r"^#   (?=kind|host|user|password)", "", text, flags=re.MULTILINE).replace(inbox, "", 1)
    written.write_text(text, encoding="utf-8")
    staging = config.load(written).environments["staging"]
    assert staging.inbox
    assert staging.inbox.kind == "imap"
    assert staging.settings["days"] == 7
    assert list(staging.sign_offs) == ["thresholds"]
    assert staging.grafana
    assert staging.grafana.ca_file
    assert staging.cluster
    assert staging.cluster.context == "staging"
    assert staging.slack
    assert staging.slack.channel == "#billing-alerts"
    assert staging.pagerduty
    assert staging.service
    assert staging.service.test_hooks == "/test-hooks"
    assert config.load(written).environments["production"].allow_faults


def test_it_never_overwrites(written: Path) -> None:
    written.write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match="stays as it is") as caught:
        command.main(["--path", str(written)], standalone_mode=False)
    assert caught.value.exit_code == 2
    assert "init --path" in caught.value.hint
    assert written.read_text(encoding="utf-8") == "mine"


def test_it_says_where_it_cannot_write(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written"):
        command.main(["--path", str(tmp_path / "no" / "folder.toml")], standalone_mode=False)
