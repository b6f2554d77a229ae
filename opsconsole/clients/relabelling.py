"""What Prometheus does to an alert before it sends it: external labels, then `alert_relabel_configs`.

As in Prometheus' model/relabel and notifier. Nothing here does I/O; what cannot be evaluated exactly as
Prometheus would raises Nonsense by its name.
"""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from opsconsole.errors import Nonsense

_WHERE = "alert_relabel_configs of Prometheus"
_LABEL = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*", re.ASCII)
_TEMPLATE = re.compile(r"\$(?:\$|\{(?P<braced>\w+)\}|(?P<bare>\w+))")
_ANYTHING = "(.*)"


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry as the running configuration tells it: every default is written there but that of `regex`,
    so what is missing was set to be empty; a `regex` of null is the empty one."""

    action: Literal[
        "replace", "keep", "drop", "keepequal", "dropequal", "hashmod", "labelmap", "labeldrop", "labelkeep",
        "lowercase", "uppercase",
    ] = "replace"  # fmt: skip
    source_labels: list[str] = []
    separator: str = ""
    regex: str | None = _ANYTHING
    modulus: int = 0
    target_label: str = ""
    replacement: str = ""


@dataclass(frozen=True)
class Outgoing:
    """What is done to every alert that leaves a Prometheus."""

    external_labels: Mapping[str, str]
    steps: Sequence[Step]

    def sent(self, labels: Mapping[str, str]) -> dict[str, str] | None:
        """The labels that Alertmanager gets; None for an alert that is dropped. Raises Nonsense."""
        given = {name: value for name, value in labels.items() if value}
        changed: dict[str, str] | None = {**self.external_labels, **given}
        for step in self.steps:
            if changed is not None:
                changed = _relabelled(step, changed)
        return changed


def _relabelled(step: Step, labels: dict[str, str]) -> dict[str, str] | None:
    value = step.separator.join(labels.get(name, "") for name in step.source_labels)
    match step.action:
        case "keep" | "drop":
            return labels if bool(_match(step, value)) == (step.action == "keep") else None
        case "keepequal" | "dropequal":
            equal = labels.get(step.target_label, "") == value
            return labels if equal == (step.action == "keepequal") else None
        case "replace":
            return _replaced(step, labels, value)
        case "hashmod":
            number = int.from_bytes(hashlib.md5(value.encode(), usedforsecurity=False).digest()[8:], "big")
            return _with(labels, step.target_label, str(number % step.modulus))
        case "lowercase" | "uppercase":
            if not value.isascii():
                raise Nonsense(f"{step.action} of {value!r} cannot be told here", where=_WHERE)
            changed = value.lower() if step.action == "lowercase" else value.upper()
            return _with(labels, step.target_label, changed)
        case "labeldrop" | "labelkeep":
            kept = step.action == "labelkeep"
            return {name: text for name, text in labels.items() if bool(_match(step, name)) == kept}
        case "labelmap":
            return _mapped(step, labels)


def _replaced(step: Step, labels: dict[str, str], value: str) -> dict[str, str]:
    found = _match(step, value)
    target = _expanded(step.target_label, found) if found else ""
    if not found or not target:
        return labels
    if not _LABEL.fullmatch(target):
        raise Nonsense(f"whether {target!r} is a label depends on the version", where=_WHERE)
    return _with(labels, target, _expanded(step.replacement, found))


def _mapped(step: Step, labels: dict[str, str]) -> dict[str, str]:
    new: dict[str, str] = {}
    for name, value in labels.items():
        if found := _match(step, name):
            target = _expanded(step.replacement, found)
            if new.setdefault(target, value) != value:
                raise Nonsense(f"labelmap gives {target} two values", where=_WHERE)
    return {**labels, **new}


def _match(step: Step, value: str) -> re.Match[str] | None:
    """In full, as Prometheus anchors every expression; versions differ on whether a dot takes a newline."""
    from amlint.routing import RoutingError, compile_regex  # Go's regular expressions in Python's

    if "\n" in value:
        raise Nonsense(f"the value {value!r} has a line break", where=_WHERE)
    try:
        return compile_regex(step.regex or "").fullmatch(value)
    except RoutingError as error:
        raise Nonsense(str(error), where=_WHERE) from None


def _expanded(template: str, found: re.Match[str]) -> str:
    """Go's Expand: `$1`, `${1}`, `$name`, `$$`; the longest name counts, an unknown one is empty."""

    def group(reference: re.Match[str]) -> str:
        name = reference["braced"] or reference["bare"]
        if name is None:
            return "$"
        if name.isdecimal() and (name == "0" or not name.startswith("0")):
            return (found[int(name)] or "") if int(name) <= found.re.groups else ""
        return (found[name] or "") if name in found.re.groupindex else ""

    return _TEMPLATE.sub(group, template)


def _with(labels: dict[str, str], name: str, value: str) -> dict[str, str]:
    """The labels with one more; an empty value takes it away."""
    rest = {known: text for known, text in labels.items() if known != name}
    return {**rest, name: value} if value else rest
