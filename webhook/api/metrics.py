"""`/metrics` for Prometheus: what shared/metrics.py declares, at what it stands, for whoever has a key."""

from collections.abc import Iterator

import flask
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from shared.metrics import METRICS, PREFIX, MetricKind
from shared.store.metrics import Reading
from webhook.api.auth import require
from webhook.api.context import deps


class _Read(Collector):
    """One reading, as the library takes it."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def collect(self) -> Iterator[Metric]:
        for name, metric in METRICS.items():
            kind = CounterMetricFamily if metric.kind is MetricKind.COUNTER else GaugeMetricFamily
            family = kind(PREFIX + name, metric.help, labels=metric.labels)
            for labels, value in sorted(self._reading[name].items()):
                family.add_metric(labels, value)
            yield family


def install_metrics(app: flask.Flask) -> None:
    def metrics() -> flask.Response:
        require(())
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Read(deps().metrics.read(now=deps().clock.now())))
        return flask.Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    app.add_url_rule("/metrics", "metrics", metrics)
