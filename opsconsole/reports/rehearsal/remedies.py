"""What to do about each kind of reason and of warning: the help texts of SARIF. The page
`runbooks/alert-cannot-fire.md` says the same."""

REMEDIES = {
    "not-promql": "Correct the expression: `promtool check rules` names the place.",
    "no-metric": "Look for the metric's present name, or for why its exporter is not scraped.",
    "no-label": "Use a label that the series carry, or add this one where the metric is exported.",
    "bare-histogram": "Use the `_bucket`, `_sum` or `_count` series; a quantile needs `_bucket`.",
    "no-match-possible": "Correct the matchers: no label value satisfies them all.",
    "above-highest-bucket": "Lower the threshold below the highest finite bucket, or add buckets above it.",
    "sides-never-match": "Aggregate both sides to the same labels, or name those to match with `on` or "
    "`ignoring`.",
    "label-aggregated-away": "Keep the label: add it to the `by` of the aggregation, or take it out of "
    "`without`.",
    "out-of-range": "Choose a threshold that the value can pass; look at its unit, too.",
    "for-too-long": "Shorten `for`, or let the condition hold for longer.",
    "contradiction": "Take away one of the conditions that exclude each other, or join them with `or`.",
    "range-too-short": "Use a range of at least two scrapes; four allow for one that fails.",
    "always-empty": "Correct the expression, so that it can have a result.",
    "never-fires-by-rule": "Correct the rule, so that Prometheus can evaluate it and tell its alerts apart.",
    "dead-recording-rule": "Correct the recording rule that it rests on.",
    "unfilled-variable": "Give the template variable a default value, or a query that has results.",
    "counter-as-gauge": "Take `rate` or `increase` of a counter: its own value tells since when the process "
    "runs.",
    "gauge-as-counter": "Take `delta` or `deriv` of a gauge: it goes down as well, which `rate` takes for a "
    "restart.",
    "percentage-fraction": "Bring both sides to the same scale: multiply the fraction by 100, or divide the "
    "threshold.",
    "unit-mismatch": "Compare values of the same unit, such as seconds with seconds.",
    "division-by-nothing": "Decide what is to happen where the divisor is nothing: an alert of its own, say.",
    "reaches-nobody": "Add a route for its labels in Alertmanager, or give it the labels of a route.",
    "always-inhibited": "Correct the inhibition or the time interval, so that the alert can reach somebody.",
    "label-never-seen": "See that it is spelt as the service exports it; it may only not have come yet.",
    "matcher-misread": "Write the matcher as it is meant: a regular expression matches the whole value.",
    "always-fires": "Correct the condition, so that the alert is silent while nothing is wrong.",
    "undecided": "Look at what was tried. A metrics file or an environment may say what the rules do not.",
}
