"""Figures as the text that Prometheus reads; the one place that knows its library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from mcp_server.telemetry.metrics.families import BUCKETS, FAMILIES, Family
from mcp_server.telemetry.metrics.joining import Figures
from mcp_server.telemetry.metrics.tally import Distribution

__all__ = ["exposition"]

_BOUNDS = [*(repr(bound) for bound in BUCKETS), "+Inf"]


def exposition(figures: Figures, accept: str, *, process: bool = True) -> tuple[bytes, str]:
    """The page and its media type, as the header ``Accept`` wants it; a family without figures is shown empty.

    Args:
        figures: To be shown.
        accept: That header.
        process: Show those of this process beside them.
    """
    registry = CollectorRegistry()
    registry.register(_Given(figures))
    if process:
        ProcessCollector(registry=registry)
    encode, media = choose_encoder(accept)
    return encode(registry), media


class _Given(Collector):
    """Hands out figures that were gathered before."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterable[Metric]:
        """Every family, in the order of the list."""
        return (_metric(family, self._figures.get(family.name, ())) for family in FAMILIES)

    def describe(self) -> Iterable[Metric]:
        """Nothing: no other collector uses these names."""
        return ()


def _metric(family: Family, figures: Sequence[tuple[tuple[str, ...], float | Distribution]]) -> Metric:
    if family.kind == "histogram":
        histogram = HistogramMetricFamily(family.name, family.what, labels=family.labels)
        for labels, figure in figures:
            if isinstance(figure, Distribution):
                counts = zip(_BOUNDS, map(float, figure.cumulative()), strict=True)
                histogram.add_metric(labels, list(counts), sum_value=figure.total / 1e9)
        return histogram
    plain = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
    metric = plain(family.name, family.what, labels=family.labels)
    for labels, figure in figures:
        if not isinstance(figure, Distribution):
            metric.add_metric(labels, figure)
    return metric
