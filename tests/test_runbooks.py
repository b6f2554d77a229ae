"""The runbooks: a page for everything that can fail, each whole, with commands that work today."""

import re
import subprocess
import tomllib
from pathlib import Path

import promql_parser
import pytest
import yaml

from opsconsole import content
from opsconsole.engine.discover import discover
from opsconsole.lab import __file__ as lab_file

PAGES = sorted(content.folder("runbooks").glob("*.md"))
NAMES = {page.stem for page in PAGES}
SKELETON = ["What it means", "Likely causes", "Look", "Do", "It is over when"]
PROCEDURES = {
    "no-data",
    "alerts-not-firing",
    "alert-cannot-fire",
    "email-not-delivered",
    "webhook-metrics-missing",
    "BILLING-PAYMENT-FAILURES-RUNBOOK",
    "STRIPE-WEBHOOK-FAILURES-RUNBOOK",
    "BILLING-CRITICAL-ALERT-RUNBOOK",
}
RESPONSE = {"critical": "within 15 minutes", "warning": "within 1 hour", "info": "next business day"}

every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)


def alerts() -> dict[str, str]:
    """The severity of each alert of the reference rules."""
    rules = yaml.safe_load((Path(lab_file).parent / "components" / "billing-alerts.yml").read_text())
    return {
        rule["alert"]: rule["labels"]["severity"]
        for group in rules["groups"]
        for rule in group["rules"]
        if "alert" in rule
    }


def commands(text: str) -> list[str]:
    return re.findall(r"^```bash\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def test_there_is_a_page_for_everything() -> None:
    wanted = discover(content.folder("checks")).keys() | alerts().keys() | PROCEDURES
    assert wanted - NAMES == set()


def test_there_is_no_page_that_nothing_leads_to() -> None:
    assert NAMES - discover(content.folder("checks")).keys() - alerts().keys() - PROCEDURES == set()


def test_every_procedure_is_linked_from_another_page() -> None:
    linked = {
        target
        for page in PAGES
        for target in re.findall(r"\]\(([\w-]+)\.md\)", page.read_text(encoding="utf-8"))
        if target != page.stem
    }
    assert PROCEDURES - linked == set()


@every_page
def test_a_page_has_the_skeleton_and_something_in_each_part(page: Path) -> None:
    title, *parts = re.split(r"^## ", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert re.match(r"# \S", title)
    assert [part.partition("\n")[0] for part in parts] == SKELETON
    assert all(part.partition("\n")[2].strip() for part in parts)


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
        assert target.startswith("https://") or (page.parent / target).is_file(), target


@every_page
def test_a_page_is_short_and_has_something_to_copy(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 100
    assert commands(text)


@every_page
def test_no_removed_api_and_no_secret(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert not re.search(r"9093/api/v1|api/v1/(alerts|status)\b(?!/)", text)
    assert not re.search(r"(?i)\b(sk|rk)_live_\w|whsec_\w|password\s*[:=]\s*\S|-u \w+:\w", text)


@every_page
def test_every_command_is_valid_shell(page: Path) -> None:
    for block in commands(page.read_text(encoding="utf-8")):
        checked = subprocess.run(["bash", "-n"], input=block, text=True, capture_output=True, check=False)
        assert checked.returncode == 0, checked.stderr


@every_page
def test_every_query_is_valid_promql(page: Path) -> None:
    for query in re.findall(r"'(?:query|match\[\])=([^']+)'", page.read_text(encoding="utf-8")):
        promql_parser.parse(query)


@every_page
def test_every_opsconsole_command_names_items_that_there_are(page: Path) -> None:
    checklist = tomllib.loads((content.folder("checks") / "billing.toml").read_text(encoding="utf-8"))
    items = {item["id"] for item in checklist["item"]}
    for line in re.findall(r"opsconsole (?:verify|sign-off)[^`\n]*", page.read_text(encoding="utf-8")):
        named = re.findall(r"-k (\S+)", line) + re.findall(r"sign-off \S+ (\S+)", line)
        assert set(named) <= items, line


@pytest.mark.parametrize(("alert", "severity"), alerts().items())
def test_an_alert_says_how_soon_and_whom_to_call(alert: str, severity: str) -> None:
    text = " ".join((content.folder("runbooks") / f"{alert}.md").read_text(encoding="utf-8").split())
    assert text.startswith(f"# {alert} Severity {severity}: answer")
    assert RESPONSE[severity] in text
    assert "Escalate: admin@rsolv.dev" in text
