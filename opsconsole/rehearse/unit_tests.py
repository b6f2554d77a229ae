"""promtool's unit tests and the rules files beside them, as somebody would write them by hand.

Annotations are left out of both, on purpose: whether an alert fires does not depend on them, and a test that
holds them breaks with every word that is changed.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from opsconsole.rehearse.model import Fired, Incident, Rule
from opsconsole.rehearse.timeline import duration, quoted, series_name, series_values

RULES_NAME = "rules.yml"

_PLAIN = re.compile(r"[a-zA-Z_][\w.-]*")
_NOT_TEXT = {"true", "false", "yes", "no", "on", "off", "null", "y", "n", "inf", "nan"}
_LINE = 100


@dataclass(frozen=True, slots=True)
class Check:
    """What the alerts' own series must be at a moment: exactly these, none if there are none."""

    comment: str
    expr: str
    at_seconds: float
    expected: tuple[Mapping[str, str], ...] = ()


def unit_test(
    rule: Rule,
    incident: Incident,
    fired: Fired,
    checks: Sequence[Check],
    *,
    rule_files: Sequence[str] = (RULES_NAME,),
    groups: Sequence[str] = (),
) -> str:
    """A promtool unit test, as YAML. `groups` are the rules' groups in the order of their evaluation."""
    lines = [
        *(_wrapped(line) for line in _told(rule, incident, fired)),
        *_listed("rule_files", rule_files),
        *([*_listed("group_eval_order", groups)] if len(groups) > 1 else []),
        f"evaluation_interval: {duration(incident.evaluation_seconds)}",
        "",
        "tests:",
        f"  - interval: {duration(incident.interval_seconds)}",
        "    input_series:" if incident.courses else "    input_series: []",
    ]
    for key, course in incident.courses.items():
        lines += [f"      - series: {scalar(series_name(key))}"]
        lines += [f"        values: {scalar(series_values(course, incident))}"]
    lines.append("    promql_expr_test:")
    for check in checks:
        lines += _checked(check)
    return "\n".join(lines) + "\n"


def rules_file(rules: Sequence[Rule]) -> str:
    """A rules file, as YAML, of rules in the order of their evaluation, in their groups."""
    lines = ["groups:"]
    for group in groups(rules):
        lines += [f"  - name: {scalar(group)}", "    rules:"]
        for rule in rules:
            if _group(rule) == group:
                lines += _rule(rule)
    return "\n".join(lines) + "\n"


def groups(rules: Sequence[Rule]) -> list[str]:
    """The names of the rules' groups, each once, in order."""
    return list(dict.fromkeys(_group(rule) for rule in rules))


def alerts_selector(rule: Rule, state: str = "") -> str:
    """The series that Prometheus itself makes of the rule's alerts: `ALERTS{alertname="..."}`."""
    labels = {name: value for name, value in rule.labels.items() if value and "{{" not in value}
    known = {"alertname": rule.alert} | labels | ({"alertstate": state} if state else {})
    return f"ALERTS{{{', '.join(f'{name}={quoted(value)}' for name, value in known.items())}}}"


def scalar(text: str) -> str:
    """A text on one line of YAML, quoted where it must be."""
    if _PLAIN.fullmatch(text) and text.lower() not in _NOT_TEXT:
        return text
    if text.isprintable():
        return "'" + text.replace("'", "''") + "'"
    return quoted(text)


def _told(rule: Rule, incident: Incident, fired: Fired) -> Iterator[str]:
    yield rule.alert
    yield ""
    yield f"What happens: {incident.story or 'what is beneath'}"
    for brought in incident.brought:
        yield f"It brings what was not seen yet: {brought}"
    before, during = _span(incident.before_seconds), _span(incident.during_seconds)
    yield f"Calm for {before}, the incident for {during}, calm again."
    moments = {"pending": fired.pending_at, "firing": fired.firing_at, "resolved": fired.resolved_at}
    seen = [f"{state} at {_span(at)}" for state, at in moments.items() if at is not None]
    yield f"Seen: {', '.join(seen)}. The checks stand a little aside of that, for all versions of Prometheus."


def _span(seconds: float) -> str:
    return duration(seconds) if seconds else "0s"


def _wrapped(text: str) -> str:
    """A comment, over several lines where it is long; nothing in it can end the comment."""
    clean = "".join(sign if sign.isprintable() else " " for sign in text)
    lines, line = [], ""
    for word in clean.split():
        if line and len(line) + len(word) > _LINE:
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\n".join(f"#{line}" for line in [*lines, line])


def _listed(name: str, texts: Sequence[str]) -> Iterator[str]:
    yield f"{name}:"
    yield from (f"  - {scalar(text)}" for text in texts)
    yield ""


def _checked(check: Check) -> Iterator[str]:
    yield f"      # {check.comment}"
    yield f"      - expr: {scalar(check.expr)}"
    yield f"        eval_time: {_span(check.at_seconds)}"
    yield "        exp_samples:" if check.expected else "        exp_samples: []"
    for labels in check.expected:
        yield f"          - labels: {scalar(series_name({'__name__': 'ALERTS', **labels}))}"
        yield "            value: 1"


def _group(rule: Rule) -> str:
    return rule.group or "rehearsed"


def _rule(rule: Rule) -> Iterator[str]:
    yield f"      - record: {scalar(rule.record)}" if rule.record else f"      - alert: {scalar(rule.alert)}"
    yield from _expression(rule.expr)
    if rule.for_seconds:
        yield f"        for: {duration(rule.for_seconds)}"
    if rule.keep_firing_for_seconds:
        yield f"        keep_firing_for: {duration(rule.keep_firing_for_seconds)}"
    if rule.labels:
        yield "        labels:"
        yield from (f"          {scalar(name)}: {scalar(value)}" for name, value in rule.labels.items())


def _expression(expr: str) -> Iterator[str]:
    lines = expr.strip().split("\n")
    if len(lines) < 2 or not all(line.replace("\t", " ").isprintable() for line in lines):
        yield f"        expr: {scalar(expr.strip())}"
        return
    yield "        expr: |-"
    yield from (f"          {line}" if line.strip() else "" for line in lines)
