"""Random Alertmanager configurations and label sets, reproducible by seed, all of which amtool accepts."""

import random
from collections.abc import Sequence
from typing import Any

import yaml

CLASSIC_NAMES = ("severity", "team", "service", "env", "_x1")
UTF8_NAMES = ("service.name", "größe")
VALUES = (
    "critical", "warning", "db", "api-7", "a b", 'say "hi"', "back\\slash", "ünï", "x.y", "xzy", "NO", "1.10",
    "=~", "{brace}", "a,b", "'q'", "CRITICAL",
)  # fmt: skip
REGEXES = (
    "crit.*", "critical|warning", "(?i)CRIT.*", "[a-d]b", ".+", ".*", "", "^db$", "x\\.y", "x.y", "\\w+",
    "api", "(db|api)-?[0-9]*", "[[:alpha:]]+", "\\d\\.\\d+", "warn(?:ing)?", "[^a-z]+", "a b|a,b", "ün.",
    '.*"hi"', "\\QNO\\E", "(?i:ü)n.", "(|db)", "\\S+", "c{1,2}r.*", "\\x64b",
)  # fmt: skip


class Generator:
    """One configuration and label sets for it; `utf8` allows label names that Alertmanager knows since 0.27.

    Fewer `values` and `regexes` make matches likelier.
    """

    def __init__(
        self, seed: int, *, utf8: bool, values: Sequence[str] = VALUES, regexes: Sequence[str] = REGEXES
    ) -> None:
        self.random = random.Random(seed)
        self.values = values
        self.regexes = regexes
        self.names = CLASSIC_NAMES + (UTF8_NAMES if utf8 else ())
        self.receivers = [f"r{number}" for number in range(8)]

    def config(self) -> dict[str, Any]:
        return {"route": self.route(3, root=True), "receivers": [{"name": name} for name in self.receivers]}

    def inhibit_rule(self) -> dict[str, Any]:
        equal = self.random.sample(CLASSIC_NAMES, self.random.randint(0, 2))
        return {**self.matchers("source_"), **self.matchers("target_"), "equal": equal}

    def route(self, depth: int, *, root: bool = False) -> dict[str, Any]:
        chance = self.random.random
        route: dict[str, Any] = {} if root else self.matchers()
        if root or chance() < 0.8:
            route["receiver"] = self.random.choice(self.receivers)
        if not root and chance() < 0.6:
            route["continue"] = True
        if chance() < 0.3:
            route["group_by"] = self.random.choice((["..."], ["team"], ["team", "env"]))
        if chance() < 0.3:
            route["group_wait"] = self.random.choice(("0s", "10s", "1m30s", "1h"))
        if depth and (root or chance() < 0.5):
            route["routes"] = [self.route(depth - 1) for _ in range(self.random.randint(1, 5))]
        return route

    def matchers(self, side: str = "") -> dict[str, Any]:
        written: dict[str, Any] = {}
        if self.random.random() < 0.25:
            written[f"{side}match"] = {self.random.choice(CLASSIC_NAMES): self.random.choice(self.values)}
        if self.random.random() < 0.25:
            written[f"{side}match_re"] = {self.random.choice(CLASSIC_NAMES): self.random.choice(self.regexes)}
        count = self.random.choice((0, 1, 1, 1, 2, 3)) if written else self.random.choice((1, 1, 2))
        if count:
            written[f"{side}matchers"] = self.entries([self.matcher() for _ in range(count)])
        return written

    def entries(self, matchers: list[str]) -> list[str]:
        if self.random.random() < 0.2:
            return ["{" + ", ".join(matchers) + "}"]
        return matchers

    def matcher(self) -> str:
        name, operator = (
            self.random.choice(self.names),
            self.random.choice(("=", "=", "!=", "=~", "=~", "!~")),
        )
        value = self.random.choice(self.regexes if "~" in operator else (*self.values, ""))
        if value.isalnum() and value.isascii() and self.random.random() < 0.5:
            return f"{quoted_name(name)}{operator}{value}"
        space = self.random.choice(("", " "))
        return f"{quoted_name(name)}{space}{operator}{space}{quoted(value)}"

    def labels(self) -> dict[str, str]:
        chosen = self.random.sample(self.names, self.random.randint(1, len(self.names)))
        return {name: self.random.choice(self.values) for name in chosen}


def quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def quoted_name(name: str) -> str:
    return name if name in CLASSIC_NAMES else quoted(name)


def text(config: dict[str, Any]) -> str:
    return yaml.safe_dump(config, allow_unicode=True, sort_keys=False)
