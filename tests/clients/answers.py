"""Answers as real servers gave them, shortened; each with the client's question that it answers."""

from collections.abc import Awaitable, Callable
from typing import Any

from opsconsole import config
from opsconsole.clients.alertmanager import Alertmanager
from opsconsole.clients.grafana import Grafana
from opsconsole.clients.http import Http
from opsconsole.clients.inbox.lab import LabInbox
from opsconsole.clients.inbox.mailpit import MailpitInbox
from opsconsole.clients.inbox.pagerduty import PagerDutyInbox
from opsconsole.clients.inbox.postmark import PostmarkInbox
from opsconsole.clients.inbox.slack import SlackInbox
from opsconsole.clients.prometheus import Prometheus
from opsconsole.clients.service import Service
from opsconsole.secrets import MadeUp

Ask = Callable[[Http], Awaitable[Any]]


def _prometheus(http: Http) -> Prometheus:
    return Prometheus(http, lambda *_: None)


def _alertmanager(http: Http) -> Alertmanager:
    return Alertmanager(http, lambda *_: None)


def _grafana(http: Http) -> Grafana:
    return Grafana(http, config.Grafana(url="", dashboard="billing-metrics"), lambda *_: None)


def _inbox(kind: type[LabInbox | MailpitInbox | PostmarkInbox], http: Http) -> Any:
    settings = config.Inbox(kind="lab", url="http://inbox", token=MadeUp("lab:token", "a-token"))
    inbox = kind(settings, lambda _: None, 1.0)
    inbox._http = http
    return inbox


def _slack(http: Http) -> SlackInbox:
    settings = config.Slack(token=MadeUp("lab:token", "a-token"), channel="C0BILLING")
    inbox = SlackInbox(settings, lambda _: None, 1.0)
    inbox._http = http
    return inbox


def _pagerduty(http: Http) -> PagerDutyInbox:
    inbox = PagerDutyInbox(config.PagerDuty(token=MadeUp("lab:token", "a-token")), lambda _: None, 1.0)
    inbox._http = http
    return inbox


def data(value: Any, **more: Any) -> dict[str, Any]:
    return {"status": "success", "data": value, **more}


VECTOR = data(
    {
        "resultType": "vector",
        "result": [
            {"metric": {"instance": "a", "job": "self"}, "value": [1795368067.537, "+Inf"]},
            {"metric": {"instance": "b", "job": "gone"}, "value": [1795368067.537, "NaN"]},
        ],
    },
    infos=["PromQL info: metric might not be a counter"],
)
MATRIX = data(
    {
        "resultType": "matrix",
        "result": [
            {"metric": {"__name__": "up"}, "values": [[1795368064.623, "0"], [1795368064.823, "1e+00"]]}
        ],
    }
)
TARGETS = data(
    {
        "activeTargets": [
            {
                "discoveredLabels": {"__address__": "127.0.0.1:1"},
                "labels": {"instance": "127.0.0.1:1", "job": "gone"},
                "scrapePool": "gone",
                "scrapeUrl": "http://127.0.0.1:1/metrics",
                "lastError": "connection refused",
                "lastScrape": "2026-11-22T17:21:07.223008577Z",
                "lastScrapeDuration": 0.000393503,
                "health": "down",
                "scrapeInterval": "1m30s",
                "scrapeTimeout": "200ms",
            }
        ],
        "droppedTargets": [],
    }
)
RULES = data(
    {
        "groups": [
            {
                "name": "g",
                "file": "rules.yml",
                "rules": [
                    {
                        "state": "firing",
                        "name": "Up",
                        "query": "up == 1",
                        "duration": 0,
                        "keepFiringFor": 0,
                        "labels": {"severity": "info"},
                        "annotations": {"summary": "x"},
                        "alerts": [
                            {
                                "labels": {"alertname": "Up"},
                                "annotations": {},
                                "state": "firing",
                                "activeAt": "2026-11-22T17:21:04.626745134Z",
                                "value": "1e+00",
                            }
                        ],
                        "health": "ok",
                        "evaluationTime": 0.000479077,
                        "lastEvaluation": "0001-01-01T00:00:00Z",
                        "type": "alerting",
                    },
                    {
                        "name": "a:b",
                        "query": "sum(up)",
                        "health": "ok",
                        "evaluationTime": 0.000078029,
                        "lastEvaluation": "2026-11-22T17:21:07.228659128Z",
                        "type": "recording",
                    },
                ],
                "interval": 0.2,
            }
        ]
    }
)
RUNTIME = data(
    {
        "startTime": "2026-11-22T17:20:59.465482449Z",
        "reloadConfigSuccess": True,
        "lastConfigTime": "2026-11-22T17:20:59Z",
        "corruptionCount": 0,
        "storageRetention": "15d or 10GiB",
    }
)
ALERTS = [
    {
        "annotations": {},
        "endsAt": "2026-11-22T17:27:37.910Z",
        "fingerprint": "84b09e2653b5895c",
        "receivers": [{"name": "r"}],
        "startsAt": "2026-11-22T17:22:37.910Z",
        "status": {"inhibitedBy": [], "mutedBy": [], "silencedBy": [], "state": "active"},
        "updatedAt": "2026-11-22T17:22:37.910Z",
        "labels": {"a": "c", "alertname": "X"},
    }
]
STATUS = {
    "cluster": {"peers": [], "status": "disabled"},
    "config": {"original": "route:\n  receiver: r\nreceivers:\n- name: r\n"},
    "uptime": "2026-11-22T17:22:36.500Z",
    "versionInfo": {"version": "0.33.1", "branch": "main"},
}
SILENCES = [
    {
        "id": "7908f91b",
        "status": {"state": "active"},
        "updatedAt": "2026-11-22T17:22:37.923Z",
        "comment": "c",
        "createdBy": "x",
        "endsAt": "2027-11-22T00:00:00.000Z",
        "matchers": [{"isEqual": True, "isRegex": False, "name": "a", "value": "b"}],
        "startsAt": "2026-11-22T17:22:37.923Z",
    }
]
DASHBOARD = {
    "dashboard": {
        "uid": "billing-metrics",
        "title": "Billing",
        "version": 1,
        "panels": [
            {
                "id": 1,
                "type": "gauge",
                "title": "P",
                "datasource": {"uid": "${ds}", "type": "prometheus"},
                "targets": [{"refId": "A", "expr": "up", "instant": True}],
            }
        ],
        "templating": {
            "list": [
                {"name": "ds", "type": "constant", "query": "p1", "current": {"value": "p1"}},
                {
                    "name": "plan",
                    "type": "custom",
                    "query": "a,b",
                    "options": [{"value": "a"}, {"value": "b"}],
                },
            ]
        },
    },
    "meta": {},
}
FRAMES = {
    "results": {
        "A": {
            "status": 200,
            "frames": [
                {
                    "schema": {
                        "fields": [{"name": "Time", "type": "time"}, {"name": "Value", "type": "number"}]
                    },
                    "data": {"values": [[1, 2], [4.5, None]], "entities": [None, {"NaN": [1]}]},
                }
            ],
        }
    }
}
LAB_MAIL = [
    {"id": 1, "channel": "email", "at": 2.0, "to": ["a@b"], "sender": "c@d", "subject": "s", "body": "b"}
]
MAILPIT = {
    "messages": [
        {
            "ID": "x",
            "Created": "2026-11-22T17:22:37.9Z",
            "Subject": "s",
            "Snippet": "b",
            "From": {"Name": "", "Address": "c@d"},
            "To": [{"Name": "", "Address": "a@b"}],
            "Cc": None,
        }
    ]
}
POSTMARK = {
    "TotalCount": 1,
    "Messages": [
        {
            "MessageID": "x",
            "ReceivedAt": "2026-11-22T12:22:37.9178645-05:00",
            "Subject": "run",
            "From": "c@d",
            "To": [{"Email": "a@b", "Name": ""}],
        }
    ],
    "TextBody": "run",
    "HtmlBody": "",
    "MessageEvents": [{"Type": "Delivered", "Recipient": "a@b"}],
}
SLACK = {
    "ok": True,
    "messages": [
        {
            "type": "message",
            "subtype": "bot_message",
            "ts": "1795368067.000200",
            "text": "",
            "username": "Alertmanager",
            "bot_id": "B0",
            "attachments": [
                {
                    "id": 1,
                    "title": "[FIRING:1] run",
                    "text": "b",
                    "fallback": "f",
                    "fields": [{"title": "t", "value": "v", "short": True}],
                }
            ],
        }
    ],
    "has_more": False,
    "response_metadata": {"next_cursor": ""},
}
PAGERDUTY = {
    "incidents": [
        {
            "id": "Q1",
            "title": "[FIRING:1] run",
            "status": "resolved",
            "created_at": "2026-11-22T17:22:37Z",
            "resolved_at": "2026-11-22T17:25:37Z",
            "last_status_change_at": "2026-11-22T17:25:37Z",
            "incident_key": "k",
            "service": {"id": "P1", "type": "service_reference", "summary": "Billing"},
            "first_trigger_log_entry": {"id": "R1", "channel": {"type": "api", "details": {"firing": "f"}}},
        }
    ],
    "limit": 100,
    "offset": 0,
    "total": None,
    "more": False,
}
EXPOSITION = """# HELP a_total A.
# TYPE a_total counter
a_total{b="c"} 1.0
# TYPE d histogram
d_bucket{le="1.0"} 1.0
d_bucket{le="+Inf"} 2.0
d_count 2.0
d_sum NaN
"""
NOTIFICATIONS = """alertmanager_notifications_failed_total{integration="email",reason="other"} 1
alertmanager_notifications_total{integration="email"} 3
"""

QUERIES = [{"refId": "A", "datasource": {"uid": "p1"}, "expr": "up"}]

JSON_ANSWERS: dict[str, tuple[Any, Ask]] = {
    "query": (VECTOR, lambda http: _prometheus(http).query("up")),
    "query_range": (MATRIX, lambda http: _prometheus(http).query_range("up", start=0, end=9, step_seconds=1)),
    "series": (data([{"__name__": "up", "job": "a"}]), lambda http: _prometheus(http).series("up")),
    "targets": (TARGETS, lambda http: _prometheus(http).targets()),
    "rules": (RULES, lambda http: _prometheus(http).rules()),
    "runtime": (RUNTIME, lambda http: _prometheus(http).runtime()),
    "alertmanagers": (
        data({"activeAlertmanagers": [{"url": "http://a"}], "droppedAlertmanagers": []}),
        lambda http: _prometheus(http).alertmanagers(),
    ),
    "metadata": (
        data({"up": [{"type": "gauge", "unit": "", "help": ""}]}),
        lambda http: _prometheus(http).metadata("up"),
    ),
    "types": (
        data({"up": [{"type": "gauge"}, {"type": "counter"}]}),
        lambda http: _prometheus(http).types(),
    ),
    "metric names": (data(["up"]), lambda http: _prometheus(http).metric_names()),
    "clock": (
        data({"resultType": "scalar", "result": [1795368067.526, "1795368067.526"]}),
        lambda http: _prometheus(http).clock_offset_seconds(),
    ),
    "alerts": (ALERTS, lambda http: _alertmanager(http).alerts()),
    "status": (STATUS, lambda http: _alertmanager(http).status()),
    "silences": (SILENCES, lambda http: _alertmanager(http).silences()),
    "dashboard": (DASHBOARD, lambda http: _grafana(http).dashboard_model()),
    "run": (FRAMES, lambda http: _grafana(http).run(QUERIES, 0, 60)),
    "source": (
        {"uid": "p1", "name": "P", "type": "prometheus", "url": "http://p", "isDefault": True},
        lambda http: _grafana(http).datasource("p1"),
    ),
    "sources": (
        [{"uid": "p1", "name": "P", "type": "prometheus", "url": "http://p", "isDefault": True}],
        lambda http: _grafana(http).datasources(),
    ),
    "source health": (
        {"status": "OK", "message": "fine"},
        lambda http: _grafana(http).datasource_health("p1"),
    ),
    "lab inbox": (LAB_MAIL, lambda http: _inbox(LabInbox, http).find("run", since=0.0)),
    "mailpit": (MAILPIT, lambda http: _inbox(MailpitInbox, http).find("run", since=0.0)),
    "postmark": (POSTMARK, lambda http: _inbox(PostmarkInbox, http).find("run", since=0.0)),
    "slack": (SLACK, lambda http: _slack(http).find("run", since=0.0)),
    "pagerduty": (PAGERDUTY, lambda http: _pagerduty(http).find("run", since=0.0)),
}

TEXT_ANSWERS: dict[str, tuple[str, Ask]] = {
    "notifications": (NOTIFICATIONS, lambda http: _alertmanager(http).notifications()),
    "exposition": (
        EXPOSITION,
        lambda http: Service(
            http, config.Service(url="", metrics="http://server/metrics", job="j")
        ).metrics(),
    ),
}
