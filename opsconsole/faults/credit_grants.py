"""Grants of very many credits, through the service's test hook."""

from opsconsole.faults import Fault
from opsconsole.faults._hooks import address, pulled, unavailable
from opsconsole.faults._series import grant

_HOOK = "credits"
_CREDITS = 2000
"""Over the alert's threshold of 1000, and within the highest finite bucket: a quantile never goes beyond."""

FAULT = Fault(
    name="credit_grants",
    title="grants of very many credits",
    unavailable=unavailable,
    sends=lambda service: (
        f"POST {address(service, _HOOK)}, grants of {_CREDITS}, one request for all at once"
    ),
    open=lambda means: pulled(means, _HOOK, what=f"grants of {_CREDITS} credits", quantity=_CREDITS),
    moves=grant(),
)
