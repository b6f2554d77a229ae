"""Counter or gauge: what a metric's TYPE says of it, or its name where that leaves no doubt."""

import re

from opsconsole.rehearse.schema import Schema

BY_TYPE = "its TYPE"
BY_NAME = "its name"

_COUNTS = ("_total", "_count", "_sum", "_bucket")
_EVENTS = re.compile(
    r".*(?:error|fail|request|response|restart|retr(?:y|ies)|reject|drop|discard|timeout|exception|evict|kill"
    r"|abort|crash|panic|miss|hit|received|sent|processed|cpu_seconds|created|deleted|consumed|charged|paid|event)\w*_total"
)
"""What happens is counted. Many other a name in `_total` is that of a gauge, a sum over something."""

_GAUGES = re.compile(
    r"up|ALERTS|.+_(?:ratio|percent|percentage|celsius|timestamp_seconds)|go_goroutines|go_threads"
    r"|redis_connected_clients|container_last_seen|\w+_current_(?:queue|sessions)"
    r"|node_load\d+|node_memory_\w+_bytes|node_filesystem_(?:avail|free|size|files|files_free)(?:_bytes)?"
    r"|container_memory_(?:usage|working_set|rss|cache|swap)(?:_bytes)?|container_spec_\w+"
    r"|process_(?:resident|virtual)_memory_bytes|process_open_fds|process_max_fds"
    r"|kube_\w+_(?:spec|resource|status)_(?:replicas|requests|limits|capacity|allocatable|phase)\w*"
)


def counter(name: str, schema: Schema) -> str:
    """What says that it is a counter (also the parts of a histogram or summary): its TYPE, its name; empty
    where nothing does."""
    known = schema.metrics.get(name)
    if known and known.kind != "unknown" and schema.origin != "guess":
        if known.kind == "counter":
            return BY_TYPE
        return BY_TYPE if known.kind in ("histogram", "summary") and name.endswith(_COUNTS[1:]) else ""
    if name.endswith("_bucket") or _EVENTS.fullmatch(name):
        return BY_NAME
    family = name.removesuffix("_count").removesuffix("_sum")
    siblings = {family + part for part in _COUNTS[1:]} - {name}
    return BY_NAME if family != name and siblings & schema.metrics.keys() else ""


def gauge(name: str, schema: Schema) -> str:
    """The same for a gauge. A name that ends as counters do is believed before its TYPE: exporters that copy
    from another system often declare all that they have as gauges."""
    if name.endswith(_COUNTS):
        return ""
    known = schema.metrics.get(name)
    if known and known.kind != "unknown" and schema.origin != "guess":
        return BY_TYPE if known.kind == "gauge" else ""
    return BY_NAME if _GAUGES.fullmatch(name) else ""
