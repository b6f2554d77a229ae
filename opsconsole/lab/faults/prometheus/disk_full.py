"""The disk of Prometheus is full: it scrapes and stores nothing, and every target looks well."""

import resource

from opsconsole.lab import state
from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

ROOM_BYTES = 4096


def breaks(lab: Workshop) -> None:
    """A limit on the size of files stands in for a full disk: to Prometheus either is a write that fails."""
    members = state.load(lab.lab.folder).members
    pid = next(member.pid for member in members if member.name == "prometheus")
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (ROOM_BYTES, resource.RLIM_INFINITY))
    lab.until(lambda: not lab.queried('count_over_time(up{job="rsolv-platform"}[4s])'), "scrapes to be lost")


FAULT = Fault(
    breaks=breaks,
    shows={"scraping": r"has stored nothing for .*: \d+ writes to its disk have failed"},
    follows={
        "rules": "which is scraped no longer",
        "webhook-metrics": "not in Prometheus within two scrapes",
    },
)
