"""The kinds of reason and of warning, each with what it means: the words that SARIF, docs and tests use."""

KINDS = {
    "not-promql": "Prometheus would refuse the expression",
    "no-metric": "the metric is exported by nobody",
    "no-label": "a label that no series of the metric carries",
    "bare-histogram": "a classic histogram has no series under its bare name",
    "no-match-possible": "a matcher that no value can satisfy, or matchers that contradict each other",
    "above-highest-bucket": "a quantile is never above the highest finite bucket",
    "sides-never-match": "the two sides of an operator share no label set",
    "label-aggregated-away": "an aggregation has dropped the label that is matched on",
    "out-of-range": "the value can never pass the threshold",
    "for-too-long": "the condition cannot hold for as long as `for` asks",
    "contradiction": "the conditions exclude each other",
    "range-too-short": "the range holds fewer than two scrapes",
    "always-empty": "the expression has no data, whatever its series do",
    "never-fires-by-rule": "the rule fails at every evaluation, or its labels collide",
    "dead-recording-rule": "it rests on a recording rule that can never have data",
    "unfilled-variable": "a template variable has no value",
}

WARNINGS = {
    "counter-as-gauge": "a counter is compared or averaged as if it were a gauge",
    "gauge-as-counter": "rate or increase of a gauge",
    "percentage-fraction": "a fraction is compared with a percentage, or the other way round",
    "unit-mismatch": "the metric's values look like another unit than the threshold's",
    "division-by-nothing": "a division whose divisor may be nothing: NaN never fires",
    "reaches-nobody": "it can fire, and no route brings it to anyone",
    "always-inhibited": "it can fire, and is always inhibited or muted",
    "label-never-seen": "a label value that was never seen",
    "matcher-misread": "a matcher that reads as something else than it says",
    "always-fires": "it fires when nothing is wrong",
}
