"""A web application firewall turns webhooks away before the service sees them."""

from opsconsole.lab.distortion import Distortion
from opsconsole.lab.faults import Fault

PAGE = "<html><head><title>403 Forbidden</title></head><body><h1>403 Forbidden</h1></body></html>"

FAULT = Fault(
    breaks=lambda lab: lab.distort(
        "service", Distortion(path="/api/webhooks/stripe", status=403, content_type="text/html", body=PAGE)
    ),
    shows={"webhook-metrics": "(?s)answered with 403 .*before it reached the service"},
)
