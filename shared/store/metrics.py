"""What the metrics of shared/metrics.py stand at, all businesses together: counters and gauges."""

import math
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from itertools import product
from typing import Any

import redis

from shared.clock import to_ms
from shared.configuration import AnySender, Configuration
from shared.domain.consent import Category
from shared.domain.message import MessageState, Priority
from shared.domain.templates import TemplateStatus
from shared.domain.window import InboundKind
from shared.metrics import LIMITS, METRICS, OTHER_CODE, OTHER_FIELD, SUBMISSION_REASONS, Metric, MetricKind
from shared.store.connection import read_hash, translated
from shared.store.keys import Keys
from shared.store.limits import Limits
from shared.store.senders import Senders
from shared.store.templates import Templates

Labels = tuple[str, ...]
#: By metric, then by its labels' values in order; of a histogram also by limit, and its sum under `ms`.
Reading = Mapping[str, Mapping[Labels, float]]
#: What nothing was heard of for longer is not waited for: a lost status must not be an alert for ever.
_WAIT_FOR_WORD = timedelta(days=1)
#: Labels besides sender and app whose values are known: their counters are shown at zero too.
_KNOWN: Mapping[str, tuple[Labels, ...]] = {
    "webhooks_total": (("recorded",), ("refused",), ("unavailable",), ("failed",)),
    "provider_requests_total": (("submitted", ""), ("failed", OTHER_CODE)),
    "reported_failures_total": ((OTHER_CODE,),),
    "messages_routed_total": (("session", "window_open"), ("template", "window_closed")),
    "inbound_messages_total": tuple((kind.value,) for kind in InboundKind),
    # Those of no sender, no shape, no reader; the other words of ours come as they come.
    "quarantined_total": (("not_json",), ("unknown_number",), ("unknown_account",), (OTHER_FIELD,)),
    "unforeseen_total": (("internal_error",), ("unlisted_code",)),
    "window_disagreements_total": (("false_open",), ("false_closed",)),
    # Where a counter is not there at zero, the first of a kind is no increase to Prometheus.
    "submissions_refused_total": tuple((reason,) for reason in SUBMISSION_REASONS),
    "templates_relabelled_total": tuple((category.value,) for category in Category),
    "callbacks_total": (("taken",), ("gone",), ("again",), ("parked",)),
    "billed_messages_total": (
        ("utility", "regular"),
        ("marketing", "regular"),
        ("authentication", "regular"),
        ("service", "regular"),
        ("service", "free_customer_service"),
    ),
}


class Metrics:
    def __init__(
        self,
        client: redis.Redis,
        configuration: Configuration,
        *,
        senders: Senders,
        limits: Limits,
        templates: Templates,
    ) -> None:
        self._client = client
        self._configuration = configuration
        self._senders = senders
        self._limits = limits
        self._templates = templates

    def read(self, *, now: datetime) -> Reading:
        """Every metric, also at zero. Raises StoreUnavailableError."""
        found: dict[str, dict[Labels, float]] = {name: {} for name in METRICS}
        for name, metric in METRICS.items():
            if metric.kind is not MetricKind.GAUGE:
                found[name] = dict.fromkeys(self._zeros(name), 0.0)
        for business in self._configuration.aliases_of:
            self._add_counters(found, business)
            self._add_messages(found, business)
        found["beat_age_seconds"][()] = self._beat_age(now)
        self._add_store(found)
        for sender in self._configuration.senders.values():
            self._add_sender(found, sender, now)
        self._add_templates(found)
        for app in self._configuration.pushed_apps:
            found["callbacks_parked"][app.name,] = self._parked(app.name)
        return found

    def _zeros(self, name: str) -> Iterator[Labels]:
        metric = METRICS[name]
        owners = {"sender": self._configuration.senders, "app": self._configuration.apps}
        if metric.kind is MetricKind.HISTOGRAM:
            owned = product(self._configuration.senders) if metric.labels else ((),)
            yield from ((*owner, each) for owner in owned for each in (*LIMITS, "ms"))
            return
        first = owners.get(metric.labels[0])
        rest = _KNOWN.get(name, ((),) if len(metric.labels) == 1 and first is not None else ())
        yield from rest if first is None else ((owner, *more) for owner, more in product(first, rest))

    def _add_counters(self, found: dict[str, dict[Labels, float]], business: str) -> None:
        for field, count in read_hash(self._client, Keys(business).counters()).items():
            name, _, rest = field.partition(":")
            # The last may have a colon of its own: a reason such as `field:other`.
            labels = tuple(rest.split(":", _width(METRICS[name]) - 1)) if name in METRICS else ()
            if labels and len(labels) == _width(METRICS[name]):
                found[name][labels] = found[name].get(labels, 0.0) + float(count)

    def _add_messages(self, found: dict[str, dict[Labels, float]], business: str) -> None:
        keys, messages = Keys(business), found["messages"]
        with translated(self._client):
            pipeline = self._client.pipeline(transaction=False)
            for state in MessageState:
                pipeline.zcard(keys.state(state))
            for state, count in zip(MessageState, pipeline.execute(), strict=True):
                messages[state.value,] = messages.get((state.value,), 0.0) + count

    def _beat_age(self, now: datetime) -> float:
        """Of the business that was looked at least recently; infinite: one of them never was."""
        with translated(self._client):
            pipeline = self._client.pipeline(transaction=False)
            for business in self._configuration.aliases_of:
                pipeline.hget(Keys(business).root(), "beat_at")
            ages = [math.inf if beat is None else to_ms(now) - int(beat) for beat in pipeline.execute()]
        return max(0.0, max(ages, default=0.0) / 1000)

    def _add_store(self, found: dict[str, dict[Labels, float]]) -> None:
        """Nothing where the server may not be asked, as some hosted ones."""
        try:
            with translated(self._client):
                pipeline = self._client.pipeline(transaction=False)
                pipeline.info("memory")
                pipeline.info("persistence")
                memory, persistence = pipeline.execute()
        except redis.ResponseError:
            return
        most = memory.get("maxmemory", 0)
        found["store_memory_ratio"][()] = memory["used_memory"] / most if most else 0.0
        is_kept = persistence.get("aof_enabled") and persistence.get("aof_last_write_status") == "ok"
        found["store_persistent"][()] = float(bool(is_kept))

    def _add_sender(self, found: dict[str, dict[Labels, float]], sender: AnySender, now: datetime) -> None:
        alias, state = sender.alias, self._senders.get(sender)
        found["sender_halted"][alias,] = float(state.is_halted(now))
        found["sender_away"][alias,] = float(state.circuit.is_open)
        used = self._limits.used(sender, now=now)
        found["limit_used_ratio"][alias, "throughput"] = used.throughput
        if used.messaging is not None:
            ratio = used.messaging / sender.messaging_limit_per_day
            found["limit_used_ratio"][alias, "messaging"] = ratio
        for priority, age in self._oldest_queued(sender, now).items():
            found["oldest_queued_seconds"][alias, priority.name.lower()] = age
        found["windows_open"][alias,] = self._windows_open(sender)
        found["oldest_submitted_seconds"][alias,] = self._oldest_submitted(sender, now)

    def _add_templates(self, found: dict[str, dict[Labels, float]]) -> None:
        """Each account is read once: its senders share hundreds of templates."""
        counted: dict[tuple[str, str], Counter[TemplateStatus]] = {}
        for sender in self._configuration.senders.values():
            account = (sender.business, sender.account)
            if account not in counted:
                counted[account] = Counter(one.status for one in self._templates.list(*account))
            for status in TemplateStatus:
                found["templates"][sender.alias, status.value] = counted[account][status]

    def _oldest_queued(self, sender: AnySender, now: datetime) -> dict[Priority, float]:
        """Of the contacts that may be looked at: since when the one that waits longest may be.

        Queues as Redis has them: what an app has left that is configured no more is sent, or stuck, too.
        """
        keys, ages = Keys(sender.business), dict.fromkeys(Priority, 0.0)
        with translated(self._client):
            queues: Any = self._client.zrange(keys.queues(sender.alias), 0, -1)
            pipeline = self._client.pipeline(transaction=False)
            for queue in queues:
                priority, _, app = queue.partition(":")
                pipeline.zrange(keys.ready(sender.alias, int(priority), app), 0, 0, withscores=True)
            firsts = zip(queues, pipeline.execute(), strict=True)
        for queue, first in firsts:
            priority = Priority(int(queue.partition(":")[0]))
            age = (to_ms(now) - first[0][1]) / 1000 if first else 0.0
            ages[priority] = max(ages[priority], age)
        return ages

    def _oldest_submitted(self, sender: AnySender, now: datetime) -> float:
        earliest, index = to_ms(now - _WAIT_FOR_WORD), Keys(sender.business).unheard(sender.alias)
        with translated(self._client):
            oldest: Any = self._client.zrangebyscore(index, earliest, "+inf", 0, 1, withscores=True)
        return max(0.0, (to_ms(now) - oldest[0][1]) / 1000) if oldest else 0.0

    def _windows_open(self, sender: AnySender) -> float:
        with translated(self._client):
            return float(self._client.zcard(Keys(sender.business).closing(sender.alias)))

    def _parked(self, app: str) -> float:
        businesses = self._configuration.businesses_of(self._configuration.apps[app])
        with translated(self._client):
            pipeline = self._client.pipeline(transaction=False)
            for business in businesses:
                pipeline.zcard(Keys(business).callback_parked(app))
            return float(sum(pipeline.execute()))


def _width(metric: Metric) -> int:
    """A histogram's fields end in the limit, or in `ms` for the sum."""
    return len(metric.labels) + (metric.kind is MetricKind.HISTOGRAM)
