"""The people and channels behind an Alertmanager receiver."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email.utils import getaddresses
from typing import Any

from opsconsole.clients.shape import mappings

# Where each integration says whom it reaches: the first of these settings that is set. Keys and tokens
# are no addresses: an integration known by its key alone has an empty one, as has one not listed here.
_ADDRESS_SETTINGS = {
    "email": ("to",),
    "slack": ("channel",),
    "pagerduty": ("url",),
    "opsgenie": ("api_url",),
    "webhook": ("url", "url_file"),
    "telegram": ("chat_id",),
    "webex": ("room_id",),
    "wechat": ("to_user", "to_party", "to_tag"),
    "victorops": ("routing_key",),
    "sns": ("topic_arn", "phone_number", "target_arn"),
    "jira": ("project",),
    "rocketchat": ("channel",),
    "mattermost": ("channel",),
}
_SUFFIX = "_configs"


@dataclass(frozen=True, slots=True)
class Target:
    """One address that a receiver notifies.

    `kind` is Alertmanager's name of the integration without `_configs` ("email", "slack", ...);
    `address` is a mailbox, a channel, a URL ...: `<secret>` where Alertmanager masks it (webhook URLs
    since 0.28), empty where the integration is known by a key alone.
    """

    kind: str
    address: str
    send_resolved: bool

    def __str__(self) -> str:
        return f"{self.kind} {self.address}".rstrip()


def targets(receiver: Mapping[str, Any]) -> Iterator[Target]:
    """Every target of one entry of `receivers:`; none where it has no integration.

    Raises Nonsense where an integration is not a list of mappings.
    """
    for setting in receiver:
        if not setting.endswith(_SUFFIX):
            continue
        kind = setting.removesuffix(_SUFFIX)
        for integration in mappings(receiver, setting, f"receiver {receiver.get('name')}"):
            # The running configuration always states send_resolved; its default differs by integration.
            resolved = bool(integration.get("send_resolved", False))
            for address in _addresses(kind, integration):
                yield Target(kind, address, resolved)


def _addresses(kind: str, integration: Mapping[str, Any]) -> list[str]:
    settings = _ADDRESS_SETTINGS.get(kind, ())
    address = next((str(integration[name]) for name in settings if integration.get(name)), "")
    if kind == "email":
        return [mailbox for _, mailbox in getaddresses([address]) if mailbox]
    return [address]
