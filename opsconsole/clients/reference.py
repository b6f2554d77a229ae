"""The reference rule file on disk: the rules as they are meant to be loaded."""

import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from opsconsole.clients import wire
from opsconsole.errors import ConfigError

if TYPE_CHECKING:
    import yaml


class ReferenceRule(msgspec.Struct, frozen=True, kw_only=True):
    """A rule as written; `expr` as in the file, not as Prometheus rewrites it. `interval_seconds`,
    `query_offset_seconds` and `limit` are its group's: None and 0 where it names none."""

    name: str
    expr: str
    for_seconds: float
    keep_firing_for_seconds: float
    labels: dict[str, str]
    annotations: dict[str, str]
    group: str
    kind: Literal["alerting", "recording"] = "alerting"
    interval_seconds: float | None = None
    query_offset_seconds: float | None = None
    limit: int = 0


class Reference:
    """The rule file at `path`. It is read once, when it is first needed."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def rules(self) -> list[ReferenceRule]:
        """The alerting rules of all groups. Raises ConfigError with path and line where it cannot be read."""
        return [rule for rule in self._rules if rule.kind == "alerting"]

    def recordings(self) -> list[ReferenceRule]:
        """The recording rules of all groups. Raises as `rules`."""
        return [rule for rule in self._rules if rule.kind == "recording"]

    @cached_property
    def _rules(self) -> list[ReferenceRule]:
        root = self._parsed()
        try:
            groups = msgspec.convert(_plain(root), _File).groups or []
        except msgspec.ValidationError as error:
            raise self._wrong(str(error), _line(root, str(error))) from None
        except RecursionError:
            raise self._wrong("it is nested too deeply") from None
        return [
            self._rule(rule, group, _line(root, f"$.groups[{g}].rules[{r}]"))
            for g, group in enumerate(groups)
            for r, rule in enumerate(group.rules or [])
            if rule.alert or rule.record
        ]

    def _rule(self, rule: "_Rule", group: "_Group", line: int) -> ReferenceRule:
        try:
            for_seconds = wire.seconds(rule.for_ or "0")
            keep_firing_for_seconds = wire.seconds(rule.keep_firing_for or "0")
            interval_seconds = wire.seconds(group.interval) if group.interval else None
            query_offset_seconds = wire.seconds(group.query_offset) if group.query_offset else None
            limit = int(group.limit or 0)
        except ValueError as error:
            raise self._wrong(f"{rule.alert or rule.record}: {error}", line) from None
        return ReferenceRule(
            name=rule.alert or rule.record,
            expr=rule.expr.strip(),
            for_seconds=for_seconds,
            keep_firing_for_seconds=keep_firing_for_seconds,
            labels=rule.labels or {},
            annotations=rule.annotations or {},
            group=group.name,
            kind="alerting" if rule.alert else "recording",
            interval_seconds=interval_seconds,
            query_offset_seconds=query_offset_seconds,
            limit=limit,
        )

    def _parsed(self) -> "yaml.Node | None":
        import yaml

        try:
            return yaml.compose(self.path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 0
            raise self._wrong(f"it is not YAML: {error.problem}", line) from None
        except (yaml.YAMLError, RecursionError) as error:
            raise self._wrong(f"it is not YAML: {' '.join(str(error).split())}") from None
        except (OSError, UnicodeDecodeError) as error:
            raise self._wrong(f"cannot be read: {error}") from None

    def _wrong(self, message: str, line: int = 0) -> ConfigError:
        where = f"{self.path}:{line}" if line else str(self.path)
        return ConfigError(
            message, where=where, hint="`promtool check rules` tells what a rule file must hold"
        )


class _Rule(msgspec.Struct):
    expr: str
    alert: str = ""
    record: str = ""
    for_: str | None = msgspec.field(default=None, name="for")
    keep_firing_for: str | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None


class _Group(msgspec.Struct):
    name: str
    rules: list[_Rule] | None = None
    interval: str | None = None
    query_offset: str | None = None
    limit: str | None = None


class _File(msgspec.Struct):
    groups: list[_Group] | None = None


def _plain(node: "yaml.Node | None") -> Any:
    """The node's value with every scalar as the string that is written, as Prometheus reads its rules."""
    import yaml

    match node:
        case yaml.MappingNode():
            if merged := [_plain(value) for key, value in node.value if key.value == "<<"]:
                inherited = [one for each in merged for one in (each if isinstance(each, list) else [each])]
            else:
                inherited = []
            own = {_plain(key): _plain(value) for key, value in node.value if key.value != "<<"}
            return {name: value for one in [*reversed(inherited), own] for name, value in one.items()}
        case yaml.SequenceNode():
            return [_plain(value) for value in node.value]
        case yaml.ScalarNode() if node.tag != "tag:yaml.org,2002:null":
            return node.value
    return None


def _line(root: "yaml.Node | None", message: str) -> int:
    """The line of the deepest node on the path (`$.groups[0].rules[1].expr`) that the message names."""
    import yaml

    node, line = root, 1
    path = message.rpartition("$")[2]
    for name, place in re.findall(r"\.(\w+)|\[(\d+)\]", path):
        if isinstance(node, yaml.MappingNode):
            node = next((value for key, value in node.value if key.value == name), None)
        elif isinstance(node, yaml.SequenceNode) and place and int(place) < len(node.value):
            node = node.value[int(place)]
        else:
            break
        if node is None:
            break
        line = node.start_mark.line + 1
    return line
