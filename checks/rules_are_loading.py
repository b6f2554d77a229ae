"""Prometheus has read its rule files, and evaluates them without errors."""

from collections.abc import AsyncIterator

from opsconsole.checkkit import Finding, Prometheus, Seen


async def check(prometheus: Prometheus) -> AsyncIterator[Finding | Seen]:
    """The last reload, and the health of every rule that is loaded."""
    if not (await prometheus.runtime()).reload_ok:
        yield Finding(
            summary="the last reload was refused: rules that were loaded before still run",
            remedy="promtool check rules on the rule files, then reload",
        )
    rules = await prometheus.rules()
    if not rules:
        yield Finding(summary="no rule at all is loaded", remedy="name the file under rule_files and reload")
    for rule in rules:
        if rule.health == "err":
            yield Finding(subject=rule.name, summary=f"fails to evaluate: {rule.last_error}")
    if rules:
        yield Seen(f"{len(rules)} rules loaded from {', '.join(sorted({rule.file for rule in rules}))}")
