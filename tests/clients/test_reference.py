"""The reference rule file."""

from importlib.resources import files
from pathlib import Path

import pytest

from opsconsole.clients.reference import Reference
from opsconsole.errors import ConfigError


def reference(folder: Path, text: str) -> Reference:
    file = folder / "rules.yml"
    file.write_text(text, encoding="utf-8")
    return Reference(file)


def test_the_seven_alerts_of_the_lab() -> None:
    rules = Reference(Path(str(files("opsconsole.lab") / "components/billing-alerts.yml"))).rules()
    found = {rule.name: (rule.for_seconds, rule.labels["severity"]) for rule in rules}
    assert found == {
        "BillingPaymentFailureRateHigh": (900, "warning"),
        "BillingPaymentFailureRateCritical": (600, "critical"),
        "StripeWebhookFailureRateHigh": (900, "warning"),
        "StripeWebhookProcessingDurationHigh": (1200, "warning"),
        "StripeWebhooksStalled": (0, "info"),
        "SubscriptionCancellationRateHigh": (3600, "warning"),
        "BillingCreditGrantAnomalyDetected": (300, "info"),
    }


def test_scalars_are_the_strings_that_are_written(tmp_path: Path) -> None:
    text = """
groups:
- name: g
  rules:
  - record: a:b
    expr: sum(up)
  - &base {alert: A, expr: 1, labels: {level: 1, on: yes, "null": ~}, annotations: }
  - <<: *base
    alert: B
"""
    first, second = reference(tmp_path, text.replace(', "null": ~', "")).rules()
    assert (first.name, first.expr, first.labels, first.annotations) == (
        "A",
        "1",
        {"level": "1", "on": "yes"},
        {},
    )
    assert (second.name, second.expr, second.group) == ("B", "1", "g")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("groups:\n- name: g\n  rules:\n  - alert: A\n    expr: [1]\n", 5, "expr"),
        (
            "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: x\n    for: soon\n",
            4,
            "'soon' is no duration",
        ),
        ("groups:\n- name: g\n  rules:\n  - alert: A\n", 4, "expr"),
        ("groups: 7\n", 1, "array"),
        ("groups:\n  - name: g\n bad\n", 3, "YAML"),
        ("- a\n", 1, "object"),
    ],
)
def test_what_is_wrong_has_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message) as wrong:
        reference(tmp_path, text).rules()
    assert wrong.value.where == f"{tmp_path}/rules.yml:{line}"


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        Reference(tmp_path / "none.yml").rules()


def test_a_file_that_contains_itself(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        reference(tmp_path, "&a groups: *a\n").rules()
    with pytest.raises(ConfigError, match="deep"):
        reference(tmp_path, "groups: &a [*a]\n").rules()
