"""YAML as it is written: every scalar the text that stands there, every value with its line."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import yaml

_NULL = "tag:yaml.org,2002:null"
_MERGE = "<<"


def documents(text: str) -> "Iterator[yaml.Node]":
    """The documents of a file that are not empty. Raises yaml.YAMLError at the first that cannot be read."""
    import yaml

    for node in yaml.compose_all(text, Loader=yaml.CSafeLoader):
        if node is not None and not is_null(node):
            yield node


def fields(node: "yaml.Node | None") -> "dict[str, yaml.Node]":
    """The values of a mapping by key, those that it merges in (`<<`) among them; empty for all else."""
    import yaml

    if not isinstance(node, yaml.MappingNode):
        return {}
    own: dict[str, yaml.Node] = {}
    merged: dict[str, yaml.Node] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        if key.value != _MERGE:
            own[key.value] = value
            continue
        for inherited in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            merged = {**fields(inherited), **merged}
    return {**merged, **own}


def repeated(node: "yaml.Node") -> str:
    """The first key that a mapping has twice, empty where there is none."""
    seen = set()
    for key, _ in node.value:
        if key.value != _MERGE and isinstance(key.value, str):
            if key.value in seen:
                return key.value
            seen.add(key.value)
    return ""


def is_null(node: "yaml.Node") -> bool:
    return node.tag == _NULL


def items(node: "yaml.Node | None") -> "list[yaml.Node]":
    """The entries of a list; empty for all else."""
    import yaml

    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def is_list(node: "yaml.Node") -> bool:
    import yaml

    return isinstance(node, yaml.SequenceNode)


def is_mapping(node: "yaml.Node") -> bool:
    import yaml

    return isinstance(node, yaml.MappingNode)


def text(node: "yaml.Node | None") -> str:
    """A scalar as written, empty for null and where there is none. Raises TypeError for a list or mapping."""
    import yaml

    if node is None or is_null(node):
        return ""
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    raise TypeError("a list" if isinstance(node, yaml.SequenceNode) else "a mapping")


def text_or_empty(node: "yaml.Node | None") -> str:
    """A scalar as written, empty for all else."""
    return "" if node is None or is_null(node) or not isinstance(node.value, str) else node.value


def line(node: "yaml.Node") -> int:
    """The line that the node begins on, counted from 1."""
    return int(node.start_mark.line) + 1


def content_line(node: "yaml.Node", lines: list[str]) -> int:
    """The first line of what a scalar says: of a block scalar the one after its `|`, blank ones passed over.
    `lines` are those of the whole text."""
    first = line(node)
    if getattr(node, "style", None) not in ("|", ">"):
        return first
    return next((at + 1 for at in range(first, len(lines)) if lines[at].strip()), first)
