"""An old version of the dashboard was put back, in which several panels have other queries."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.dashboard(("$__rate_interval", "1h"), ("quantile(0.95", "quantile(0.5")),
    shows={"dashboard": r"another dashboard than the reference: of 10 panels, 0 are missing and \d differ"},
)
