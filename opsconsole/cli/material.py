"""What is rehearsed, and against what: from files, from an environment, or both."""

import textwrap
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from opsconsole.cli.showing import Showing
from opsconsole.config import Environment
from opsconsole.engine.record import Recorder
from opsconsole.errors import ConfigError, Unseen, UsageError
from opsconsole.model import Entry
from opsconsole.nearest import nearest
from opsconsole.rehearse import load
from opsconsole.rehearse.backtest import BackTests, backtest
from opsconsole.rehearse.model import Panel, Rehearsal, Rule
from opsconsole.rehearse.onward import onward_warnings
from opsconsole.rehearse.schema import Schema
from opsconsole.session import Clients, learn_secrets, open_clients

if TYPE_CHECKING:
    from opsconsole.cli.rehearsing import Wish

Progress = Callable[[str], None]
Shows = Callable[[str], Awaitable[bool | str]]

_LONGEST_HINT = 400


@dataclass(frozen=True)
class Files:
    """What the named files hold; `wrong` is what could not be read of them, and was left out, `notes` what in
    them is not rehearsed."""

    rules: list[Rule]
    panels: list[Panel]
    wrong: list[ConfigError]
    notes: list[str]


@dataclass(frozen=True)
class Material:
    """What is rehearsed. `clients` are those of the environment, None without one; `now` is unix seconds by
    the clock of its Prometheus."""

    rules: list[Rule]
    panels: list[Panel]
    schema: Schema
    clients: Clients | None = None
    now: float = 0.0

    @property
    def told(self) -> str:
        """How much it is, and what is known of the series."""
        alerts = sum(bool(rule.alert) for rule in self.rules)
        counted = ((alerts, "alert"), (len(self.panels), "panel"))
        much = ", ".join(f"{count} {what}{'s' * (count != 1)}" for count, what in counted)
        return f"{much}; series: {self.schema.told}"

    @property
    def shows(self) -> Shows | None:
        """Asks the environment whether a query has data now; None without one."""
        return Showing(self.clients.by_name["prometheus"], self.panels, self.now) if self.clients else None

    async def with_onward(self, rehearsal: Rehearsal, progress: Progress) -> Rehearsal:
        """With the warnings about alerts that can fire and reach nobody, by the environment's routing."""
        alertmanager = self.clients and self.clients.by_name["alertmanager"]
        fired = {
            str(place): {**verdict.witness.fired.labels, "alertname": verdict.subject}
            for place, verdict in enumerate(rehearsal.verdicts)
            if verdict.witness and verdict.kind == "alert"
        }
        if not (self.clients and alertmanager and fired):
            return rehearsal
        try:
            found = await onward_warnings(alertmanager, self.clients.by_name["prometheus"], fired)
        except Unseen as error:
            progress(f"whether the alerts reach anyone could not be seen: {error}")
            return rehearsal
        verdicts = (
            replace(verdict, warnings=(*verdict.warnings, *found.get(str(place), ())))
            for place, verdict in enumerate(rehearsal.verdicts)
        )
        return replace(rehearsal, verdicts=tuple(verdicts))


def read(rules: Collection[Path], dashboards: Collection[Path]) -> Files:
    """Read the files. What of them cannot be read is left out and told; raises ConfigError where nothing to
    rehearse is left."""
    wrong: list[ConfigError] = []
    notes: list[str] = []
    panels = load.load_dashboards(dashboards, wrong.append, notes.append)
    files = Files(load.load_rules(rules, wrong.append), panels, wrong, notes)
    if (rules or dashboards) and not files.panels and not any(rule.alert for rule in files.rules):
        if wrong:
            raise wrong[0]
        raise ConfigError(
            "; ".join(notes) or "it holds no alert and no panel",
            where=", ".join(str(path) for path in (*rules, *dashboards)),
            hint="--rules takes Prometheus' rule files, --dashboard a dashboard as Grafana exports it",
        )
    return files


@asynccontextmanager
async def gathered(
    wish: "Wish", files: Files, environment: Environment | None, progress: Progress
) -> AsyncIterator[Material]:
    """What the wish is about, with the environment's connections open.

    Raises UsageError for a name that none has, ConfigError for metrics that cannot be read or an environment
    without a Prometheus, and Unseen where a server cannot be seen.
    """
    if environment is None:
        rules, panels = chosen(files.rules, files.panels, wish.select)
        if wish.metrics:
            schema = load.from_exposition(wish.metrics, rules, panels)
        else:
            schema = load.guessed(rules, panels)
        yield Material(rules, load.refill(panels, schema), schema)
        return
    async with opened(environment) as clients:
        prometheus, grafana = clients.by_name["prometheus"], clients.by_name["grafana"]
        now = time.time() + await prometheus.clock_offset_seconds()
        rules, panels = files.rules, files.panels
        if not wish.named_files:
            rules = await load.loaded_rules(prometheus)
            panels = await load.served_panels(grafana, now) if grafana else []
            if not grafana:
                progress(f"{environment.name} names no Grafana: no panels are rehearsed")
        rules, panels = chosen(rules, panels, wish.select)
        schema = await load.from_environment(prometheus, rules, panels)
        yield Material(rules, load.refill(panels, schema), schema, clients, now)


async def backtested(
    wish: "Wish", files: Files, environment: Environment | None, progress: Progress
) -> BackTests:
    """The back-test of the rules that the environment has loaded, beside those of the files.

    Raises as `gathered`."""
    if environment is None:
        raise UsageError("a back-test needs the history of an environment")
    told = 0

    def on_progress(done: int, whole: int, rule: str) -> None:
        nonlocal told
        if (quarters := 4 * done // max(whole, 1)) > told:
            told = quarters
            progress(f"{quarters / 4:.0%} of the history evaluated")

    async with opened(environment) as clients:
        loaded = await load.loaded_rules(clients.by_name["prometheus"])
        both, _ = chosen([*loaded, *files.rules], [], wish.select)
        return await backtest(
            clients.by_name["prometheus"],
            [rule for rule in loaded if rule in both],
            proposed=[rule for rule in files.rules if rule in both] if wish.rules else None,
            on_progress=on_progress,
        )


@asynccontextmanager
async def opened(environment: Environment) -> AsyncIterator[Clients]:
    """The environment's clients. Nothing is recorded: a rehearsal changes nothing, and is no run."""
    learn_secrets(environment)
    clients = open_clients(environment, Recorder("", _Nowhere()), None)
    try:
        if clients.by_name["prometheus"] is None:
            raise ConfigError("names no prometheus, and a rehearsal needs one", where=environment.source)
        yield clients
    finally:
        await clients.close()


class _Nowhere:
    def append(self, entry: Entry) -> None:
        """Nobody asks again."""


def chosen(rules: list[Rule], panels: list[Panel], names: Iterable[str]) -> tuple[list[Rule], list[Panel]]:
    """Only what is named, or has one of the names in its own; recording rules stay: alerts rest on them.
    Raises UsageError for a name that none has."""
    names = list(names)
    if not names:
        return rules, panels
    known = list(dict.fromkeys([*(rule.alert for rule in rules if rule.alert), *(p.title for p in panels)]))
    wanted: set[str] = set()
    for name in names:
        found = {name} & {*known} or {each for each in known if name.lower() in each.lower()}
        if not found:
            hint = textwrap.shorten(nearest(name, known), _LONGEST_HINT, placeholder=" ...")
            raise UsageError(f"no alert and no panel {name!r} here", hint=hint)
        wanted |= found
    return (
        [rule for rule in rules if not rule.alert or rule.alert in wanted],
        [panel for panel in panels if panel.title in wanted],
    )
