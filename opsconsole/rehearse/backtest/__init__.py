"""When each alert would have fired over the history that a Prometheus holds, and what other rules would have
changed.

Prometheus evaluates the expressions (`query_range`); what its rule manager makes of the results is folded
here. What the server itself recorded (ALERTS) says how well the two agree.
"""

from opsconsole.rehearse.backtest.model import Agreement, BackTest, BackTests, Change, Episode, Span
from opsconsole.rehearse.backtest.run import MOST_SECONDS, STEP_SECONDS, Progress, backtest

__all__ = [
    "MOST_SECONDS",
    "STEP_SECONDS",
    "Agreement",
    "BackTest",
    "BackTests",
    "Change",
    "Episode",
    "Progress",
    "Span",
    "backtest",
]
