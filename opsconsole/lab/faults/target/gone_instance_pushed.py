"""The series of an instance that is gone linger: it has pushed them, and nobody has deleted them."""

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault
from opsconsole.lab.workshop import Workshop

PUSHED = """# TYPE rsolv_billing_usage_tracked_total counter
rsolv_billing_usage_tracked_total{job="rsolv-platform",instance="gone:9568",plan="pro",resource_type="fix"} 41
# TYPE push_time_seconds gauge
push_time_seconds{job="rsolv-platform",instance="gone:9568"} 1.7e9
"""
JOB = """
  - job_name: pushgateway
    honor_labels: true
    metrics_path: /pushed
    static_configs:
      - targets: ["ADDRESS"]
  - job_name: rsolv-platform
"""


def breaks(lab: Workshop) -> None:
    lab.distort("inbox", Distortion(path="/pushed", body=PUSHED))
    pushgateway = JOB.replace("ADDRESS", lab.lab.inbox_url.removeprefix("http://"))
    lab.prometheus(("\n  - job_name: rsolv-platform\n", pushgateway))
    lab.until(lambda: lab.queried('rsolv_billing_usage_tracked_total{instance="gone:9568"}'), "its series")


FAULT = Fault(
    breaks=breaks,
    shows={"scraping": "gone:9568: no target .* is this instance, and its series linger.*\n.* pushed .* ago"},
)
