"""No secret gets through the one door, in none of the forms in which it is sent."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsconsole import redaction
from opsconsole.errors import ConfigError
from opsconsole.model import Exchange, Exchanged, Finding, Found
from opsconsole.secrets import MadeUp, Secret


@given(st.text(min_size=6, max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_a_known_secret_never_gets_out(value: str, before: str, after: str) -> None:
    redaction.learn(value, "env:X")
    for form in (value, quote(value, safe=""), json.dumps(value)[1:-1]):
        out = redaction.redact(f"{before}\n{form}\n{after}")
        assert f"\n{form}\n" not in out


def test_an_event_is_redacted_however_deep() -> None:
    MadeUp("lab:KEY", "s3cr3t-value").reveal()
    exchange = Exchange(
        id="1",
        server="grafana",
        method="GET",
        url="http://u:s3cr3t-value@host/?token=s3cr3t-value",
        request_headers={"authorization": "Bearer s3cr3t-value"},
        response_body='{"a": ["s3cr3t-value"]}',
    )
    for event in (
        Exchanged(item="i", exchange=exchange),
        Found(item="i", finding=Finding(summary="s3cr3t-value", detail="x s3cr3t-value y")),
    ):
        out = repr(redaction.redact_event(event))
        assert "s3cr3t-value" not in out
        assert "{{lab:KEY}}" in out


@pytest.mark.parametrize(
    "text",
    [
        "sk_live_" + "4eC39HqLyjWDarjtT1",
        "rk_test_" + "4eC39HqLyjWDarjtT1",
        "whsec_" + "aGVsbG8gd29ybGQ",
        "Authorization: Bearer abcdefghijkl",
        "https://admin:hunter22@grafana/",
        "https://hooks.slack.com/services/T000/B000/XXXX",
    ],
)
def test_what_looks_like_a_key_is_redacted_though_nobody_told(text: str) -> None:
    out = redaction.redact(f"see {text} there")
    assert "redacted" in out
    assert text not in out


def test_basic_credentials_are_redacted_in_their_encoded_form() -> None:
    encoded = redaction.learn_basic("admin", "correct-horse", "env:PW")
    assert encoded == base64.b64encode(b"admin:correct-horse").decode()
    assert encoded not in redaction.redact(f"Basic {encoded} correct-horse")


def test_references(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setenv("TOKEN_OF_TEST", "from-the-environment")
    (tmp_path / "secret").write_text("from-the-file\n")
    assert Secret.parse("env:TOKEN_OF_TEST", where="x").reveal() == "from-the-environment"
    assert Secret.parse(f"file:{tmp_path}/secret", where="x").reveal() == "from-the-file"
    with pytest.raises(ConfigError, match="not set"):
        Secret("env:NO_SUCH_VARIABLE").reveal()
    with pytest.raises(ConfigError, match="cannot be read"):
        Secret(f"file:{tmp_path}/none").reveal()
    monkeypatch.setenv("TOKEN_OF_TEST", "abc")
    with pytest.raises(ConfigError, match="shorter than 6"):
        Secret("env:TOKEN_OF_TEST").reveal()


def test_a_literal_is_refused_and_not_echoed() -> None:
    with pytest.raises(ConfigError) as raised:
        Secret.parse("hunter2hunter2", where="opsconsole.toml:3")
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("before", [0, 10, 95, 99])
def test_half_a_secret_does_not_get_out_either(before: int) -> None:
    redaction.learn("half-a-secret-is-one", "env:HALF")
    text = f"{'x' * before}half-a-secret-is-one{'y' * 9000}"
    assert "half" not in redaction.excerpt(text, 100)
    assert 80 < len(redaction.excerpt(text, 100)) <= 100


@pytest.mark.parametrize("form", [base64.b64encode(b"in-base-64!").decode(), "in-base-64!"])
def test_a_secret_within_json_within_json(form: str) -> None:
    redaction.learn("in-base-64!", "env:B64")
    assert form not in redaction.redact(json.dumps(json.dumps({"echo": form})))
