"""Prometheus has read its rule files, and evaluates them without errors."""

from collections.abc import AsyncIterator
from contextlib import suppress

from opsconsole.checkkit import Finding, Prometheus, Seen, Unseen, rule_files_not_found, too_slow


async def check(prometheus: Prometheus) -> AsyncIterator[Finding | Seen]:
    """The last reload, the health of every rule that is loaded, and whether its group is evaluated within its
    interval."""
    if not (await prometheus.runtime()).reload_ok:
        yield Finding(
            summary="the last reload was refused: rules that were loaded before still run",
            remedy="promtool check rules on the rule files, then reload",
        )
    rules = await prometheus.rules()
    if not rules:
        yield Finding(
            summary="no rule at all is loaded",
            detail=await _not_found(prometheus),
            remedy="name the file under rule_files and reload",
        )
        return
    for rule in rules:
        if rule.health == "err":
            yield Finding(subject=rule.name, summary=f"fails to evaluate: {rule.last_error}")
    for finding in await too_slow(prometheus, rules):
        yield finding
    yield Seen(f"{len(rules)} rules loaded from {', '.join(sorted({rule.file for rule in rules}))}")


async def _not_found(prometheus: Prometheus) -> str:
    with suppress(Unseen):
        return rule_files_not_found(await prometheus.loading(), [])
    return ""
