"""The service is scraped twice, by a second job that came with a PodMonitor: its alerts come twice."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

JOB = "billing/rsolv-platform-pods"


def breaks(lab: Workshop) -> None:
    address = lab.lab.service_url.removeprefix("http://")
    second = f'\n  - job_name: {JOB}\n    static_configs:\n      - targets: ["{address}"]\n'
    lab.prometheus(("\n  - job_name: rsolv-platform\n", f"{second}\n  - job_name: rsolv-platform\n"))
    lab.until(lambda: lab.queried(f'count_over_time(up{{job="{JOB}"}}[1m]) > 3'), "the second job to scrape")


FAULT = Fault(
    breaks=breaks,
    shows={"scraping": f'/metrics is scraped twice, as .*job="{JOB}"'},
)
