"""Random PromQL over the metrics of `small`: all that the prover treats on its own, and odd combinations."""

from random import Random

_LABELS = ["job", "status", "plan", "zone", "nolabel", "x"]
_VALUES = ["api", "failed", "ok", "pro", "a", "b", "", "zzz"]
_PATTERNS = [".*", ".+", "a|b", "fail.*", "pro", "", "f.*|p.*", "[^a]*", "a^"]
_METRICS = ["paid_total", "seen_total", "temp", "temp", "limit", "up", "took_bucket", "took", "nosuch"]
_NUMBERS = [
    "0",
    "1",
    "-1",
    "2",
    "3",
    "5",
    "0.5",
    "4",
    "10",
    "1000",
    "23",
    "6",
    "NaN",
    "Inf",
    "-Inf",
    "2.5",
    "60",
]
_COMPARISONS = [">", "<", ">=", "<=", "==", "!="]
_MAPS = [
    "abs", "ceil", "floor", "round", "sqrt", "sgn", "exp", "sort", "hour", "day_of_month", "ln", "sin",
    "month", "timestamp", "histogram_count", "absent", "-",
]  # fmt: skip
_WINDOWS = [
    "rate", "increase", "irate", "delta", "changes", "resets", "count_over_time", "sum_over_time",
    "min_over_time", "max_over_time", "avg_over_time", "last_over_time", "present_over_time",
    "stddev_over_time", "deriv", "idelta", "absent_over_time",
]  # fmt: skip
_GROUPS = ["sum", "sum", "min", "max", "avg", "count", "stddev", "group", "topk", "quantile", "count_values"]
_SIMPLE = ["hour()", "minute()", "vector(1)", "day_of_week()", "vector(time())", "temp", "limit", "up"]


def vector(random: Random, depth: int) -> str:
    """An instant vector of so many levels at most."""
    if depth <= 0 or random.random() < 0.1:
        return random.choice([_selector(random), _selector(random), random.choice(_SIMPLE)])
    makers = (_compared, _compared, _calculated, _set, _joined, _grouped, _called, _shared)
    return random.choice(makers)(random, depth - 1)


def _selector(random: Random) -> str:
    matchers = []
    for _ in range(random.choice((0, 0, 1, 2))):
        operator = random.choice(("=", "=", "!=", "=~", "!~"))
        value = random.choice(_PATTERNS if "~" in operator else _VALUES)
        matchers.append(f'{random.choice(_LABELS)}{operator}"{value}"')
    shift = random.choice(("", "", "", "", " offset 5m", " @ 300"))
    return f"{random.choice(_METRICS)}{{{','.join(matchers)}}}{shift}"


def _number(random: Random, depth: int) -> str:
    if depth <= 0 or random.random() < 0.8:
        return random.choice(_NUMBERS)
    return random.choice(
        (f"scalar({vector(random, depth - 1)})", "time()", f"({random.choice(_NUMBERS)} / 2)")
    )


def _compared(random: Random, depth: int) -> str:
    operator = random.choice(_COMPARISONS) + random.choice(("", "", "", " bool"))
    sides = [vector(random, depth), _number(random, depth)]
    if random.random() < 0.2:
        sides.reverse()
    return f"({sides[0]} {operator} {sides[1]})"


def _calculated(random: Random, depth: int) -> str:
    return f"({vector(random, depth)} {random.choice('+-*/%^')} {_number(random, depth)})"


def _set(random: Random, depth: int) -> str:
    operator = random.choice(("and", "and", "or", "unless", "unless"))
    left = vector(random, depth)
    right = random.choice(
        (vector(random, depth), f"({left} {random.choice(_COMPARISONS)} {_number(random, 0)})")
    )
    return f"({left} {operator} {_matching(random)} {right})"


def _joined(random: Random, depth: int) -> str:
    operator, matching = random.choice(("+", "-", "*", "/", "/", *_COMPARISONS)), _matching(random)
    if matching and random.random() < 0.5:
        matching += f" group_{random.choice(('left', 'right'))}({random.choice(('', 'plan'))})"
    left = vector(random, depth)
    return f"({left} {operator} {matching} {random.choice((vector(random, depth), left))})"


def _matching(random: Random) -> str:
    return random.choice(("", "", "", f"on ({_labels(random)})", f"ignoring ({_labels(random)})", "on ()"))


def _labels(random: Random) -> str:
    return ", ".join(random.sample([*_LABELS, "le"], random.choice((0, 1, 1, 2))))


def _grouped(random: Random, depth: int) -> str:
    operator = random.choice(_GROUPS)
    parameter = {"topk": "2, ", "quantile": "0.5, ", "count_values": '"x", '}.get(operator, "")
    by = random.choice(("", f"by ({_labels(random)})", f"without ({_labels(random)})"))
    return f"{operator} {by} ({parameter}{vector(random, depth)})"


def _called(random: Random, depth: int) -> str:
    inner = vector(random, depth)
    return random.choice((
        f"{random.choice(_MAPS)}({inner})",
        f"{random.choice(_WINDOWS)}({_window(random, depth)})",
        f"clamp_{random.choice(('min', 'max'))}({inner}, {_number(random, 0)})",
        f"clamp({inner}, {_number(random, 0)}, {_number(random, 0)})",
        f"histogram_quantile({random.choice(('0.9', '1', '2'))}, {_buckets(random, depth)})",
        f'label_replace({inner}, "{random.choice(_LABELS)}", "{random.choice(("a", "$1", ""))}", '
        f'"{random.choice(_LABELS)}", "{random.choice(("(.*)", ".+", "zzz"))}")',
    ))  # fmt: skip


def _window(random: Random, depth: int) -> str:
    if random.random() < 0.7:
        return f"{random.choice(_METRICS)}[{random.choice(('5m', '1m', '15s', '10s', '20s'))}]"
    return f"{vector(random, depth)}[{random.choice(('5m', '30s'))}:{random.choice(('1m', '15s'))}]"


def _buckets(random: Random, depth: int) -> str:
    by = random.choice(("le", "job, le", "job"))
    return random.choice((f"sum by ({by}) (rate(took_bucket[5m]))", "took_bucket", vector(random, depth)))


def _shared(random: Random, depth: int) -> str:
    by, window = random.choice(("", "by (job)", "by (status)")), random.choice(("5m", "1m"))
    matcher = random.choice(('{status="failed"}', '{plan=~".+"}', ""))
    part, whole = (f"sum {by} (rate(paid_total{some}[{window}]))" for some in (matcher, ""))
    return f"({part} {random.choice('/-')} {whole})"
