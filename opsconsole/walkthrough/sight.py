"""What an alert test sees with: the environment's servers, mailboxes and channels, and its drills."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from opsconsole.clients.alertmanager import Alertmanager
from opsconsole.clients.inbox import Inbox
from opsconsole.clients.prometheus import Prometheus
from opsconsole.clients.reference import Reference
from opsconsole.clients.service import Service
from opsconsole.clients.smtp import MailServer
from opsconsole.config import Environment


@dataclass(frozen=True)
class Sight:
    """`inboxes` maps a receiver's kind (email, slack, pagerduty) to where its messages can be looked for: the
    lab's inbox stands for all three. `drills` maps alerts to faults, from the checklist; `reference`
    is the rule file as it is meant, None where the environment names none; `mail_server` asks those that
    Alertmanager hands mails over to."""

    environment: Environment
    prometheus: Prometheus
    alertmanager: Alertmanager
    service: Service | None = None
    inboxes: Mapping[str, Inbox] = field(default_factory=dict)
    drills: Mapping[str, str] = field(default_factory=dict)
    reference: Reference | None = None
    mail_server: MailServer | None = None
