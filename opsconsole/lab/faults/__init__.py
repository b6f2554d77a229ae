"""The ways in which a lab can be broken: one small file each, in a folder for each link of the chain.

A file ends in `FAULT = Fault(...)`. Its name is the fault's, the first line of its docstring says what is
wrong, and its folder which link it breaks. What a fault breaks is mended for all of them by the same means:
the lab starts again as it was (`opsconsole.lab.stack.renew`).
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from opsconsole.errors import LabError
from opsconsole.lab.workshop import Workshop
from opsconsole.model import Outcome
from opsconsole.nearest import nearest

LINKS = {
    "target": "what Prometheus scrapes",
    "prometheus": "Prometheus and its rules",
    "dead": "alerts that can never fire, as their own reference has them",
    "alertmanager": "Alertmanager's routes",
    "delivery": "mail, chat and pager",
    "grafana": "the dashboard (the Grafana stand-in)",
    "service": "the billing service",
}
"""The links of the chain in its order, by the name of their folder."""


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One way to break a lab.

    `breaks` does it. `shows` maps the items that must tell of it to a regular expression for the words in
    which they name the cause; `outcome` is theirs: FAIL, or UNKNOWN where the truth is that it cannot be
    seen. `follows` does so for the items that depend on what is broken: they may pass still, else they say
    on what. Where `verify` cannot see it, `alert` is the alert whose test does, `shows` is about that, and
    `unseen` is how `verify` says that it did not look; then the lab is the drill lab.

    `name`, `link` and `said` are filled in by `load`.
    """

    breaks: Callable[[Workshop], None]
    shows: Mapping[str, str]
    follows: Mapping[str, str] = field(default_factory=dict)
    outcome: Outcome = Outcome.FAIL
    alert: str = ""
    unseen: str = ""
    name: str = ""
    link: str = ""
    said: str = ""

    @property
    def drill(self) -> bool:
        """Whether it breaks the drill lab."""
        return bool(self.alert)


@cache
def load() -> dict[str, Fault]:
    """All faults by their names, in the order of the links."""
    found: dict[str, Fault] = {}
    for link in LINKS:
        package = importlib.import_module(f"{__name__}.{link}")
        for name in sorted(module.name for module in pkgutil.iter_modules(package.__path__)):
            module = importlib.import_module(f"{package.__name__}.{name}")
            said = (module.__doc__ or "").partition("\n")[0].removesuffix(".")
            found[name] = replace(module.FAULT, name=name, link=link, said=said)
    return found


def named(name: str) -> Fault:
    """The fault of this name. Raises LabError where there is none."""
    faults = load()
    if name not in faults:
        close = nearest(name, faults, all_at="`opsconsole lab list` shows all")
        raise LabError(f"no fault {name!r}", hint=close)
    return faults[name]
