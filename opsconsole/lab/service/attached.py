"""The payment methods that are attached to the service's customer."""

from typing import Any

from opsconsole.lab.http import Invalid

RUN = "opsconsole_run"
"""The entry of `metadata` by which a test finds its own again."""


class PaymentMethods:
    """What was attached and not detached since, as Stripe's objects."""

    def __init__(self) -> None:
        self._objects: dict[str, dict[str, Any]] = {}
        self._number = 0

    def attach(self, customer: str, metadata: dict[str, str]) -> str:
        """The id of a new one."""
        self._number += 1
        new = f"pm_lab_{self._number:06}"
        kind = {"object": "payment_method", "type": "card"}
        self._objects[new] = {"id": new, **kind, "customer": customer, "metadata": metadata}
        return new

    def listed(self, run: str | None) -> list[dict[str, Any]]:
        """Those of this run, or all."""
        return [one for one in self._objects.values() if run is None or one["metadata"].get(RUN) == run]

    def detach(self, number: str) -> dict[str, Any] | None:
        """The object as it is after, or None where there is none of this id."""
        gone = self._objects.pop(number, None)
        return gone and {**gone, "customer": None}


def metadata_of(body: dict[str, Any]) -> dict[str, str]:
    """A request's `metadata`; what is no flat object of strings is answered with 400."""
    metadata = body.get("metadata", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise Invalid(400, "metadata must be an object whose values are strings")
    return metadata
