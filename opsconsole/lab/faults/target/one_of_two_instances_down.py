"""One of the two instances of the service is down, and the other answers for both."""

from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop


def breaks(lab: Workshop) -> None:
    first = lab.lab.service_url.removeprefix("http://")
    lab.prometheus(
        (f'targets: ["{first}"]', f'targets: ["{first}", "127.0.0.1:9"]'),
        (
            "      - target_label: instance\n",
            f"      - source_labels: [__address__]\n        regex: {first}\n        target_label: instance\n",
        ),
    )
    lab.until(lambda: lab.queried('up{job="rsolv-platform"} == 0'), "the second to be down")
    lab.until(lambda: lab.queried('up{job="rsolv-platform"} == 1'), "the first to be up")


FAULT = Fault(breaks=breaks, shows={"scraping": r"127\.0\.0\.1:9: is down: .*connection refused"})
