"""Arithmetic on values, with what they owe to the calendar and to the time of the evaluation."""

from collections.abc import Callable

from opsconsole.promql.arithmetic import of_numbers
from opsconsole.rehearse.dead import arithmetic
from opsconsole.rehearse.dead.clocks import Clock
from opsconsole.rehearse.dead.vectors import Value


def calculated(operator: str, left: Value, right: Value) -> Value:
    """`left operator right`, for an arithmetic operator."""
    if operator == "-" and left.since_now and right.since_now:
        return Value(arithmetic.calculated("-", left.since_now, right.since_now))
    since = None
    if operator in ("+", "-") and left.since_now and not right.since_now:
        since = arithmetic.calculated(operator, left.since_now, right.range)
    if operator == "+" and right.since_now and not left.since_now:
        since = arithmetic.calculated("+", left.range, right.since_now)
    clock = by_calendar(left, right, lambda one, other: of_numbers(operator, one, other))
    return Value(arithmetic.calculated(operator, left.range, right.range), clock, since)


def by_calendar(left: Value, right: Value, function: Callable[[float, float], float]) -> Clock | None:
    """The course of a function of two values, None where it does not go by the calendar alone."""
    if left.clock and right.clock:
        return left.clock.with_other(right.clock, function)
    one, other = left.range.single, right.range.single
    if left.clock and other is not None:
        return left.clock.each(lambda value: function(value, other))
    if right.clock and one is not None:
        return right.clock.each(lambda value: function(one, value))
    return None
