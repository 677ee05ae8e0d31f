"""`/metrics` for Prometheus: what shared/metrics.py declares, at what it stands, for whoever has a key."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from itertools import accumulate

import flask
from prometheus_client import CollectorRegistry
from prometheus_client import core as prometheus
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from shared.metrics import LIMITS, METRICS, PREFIX, Metric, MetricKind
from shared.store.metrics import Labels, Reading
from webhook.api.auth import require
from webhook.api.context import deps
from webhook.api.slots import Slots

#: In a process at once: with 6,000 templates one takes a quarter of a second, in which nothing else is fast.
MOST_SCRAPES = 2


class _Read(Collector):
    """One reading, as the library takes it."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def collect(self) -> Iterator[prometheus.Metric]:
        for name, metric in METRICS.items():
            if metric.kind is MetricKind.HISTOGRAM:
                yield _histogram(metric, self._reading[name])
            else:
                yield _plain(metric, self._reading[name])


def _plain(metric: Metric, values: Mapping[Labels, float]) -> prometheus.Metric:
    is_counter = metric.kind is MetricKind.COUNTER
    kind = prometheus.CounterMetricFamily if is_counter else prometheus.GaugeMetricFamily
    family = kind(PREFIX + metric.name, metric.help, labels=metric.labels)
    for labels, value in sorted(values.items()):
        family.add_metric(labels, value)
    return family


def _histogram(metric: Metric, values: Mapping[Labels, float]) -> prometheus.Metric:
    """Its limits add up as Prometheus wants it: how many took no longer."""
    family = prometheus.HistogramMetricFamily(PREFIX + metric.name, metric.help, labels=metric.labels)
    for labels in sorted({labels[:-1] for labels in values}):
        counts = accumulate(values.get((*labels, limit), 0.0) for limit in LIMITS)
        seconds = values.get((*labels, "ms"), 0.0) / 1000
        family.add_metric(labels, list(zip(LIMITS, counts, strict=True)), sum_value=seconds)
    return family


def install_metrics(app: flask.Flask) -> None:
    slots = Slots(MOST_SCRAPES)

    def metrics() -> flask.Response:
        require(())
        with ExitStack() as held:
            held.callback(slots.take())
            reading = deps().metrics.read(now=deps().clock.now())
            registry = CollectorRegistry(auto_describe=False)
            registry.register(_Read(reading))
            return flask.Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    app.add_url_rule("/metrics", "metrics", metrics)
