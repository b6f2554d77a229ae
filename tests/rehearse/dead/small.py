"""A small world for tricky expressions: a few metrics, and series of them with which much can happen."""

from opsconsole.rehearse.schema import Metric, Schema

EACH_SECONDS = 15
_TARGET = {"job": "api", "instance": "a:1"}


def _metric(name: str, kind: object, *series: dict[str, str]) -> Metric:
    found = tuple({**_TARGET, **one} for one in series)
    return Metric(
        name=name, kind=kind, series=found, scrape_interval_seconds=EACH_SECONDS,  # type: ignore[arg-type]
        possible=frozenset().union(*found), always=frozenset(found[0]).intersection(*found),
    )  # fmt: skip


SCHEMA = Schema(
    origin="environment",
    metrics={
        metric.name: metric
        for metric in (
            _metric(
                "paid_total",
                "counter",
                {"status": "failed"},
                {"status": "ok"},
                {"status": "ok", "plan": "pro"},
            ),
            _metric("seen_total", "counter", {}),
            _metric("temp", "gauge", {"zone": "a"}, {"zone": "b"}),
            _metric("limit", "gauge", {"zone": "a"}),
            _metric("took_bucket", "histogram", *({"le": bound} for bound in ("0.1", "1", "10", "+Inf"))),
            _metric("took_sum", "histogram", {}),
            _metric("took_count", "histogram", {}),
            _metric("up", "gauge", {}),
        )
    },
    scrape_interval_seconds=EACH_SECONDS,
    families={"took": "histogram"},
    recorded=frozenset({"job:paid:rate", "elsewhere:made"}),
)

_AT = 'job="api",instance="a:1"'
QUICK = {
    f'paid_total{{{_AT},status="failed"}}': "0+5x100 0+5x100",
    f'paid_total{{{_AT},status="ok"}}': "0x140 _x60",
    f'paid_total{{{_AT},status="500"}}': "0+1x50 50x150",
    f"seen_total{{{_AT}}}": "0+1x50 0+1x50 0x100",
    f'temp{{{_AT},zone="a"}}': f"-5x20 0x20 1x20 4x20 5x20 6x20 {20 * 'NaN '}{20 * 'Inf '}{20 * '-Inf '}_x20",
    f'temp{{{_AT},zone="b"}}': "7x80 -1-1x60 7x57",
    f'limit{{{_AT},zone="a"}}': "5x199",
    f'took_bucket{{{_AT},le="0.1"}}': "0+1x60 60x140",
    f'took_bucket{{{_AT},le="1"}}': "0+2x60 120x140",
    f'took_bucket{{{_AT},le="10"}}': "0+2x199",
    f'took_bucket{{{_AT},le="+Inf"}}': "0+2x100 200+20x100",
    f"took_sum{{{_AT}}}": "0+2x100 0-3x100",
    f"took_count{{{_AT}}}": "0+2x199",
    f"up{{{_AT}}}": "1x50 0x50 1x100",
    'nobody_knows{job="api",zone="a",nolabel="x"}': "1x199",
    'elsewhere:made{nolabel="x"}': "1x199",
}
"""A sample each 15 seconds."""

QUICK_SAMPLES = 200
SLOW = {f'temp{{{_AT},zone="a"}}': "6x299", f"up{{{_AT}}}": "1x299"}
"""A sample each half an hour, for six days."""

SLOW_SECONDS, SLOW_SAMPLES = 1800, 300
