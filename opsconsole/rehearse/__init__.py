"""Can this alert fire, can this panel show data: proven, with nothing sent to anyone.

What is asked about comes from `load` (rules, dashboards, and what is known of the series that exist: the
`schema`). `dead` proves by reasoning over the tree that an expression can never be true. `search` builds
incidents that should make it true, and `promtool` lets the real rule engine decide whether they do.
`verdicts` puts the two together; `backtest` tells what the history that there is would have fired.
"""
