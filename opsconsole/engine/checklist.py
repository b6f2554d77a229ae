"""A checklist is data: items in order, each naming checks and their settings, in a TOML file.

title = "Billing monitoring"
[settings]                      # for every check that has a setting of that name
job = "rsolv-platform"
[[item]]
id = "scraping"
title = "Prometheus is scraping billing metrics"
section = "Metrics"
[[item.check]]
use = "metrics_are_scraped"     # checks/metrics_are_scraped.py
families = ["up"]               # its settings
[drills]                        # for `alert-test`: what brings each alert about, a file in opsconsole/faults
BillingPaymentFailureRateHigh = "declined_payments"
"""

import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from opsconsole.engine.discover import Check
from opsconsole.errors import ChecklistError
from opsconsole.model import ItemSummary
from opsconsole.nearest import nearest


@dataclass(frozen=True)
class Use:
    """A check with the settings that its item gives it, converted and complete."""

    check: Check
    settings: dict[str, Any]


@dataclass(frozen=True)
class Item:
    """One line of the checklist."""

    id: str
    title: str
    section: str
    uses: tuple[Use, ...]

    @property
    def summary(self) -> ItemSummary:
        return ItemSummary(
            id=self.id, title=self.title, section=self.section, checks=tuple(u.check.id for u in self.uses)
        )


@dataclass(frozen=True)
class Checklist:
    """A checklist, valid against the checks that there are. `hash` is the SHA-256 of its file; `drills` maps
    alerts to the names of the faults that bring them about."""

    title: str
    items: tuple[Item, ...]
    common: dict[str, Any]
    hash: str
    drills: dict[str, str] = field(default_factory=dict)

    def select(self, ids: Iterable[str]) -> "Checklist":
        """The same with only the items named; each name is an id or a part of one."""
        wanted: set[str] = set()
        for name in ids:
            exact = {i.id for i in self.items if i.id == name}
            matching = exact or {i.id for i in self.items if name in i.id}
            if not matching:
                known = [i.id for i in self.items]
                raise ChecklistError(f"no item {name!r} in this checklist", hint=nearest(name, known))
            wanted |= matching
        return replace(self, items=tuple(i for i in self.items if i.id in wanted))


def load(
    path: Path,
    checks: Mapping[str, Check],
    overrides: Mapping[str, Any] | None = None,
    *,
    overridden_in: str = "the environment's settings",
) -> Checklist:
    """Read the checklist at `path`. `overrides`, from where `overridden_in` says, go before all that it sets.

    Raises ChecklistError naming file, item and key for anything that is not as it should be.
    """
    try:
        raw = path.read_bytes()
        data = tomllib.loads(raw.decode())
    except FileNotFoundError:
        raise ChecklistError("there is no such checklist", where=str(path)) from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ChecklistError(f"cannot be read: {error}", where=str(path)) from error
    _only(data, ("title", "settings", "item", "drills"), str(path))
    own, overrides = _table(data.get("settings", {}), f"{path}: settings"), dict(overrides or {})
    entries = data.get("item")
    if not isinstance(entries, list) or not entries:
        raise ChecklistError("has no [[item]]", where=str(path))
    source = _Source(checks, own, overrides, overridden_in)
    items = tuple(_item(entry, number, str(path), source) for number, entry in enumerate(entries, 1))
    _only_known(own, f"{path}: settings", items, checks)
    _only_known(overrides, overridden_in, items, checks)
    if twice := next((i.id for n, i in enumerate(items) if i.id in {j.id for j in items[:n]}), None):
        raise ChecklistError(f"has two items {twice!r}", where=str(path))
    title, common = str(data.get("title", path.stem)), {**own, **overrides}
    drills = _drills(data.get("drills", {}), f"{path}: drills")
    return Checklist(title, items, common, hashlib.sha256(raw).hexdigest(), drills)


@dataclass(frozen=True)
class _Source:
    """Where an item's checks and settings come from: what overrides, its own, what is common."""

    checks: Mapping[str, Check]
    common: Mapping[str, Any]
    overrides: Mapping[str, Any]
    overridden_in: str


def _only_known(
    given: Mapping[str, Any], where: str, items: Iterable[Item], checks: Mapping[str, Check]
) -> None:
    """Refuse a setting that no check of these items has, nor a diagnosis of theirs."""
    used = {u.check.id: u.check for item in items for u in item.uses}
    used |= {name: checks[name] for check in used.values() for name in check.diagnosis}
    known = sorted({name for check in used.values() for name in check.settings})
    for key in given:
        if key not in known:
            message = f"no check of this checklist has a setting {key!r}"
            raise ChecklistError(message, where=where, hint=nearest(key, known))


def use(check: Check, given: Mapping[str, Any], common: Mapping[str, Any], where: str) -> Use:
    """`check` with its settings: what its item gives, else the common ones, else its defaults."""
    for key in given:
        if key not in check.settings:
            raise ChecklistError(
                f"{check.id} has no setting {key!r}", where=where, hint=nearest(key, check.settings)
            )
    settings: dict[str, Any] = {}
    for name, setting in check.settings.items():
        value = given.get(name, common.get(name, setting.default))
        if value is setting.default and setting.required:
            raise ChecklistError(f"{check.id} needs the setting {name!r}", where=where)
        try:
            settings[name] = value if value is setting.default else msgspec.convert(value, setting.annotation)
        except msgspec.ValidationError as error:
            raise ChecklistError(f"{name}: {error}", where=where) from error
    return Use(check, settings)


def _item(entry: Any, number: int, path: str, source: _Source) -> Item:
    entry = _table(entry, f"{path}: item {number}")
    where = f"{path}: item {entry.get('id', number)}"
    _only(entry, ("id", "title", "section", "check"), where)
    for key in ("id", "title"):
        if not isinstance(entry.get(key), str) or not entry[key]:
            raise ChecklistError(f"needs {key!r}", where=where)
    uses = []
    named = entry.get("check")
    if not isinstance(named, list) or not named:
        raise ChecklistError("names no check", where=where, hint='add [[item.check]] with use = "..."')
    for given in named:
        given = dict(_table(given, where))
        name = given.pop("use", None)
        if not isinstance(name, str) or name not in source.checks:
            raise ChecklistError(f"no check {name!r}", where=where, hint=nearest(str(name), source.checks))
        check = source.checks[name]
        overrides = {key: value for key, value in source.overrides.items() if key in check.settings}
        from_where = f"{where}, with {source.overridden_in}" if overrides else where
        uses.append(use(check, {**given, **overrides}, source.common, from_where))
    return Item(entry["id"], entry["title"], str(entry.get("section", "")), tuple(uses))


def _drills(value: Any, where: str) -> dict[str, str]:
    try:
        return msgspec.convert(_table(value, where), dict[str, str])
    except msgspec.ValidationError as error:
        raise ChecklistError(f"names a fault for each alert: {error}", where=where) from error


def _table(value: Any, where: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise ChecklistError("is no table", where=where)


def _only(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    for key in table:
        if key not in known:
            raise ChecklistError(f"unknown key {key!r}", where=where, hint=nearest(key, known))
