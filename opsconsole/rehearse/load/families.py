"""Families of metrics: which series one has, and what kind a series is by the type of its family."""

from collections.abc import Mapping

from opsconsole.rehearse.schema import Kind

_KINDS: Mapping[str, Kind] = {
    "counter": "counter",
    "gauge": "gauge",
    "histogram": "histogram",
    "gaugehistogram": "histogram",
    "summary": "summary",
    "info": "gauge",
    "stateset": "gauge",
}
_ENDINGS: Mapping[str, tuple[str, ...]] = {
    "counter": ("", "_total"),
    "histogram": ("_bucket", "_sum", "_count"),
    "gaugehistogram": ("_bucket", "_gsum", "_gcount"),
    "summary": ("", "_sum", "_count"),
    "info": ("_info",),
}
_ALL_ENDINGS = ("_bucket", "_sum", "_count", "_total", "_gsum", "_gcount", "_info")

Types = Mapping[str, str]
"""The type of each family by name, in the words of the exposition formats."""


def kind_of_type(type: str) -> Kind:
    return _KINDS.get(type, "unknown")


def endings(type: str) -> tuple[str, ...]:
    """What the names of the series of such a family end in; a counter's with or without `_total`."""
    return _ENDINGS.get(type, ("",))


def declaring(name: str, types: Types) -> str:
    """The type that is declared for series of this name, empty where none is."""
    if name in types and "" in endings(types[name]):
        return types[name]
    for ending in _ALL_ENDINGS:
        declared = types.get(name.removesuffix(ending), "") if name.endswith(ending) else ""
        if declared and ending in endings(declared):
            return declared
    return ""


def kind_of(name: str, types: Types) -> Kind:
    """The kind of the series of this name by what is declared: that of `x_bucket` is histogram."""
    return kind_of_type(declaring(name, types) or types.get(name, ""))
