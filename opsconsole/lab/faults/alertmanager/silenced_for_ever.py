"""A silence of ten years is in force on all billing alerts."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.silence(("component", "billing"), comment="noisy, remove soon"),
    shows={"routing": "is silenced until .* by somebody: noisy, remove soon"},
    follows={"test-email": "it is silenced until .* by somebody: noisy, remove soon"},
)
