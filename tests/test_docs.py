"""The documents: what they show to copy works, what they link to is there, what is generated is current."""

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from opsconsole import config, content
from opsconsole.cli import group
from opsconsole.cli.checks import command as list_checks
from opsconsole.engine import checklist
from opsconsole.engine.discover import discover

HOME = Path(__file__).parent.parent
DOCUMENTS = [HOME / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
PAGES = [*DOCUMENTS, *sorted((HOME / "runbooks").glob("*.md")), HOME / "opsconsole/cli/template.toml"]

every_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)


def shown_commands() -> list[str]:
    """Every `opsconsole ...` that a document shows, in a block, in a line or in a comment."""
    lines: set[str] = set()
    for text in (page.read_text() for page in PAGES):
        for block in re.findall(r"^```bash\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
            lines.update(re.findall(r"^(?:\.venv/bin/)?(opsconsole [^\n#|]*)", block, re.MULTILINE))
        lines.update(re.findall(r"`(opsconsole [^`\n|]*)`", text))
        lines.update(re.findall(r"^#(?:   | .*: )(opsconsole .*?)(?:  .*)?$", text, re.MULTILINE))
    return sorted(line.strip() for line in lines)


def test_the_readme_opens_with_the_two_commands_and_the_picture() -> None:
    text = (HOME / "README.md").read_text()
    demo, test, picture, title = (text.index(part) for part in ("make demo", "make test", "![", "\n## "))
    assert demo < test < picture < title
    assert demo < 40


@every_document
def test_every_link_leads_somewhere(document: Path) -> None:
    prose = re.sub(r"^(`{3,}).*?^\1", "", document.read_text(), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)]+)\)", prose):
        assert target.startswith("https://") or (HOME / target).exists(), target


@pytest.mark.parametrize("line", shown_commands())
def test_every_command_shown_exists_with_its_options(line: str) -> None:
    words = shlex.split(line)[1:]
    command: click.Command = group
    context = click.Context(group)
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(context, words.pop(0))
        assert found is not None, f"no such command in: {line}"
        command = found
    parameters = command.get_params(click.Context(command))
    known = {option for parameter in parameters for option in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if re.match(r"--?[a-z]", word)} <= known


def test_the_list_of_checks_in_the_readme_is_current() -> None:
    shown = re.search(r"<!-- checks -->\n(.*?)<!-- /checks -->", (HOME / "README.md").read_text(), re.DOTALL)
    assert shown
    assert shown[1] == CliRunner().invoke(list_checks, ["--markdown"]).output, "opsconsole checks --markdown"


def test_the_outcomes_and_exit_codes_in_the_readme_are_all_there_are() -> None:
    from opsconsole.model import Outcome

    text = (HOME / "README.md").read_text()
    assert re.findall(r"^\| ([A-Z-]+) \|", text, re.MULTILINE) == [
        *("PASS", "FAIL", "SKIP", "UNKNOWN", "SIGN-OFF", "BROKEN")
    ]
    assert set(re.findall(r"^\| ([A-Z-]+) \|", text, re.MULTILINE)) == {str(outcome) for outcome in Outcome}
    assert re.findall(r"^\| (\d) \|", text, re.MULTILINE) == ["0", "1", "2", "3"]


def test_the_checklist_in_the_readme_is_one(tmp_path: Path) -> None:
    (example,) = re.findall(
        r"^```toml\n(.*?)^```", (HOME / "README.md").read_text(), re.MULTILINE | re.DOTALL
    )
    path = tmp_path / "checkout.toml"
    path.write_text(example)
    loaded = checklist.load(path, discover(content.folder("checks")))
    assert [item.id for item in loaded.items] == ["scraping", "retention"]


def test_the_secrets_forms_in_the_readme_are_those_that_there_are(tmp_path: Path) -> None:
    assert "`env:NAME`, `file:PATH`, `keyring:SERVICE/USER`" in (HOME / "README.md").read_text()
    path = tmp_path / "opsconsole.toml"
    for reference in ("env:NAME", "file:PATH", "keyring:SERVICE/USER"):
        path.write_text(f"[env.a]\nprometheus = {{ url = 'http://p', token = '{reference}' }}")
        assert config.load(path).environments["a"].prometheus


def test_the_worked_example_of_contributing_runs(tmp_path: Path) -> None:
    """Its three files, in a folder of their own: the check is found, whole, and its test passes."""
    for name, text in example_files().items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    check = discover(tmp_path / "checks")["scrapes_are_quick"]
    assert (check.needs, list(check.settings), check.acts) == (("prometheus",), ["most"], False)
    parts = re.findall(r"^## (.*)$", (tmp_path / "runbooks/scrapes_are_quick.md").read_text(), re.MULTILINE)
    assert parts == ["What it means", "Likely causes", "Look", "Do", "It is over when"]
    run = subprocess.run(
        [
            sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist",
            f"--rootdir={tmp_path}", "-c", "/dev/null", "-o", "asyncio_mode=auto", "tests",
        ],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert "3 passed" in run.stdout, run.stdout


def test_the_worked_example_is_in_our_style(tmp_path: Path) -> None:
    for name, text in example_files().items():
        if name.endswith(".py"):
            config_file = f"--config={HOME / 'pyproject.toml'}"
            ruff = [sys.executable, "-m", "ruff", "format", "--check", config_file, "-"]
            subprocess.run(ruff, input=text, text=True, check=True, capture_output=True)


def example_files() -> dict[str, str]:
    """The files of the worked example: a block whose first line names the file, as a comment."""
    blocks = re.findall(
        r"^(`{3,4})\w+\n(?:# |<!-- )((?:checks|runbooks|tests)/\S+)(?: -->)?\n(.*?)^\1$",
        (HOME / "CONTRIBUTING.md").read_text(),
        re.MULTILINE | re.DOTALL,
    )
    return {name: text for _, name, text in blocks}


def test_the_worked_example_is_three_files() -> None:
    assert [Path(name).parts[0] for name in example_files()] == ["checks", "runbooks", "tests"]


def test_the_changelog_has_the_form_and_this_version() -> None:
    text = (HOME / "CHANGELOG.md").read_text()
    version = tomllib.loads((HOME / "pyproject.toml").read_text())["project"]["version"]
    headings = re.findall(r"^## \[(.+?)\]", text, re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert version in headings or headings == ["Unreleased"]
    kinds = set(re.findall(r"^### (.*)$", text, re.MULTILINE))
    assert kinds <= {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
