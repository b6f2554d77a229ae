"""The new rules were refused at the reload, for a mistake in them: the old ones run on."""

from opsconsole.lab.faults import Fault

FAULT = Fault(
    breaks=lambda lab: lab.rules(("> 0.25", "> > 0.20"), accepted=False),
    shows={"rules": r"the last reload was refused: what runs is older than what is configured"},
)
