"""The witnesses as files that a user can commit and run: `promtool test rules FOLDER/*.yml`."""

import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from opsconsole.errors import UsageError
from opsconsole.rehearse.load import load_rules
from opsconsole.rehearse.load.nodes import documents, fields, items
from opsconsole.rehearse.model import Rule, Verdict, Witness, Word
from opsconsole.rehearse.promtool import TEST_ENDING, Promtool
from opsconsole.rehearse.unit_tests import RULES_NAME, scalar

HEADER = "# Written by opsconsole rehearse, which writes it anew each time: edit a copy.\n"

_RULES_FOLDER = "rules"  # not beside the tests: `promtool test rules *.yml` would take them for tests
_KNOWN_TO_PROMTOOL = {"name", "interval", "limit", "labels", "rules"}
_FAILS = {"not-promql", "never-fires-by-rule"}
_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class _Written:
    """A test of one alert. `own_rules` lie in a file of their own; None: the user's rule files do."""

    test: Path
    own: Path
    witness: Witness
    users: tuple[Path, ...]

    def texts(self, *, own_rules: bool) -> Iterator[tuple[Path, str]]:
        files = [self.own] if own_rules else list(self.users)
        lines = "".join(f"  - {scalar(_relative(file, self.test.parent))}\n" for file in files)
        yield self.test, HEADER + self.witness.test.replace(f"  - {RULES_NAME}\n", lines, 1)
        if own_rules:
            yield self.own, HEADER + self.witness.rules_file


def write_tests(folder: Path, verdicts: Sequence[Verdict], promtool: Promtool | None = None) -> list[Path]:
    """A unit test for each alert that is alive, in files of its name; gives them in the verdicts' order.

    A test rests on the user's own rule files, by relative path, where they hold the rules as rehearsed and
    nothing in them disturbs the test; else on a rules file written into the folder `rules` beside the tests.
    `promtool` is asked whether those on the user's files pass; without it that is not known. Raises
    UsageError, with nothing written, where a file is in the way that is not ours, and OSError.
    """
    failing = {one.file for one in verdicts if any(reason.kind in _FAILS for reason in one.reasons)}
    written = list(_planned(folder, verdicts, frozenset(failing)))
    for one in written:
        _refuse_others(one.test)
        _refuse_others(one.own)
    folder.mkdir(parents=True, exist_ok=True)
    for one in written:
        _write(one, own_rules=not one.users)
    on_users = [one for one in written if one.users]
    if promtool and on_users:
        for one, passes in zip(on_users, promtool.passing([one.test for one in on_users]), strict=True):
            if not passes:
                _write(one, own_rules=True)
    return [one.test for one in written]


def _planned(folder: Path, verdicts: Sequence[Verdict], failing: frozenset[str]) -> Iterator[_Written]:
    names: Counter[str] = Counter()
    read = cache(_read)
    for verdict in verdicts:
        if verdict.word is not Word.ALIVE or verdict.witness is None or verdict.rule is None:
            continue
        name = _safe(verdict.subject)
        names[name.lower()] += 1
        if (nth := names[name.lower()]) > 1:
            name = f"{name}_{nth}"
        rules = (*verdict.witness.rests_on, verdict.rule)
        files = tuple(dict.fromkeys(rule.file for rule in rules))
        holds = not failing & set(files) and _hold([one for file in files for one in read(file)], verdict)
        own = folder / _RULES_FOLDER / f"{name}.yml"
        users = tuple(Path(file) for file in files) if holds else ()
        yield _Written(folder / f"{name}{TEST_ENDING}", own, verdict.witness, users)


def _hold(there: Sequence[Rule], verdict: Verdict) -> bool:
    """Whether the rules in the user's files are those rehearsed, with none that disturbs: another alert that
    cannot be told from this one, or one that records what the incident has series of."""
    witness, rule = verdict.witness, verdict.rule
    if witness is None or rule is None or not all(one in there for one in (*witness.rests_on, rule)):
        return False
    alike = [one for one in there if one.alert == rule.alert and one.labels.items() >= _fixed(rule)]
    fed = {dict(key).get("__name__") for key in witness.incident.courses}
    return len(alike) == 1 and not any(one.record in fed for one in there if one.record)


def _fixed(rule: Rule) -> set[tuple[str, str]]:
    return {(name, value) for name, value in rule.labels.items() if value and "{{" not in value}


def _read(file: str) -> tuple[Rule, ...]:
    """The rules of a file that promtool takes as it is; none where it does not, or something in it is
    wrong."""
    import yaml

    try:
        if not file or not Path(file).is_file():
            return ()
        roots = [fields(root) for root in documents(Path(file).read_text(encoding="utf-8"))]
        groups = [fields(group).keys() for root in roots for group in items(root.get("groups"))]
        if [root.keys() for root in roots] != [{"groups"}] or any(g - _KNOWN_TO_PROMTOOL for g in groups):
            return ()
        return tuple(load_rules([file]))
    except (UsageError, OSError, ValueError, yaml.YAMLError):
        return ()


def _write(one: _Written, *, own_rules: bool) -> None:
    for path, text in one.texts(own_rules=own_rules):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _refuse_others(path: Path) -> None:
    if path.exists() and not path.read_text(encoding="utf-8", errors="replace").startswith(HEADER):
        raise UsageError(
            "a file is in the way that opsconsole did not write",
            where=str(path),
            hint="move it, or name another folder; nothing was written",
        )


def _relative(file: Path, folder: Path) -> str:
    """The path from where the test lies, which is what promtool reads it from."""
    return os.path.relpath(file.resolve(), folder.resolve())


def _safe(name: str) -> str:
    """A file name of letters, digits and `._-`."""
    return re.sub(r"[^\w.-]+", "_", name).strip("._")[:_LONGEST_NAME] or "alert"
