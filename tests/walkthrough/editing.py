"""Edits of the lab's YAML files, for `tests.checks.breaking`."""

from collections.abc import Callable
from typing import Any

import yaml

from tests.checks.breaking import Edit

Change = Callable[[Any], object]


def edited(change: Change) -> Edit:
    """An edit of a YAML file, as a change of what it holds."""

    def edit(text: str) -> str:
        document = yaml.safe_load(text)
        change(document)
        return yaml.safe_dump(document, sort_keys=False)

    return edit


def without(alert: str) -> Change:
    """A rule file without this alert."""

    def drop(document: Any) -> None:
        for group in document["groups"]:
            group["rules"] = [rule for rule in group["rules"] if rule["alert"] != alert]

    return drop


def rule_as(alert: str, /, **values: Any) -> Change:
    """A rule file with other values in this alert's rule."""

    def change(document: Any) -> None:
        for group in document["groups"]:
            for rule in group["rules"]:
                if rule["alert"] == alert:
                    rule.update(values)

    return change
