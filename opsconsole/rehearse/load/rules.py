"""Rule files as people write them: Prometheus' own, PrometheusRule objects, and what wraps either."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from opsconsole.clients import wire
from opsconsole.errors import ConfigError
from opsconsole.rehearse.load import nodes
from opsconsole.rehearse.load.sources import Source, Tell, refuse, sources
from opsconsole.rehearse.model import Rule

if TYPE_CHECKING:
    import yaml

    Fields = dict[str, yaml.Node]

_ENDINGS = (".yml", ".yaml")
_HOLDS_RULES = re.compile(r"^\s*(?:-\s*)?(?:groups|alert|record)\s*:", re.MULTILINE)
_TEMPLATE = re.compile(
    r"\{%|\{#|^\s*(?:-\s*)?\{\{|\{\{-?\s*(?:\.|\$\.|`|(?:include|tpl|template|define|toYaml)\b)", re.MULTILINE
)
_RENDER = "it is a template: render it first, such as `helm template CHART | opsconsole rehearse --rules -`"
_PROMTOOL = "`promtool check rules` tells what a rule file must hold"


class _Flaw(Exception):
    """Something that is wrong at a node; what it belongs to is left out, and told."""

    def __init__(self, message: str, node: "yaml.Node", hint: str = _PROMTOOL) -> None:
        super().__init__(message)
        self.node, self.hint = node, hint


def load_rules(paths: Iterable[str | Path], tell: Tell = refuse) -> list[Rule]:
    """The rules of all files, alerting and recording, in their order, with file and line.

    A path is a file, a folder (every .yml and .yaml beneath it that holds rules) or `-` for standard input.
    Read are Prometheus' rule files, also with what Thanos, Mimir and others add; PrometheusRule objects and
    their like, lists of them, in the midst of other objects; rule files within a ConfigMap or the values of a
    Helm chart; several documents in a file. Group labels are merged into the rules' own, as Prometheus does.

    `tell` takes a ConfigError for each thing that cannot be read, and the rest is read on: of a rule that is
    broken the others of its file, of a file that ends in nonsense the documents before it. Without it the
    first is raised.
    """
    return [rule for source in sources(paths, _ENDINGS, tell) for rule in _read(source, tell)]


def _read(source: Source, tell: Tell) -> list[Rule]:
    import yaml

    reader = _Reader(source, tell)
    try:
        for document in nodes.documents(source.text):
            reader.document(document)
    except yaml.YAMLError as error:
        if source.named or _HOLDS_RULES.search(source.text):
            tell(_not_yaml(source, error))
        return reader.rules
    except RecursionError:
        tell(source.wrong("it is nested too deeply"))
        return reader.rules
    if source.named and not reader.held_groups:
        tell(source.wrong("it holds no rules", hint=f"a rule file begins with `groups:`; {_PROMTOOL}"))
    return reader.rules


def _not_yaml(source: Source, error: "yaml.YAMLError") -> ConfigError:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or " ".join(str(error).split())
    template = _TEMPLATE.search(source.text)
    return source.wrong(
        f"it is not YAML: {problem}", mark.line + 1 if mark else 0, _RENDER if template else _PROMTOOL
    )


class _Reader:
    """Gathers the rules of one text. `held_groups`: something was there that is meant to hold rules."""

    def __init__(self, source: Source, tell: Tell) -> None:
        self.rules: list[Rule] = []
        self.held_groups = False
        self._source = source
        self._tell = tell
        self._lines = source.text.splitlines()
        self._seen: set[int] = set()

    def document(self, root: "yaml.Node") -> None:
        if "groups" in (known := nodes.fields(root)):
            self.held_groups = True
            self._groups(known["groups"])
        else:
            self._search(root)

    def _groups(self, groups: "yaml.Node") -> None:
        """The `groups` of a rule file, where anything that is no group is a mistake."""
        if not nodes.is_list(groups) and not nodes.is_null(groups):
            self._wrong(_Flaw("`groups` is not a list", groups))
        for group in nodes.items(groups):
            known = nodes.fields(group)
            if not nodes.is_mapping(group):
                self._wrong(_Flaw("a group is not a mapping", group))
            elif "rules" in known:
                self._group(known)
            else:
                self._search(group)

    def _search(self, node: "yaml.Node") -> None:
        """All groups in something that wraps them, however deep they lie in it."""
        if id(node) in self._seen:
            return
        self._seen.add(id(node))
        known = nodes.fields(node)
        if _is_group(known):
            self._group(known)
        elif (kind := known.get("kind")) is not None and kind.value == "ConfigMap":
            self._config_map(known)
        else:
            self.held_groups |= nodes.text_or_empty(known.get("kind")) == "PrometheusRule"
            for inner in [*known.values(), *nodes.items(node)]:
                self._search(inner)

    def _config_map(self, known: "Fields") -> None:
        for value in nodes.fields(known.get("data")).values():
            written = nodes.text_or_empty(value)
            if _HOLDS_RULES.search(written):
                before = nodes.content_line(value, self._lines) - 1 + self._source.lines_before
                self.held_groups = True
                self.rules += _read(Source(self._source.file, written, False, before), self._tell)

    def _group(self, known: "Fields") -> None:
        self.held_groups = True
        try:
            if not nodes.is_list(known["rules"]) and not nodes.is_null(known["rules"]):
                raise _Flaw("`rules` is not a list", known["rules"])
            group = _Group(known)
        except _Flaw as flaw:
            return self._wrong(flaw)
        for node in nodes.items(known["rules"]):
            try:
                self.rules.append(self._rule(node, group))
            except _Flaw as flaw:
                self._wrong(flaw)
        return None

    def _rule(self, node: "yaml.Node", group: "_Group") -> Rule:
        known = nodes.fields(node)
        alert, record, expr = _essentials(node, known)
        return Rule(
            expr=nodes.text(expr).strip(),
            alert=alert,
            record=record,
            for_seconds=_seconds(known, "for") or 0.0,
            keep_firing_for_seconds=_seconds(known, "keep_firing_for") or 0.0,
            labels={**group.labels, **_texts(known, "labels")},
            annotations=_texts(known, "annotations"),
            group=group.name,
            interval_seconds=group.interval_seconds,
            file=self._source.file,
            line=nodes.content_line(expr, self._lines) + self._source.lines_before,
        )

    def _wrong(self, flaw: _Flaw) -> None:
        self._tell(self._source.wrong(str(flaw), nodes.line(flaw.node), flaw.hint))


class _Group:
    """What a group gives to all of its rules."""

    def __init__(self, known: "Fields") -> None:
        self.name = _text(known, "name")
        self.labels = _texts(known, "labels")
        self.interval_seconds = _seconds(known, "interval")


def _is_group(known: "Fields") -> bool:
    return any(
        {"alert", "record"} & rule.keys() or {"name", "query"} <= rule.keys()
        for rule in map(nodes.fields, nodes.items(known.get("rules")))
    )


def _essentials(node: "yaml.Node", known: "Fields") -> "tuple[str, str, yaml.Node]":
    """The rule's alert, record and expression. `name` and `query` are how collections of rules to be rendered
    write them."""
    if not nodes.is_mapping(node):
        raise _Flaw("a rule is not a mapping", node)
    if twice := nodes.repeated(node):
        raise _Flaw(f"the rule has `{twice}` twice", node)
    if "condition" in known and "data" in known:
        raise _Flaw("this is an alert that Grafana evaluates, not Prometheus", node, "leave it out")
    alert, record = _text(known, "alert"), _text(known, "record")
    if "query" in known and "expr" not in known:
        alert = alert or _text(known, "name")
    if bool(alert) == bool(record):
        raise _Flaw("the rule has both `alert` and `record`" if alert else "the rule has no `alert`", node)
    key = "expr" if "expr" in known else "query"
    if not _text(known, key).strip():
        raise _Flaw(f"{alert or record} has no `expr`", node)
    if any(mark in text for text in (alert, record, _text(known, key)) for mark in ("{{", "{%")):
        raise _Flaw(f"the name or the expression of {alert or record} is not final", known[key], _RENDER)
    return alert, record, known[key]


def _text(known: "Fields", key: str) -> str:
    try:
        return nodes.text(known.get(key))
    except TypeError as error:
        hint = "put a text that begins with `{` or `[` into quotes"
        raise _Flaw(f"`{key}` is {error} where a text was expected", known[key], hint) from None


def _texts(known: "Fields", key: str) -> dict[str, str]:
    if (node := known.get(key)) is None or nodes.is_null(node):
        return {}
    if not nodes.is_mapping(node):
        raise _Flaw(f"`{key}` is not a mapping", node)
    inner = nodes.fields(node)
    return {name: _text(inner, name) for name in inner}


def _seconds(known: "Fields", key: str) -> float | None:
    written = _text(known, key)
    if not written:
        return None
    try:
        return wire.seconds(written)
    except ValueError as error:
        hint = "a duration has its unit, such as `5m`"
        raise _Flaw(f"`{key}`: {error}", known[key], hint) from None
