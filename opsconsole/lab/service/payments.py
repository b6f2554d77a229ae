"""Stripe's test payment methods, and what attaching or charging each one leads to.

The names, codes and the difference between refused when attached and failed at the charge are those of
Stripe's page on testing.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Decline:
    """Why a card is declined: Stripe's error code, its decline code and its words."""

    code: str
    decline_code: str
    message: str
    attaches: bool = False

    def as_error(self, payment_method: str) -> dict[str, Any]:
        """The body of Stripe's 402."""
        error: dict[str, Any] = {
            "type": "card_error",
            "code": self.code,
            "message": self.message,
            "doc_url": f"https://stripe.com/docs/error-codes/{self.code.replace('_', '-')}",
            "payment_method": {"id": payment_method, "object": "payment_method", "type": "card"},
        }
        if self.decline_code:
            error["decline_code"] = self.decline_code
        return {"error": error}


GENERIC = Decline("card_declined", "generic_decline", "Your card was declined.")

DECLINES = {
    "pm_card_visa_chargeDeclined": GENERIC,
    "pm_card_chargeDeclined": GENERIC,
    "pm_card_visa_chargeDeclinedInsufficientFunds": Decline(
        "card_declined", "insufficient_funds", "Your card has insufficient funds."
    ),
    "pm_card_visa_chargeDeclinedLostCard": Decline("card_declined", "lost_card", "Your card was declined."),
    "pm_card_visa_chargeDeclinedStolenCard": Decline(
        "card_declined", "stolen_card", "Your card was declined."
    ),
    "pm_card_chargeDeclinedExpiredCard": Decline("expired_card", "", "Your card has expired."),
    "pm_card_chargeDeclinedIncorrectCvc": Decline(
        "incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect."
    ),
    "pm_card_chargeDeclinedProcessingError": Decline(
        "processing_error",
        "processing_error",
        "An error occurred while processing your card. Try again in a little bit.",
    ),
    "pm_card_chargeCustomerFail": Decline(
        "card_declined", "generic_decline", "Your card was declined.", attaches=True
    ),
    # Stripe has no such payment method; the deployment guide uses it, so this service knows it.
    "pm_card_declined": GENERIC,
}

ACCEPTED = frozenset(
    f"pm_card_{brand}"
    for brand in ("visa", "visa_debit", "mastercard", "amex", "discover", "diners", "jcb", "unionpay")
)


def unknown(payment_method: str) -> dict[str, Any]:
    """The body of Stripe's 400 for a payment method that does not exist."""
    return {
        "error": {
            "type": "invalid_request_error",
            "code": "resource_missing",
            "param": "payment_method",
            "message": f"No such PaymentMethod: '{payment_method}'",
            "doc_url": "https://stripe.com/docs/error-codes/resource-missing",
        }
    }
