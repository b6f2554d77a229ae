"""Subscriptions that are cancelled, through the service's test hook."""

from opsconsole.faults import Fault
from opsconsole.faults._hooks import address, pulled, unavailable
from opsconsole.faults._series import counter

_HOOK = "cancellations"

FAULT = Fault(
    name="cancellations",
    title="subscriptions that are cancelled",
    unavailable=unavailable,
    sends=lambda service: f"POST {address(service, _HOOK)}, one request for all that are cancelled at once",
    open=lambda means: pulled(means, _HOOK, what="cancelled subscriptions of a test customer"),
    moves=(counter("subscription_cancelled"),),
)
