"""Every metric there is: its name, kind, labels and what it says; the contract's, section 14.

Counters stand in Redis, counted by the scripts that do the work, so that all processes everywhere add up;
gauges are read from what Redis holds when somebody asks. No label grows without bound, none names a person.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

PREFIX = "finestra_"


class MetricKind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    #: Durations; counted by the smallest of LIMITS that they keep, and summed in milliseconds.
    HISTOGRAM = "histogram"


#: Seconds, as lua/parts/seconds.lua has them.
LIMITS = ("0.05", "0.1", "0.25", "0.5", "1", "2.5", "5", "10", "60", "300", "3600", "+Inf")

#: Why the Celery door refuses: RefusalCode, and what workers/submissions.py has beside it.
SUBMISSION_REASONS = (
    "invalid_request",
    "sender_not_allowed",
    "unsupported_by_provider",
    "idempotency_key_reused",
    "template_mismatch",
    "backlog_full",
    "unknown_app",
    "scope_missing",
    "not_json",
    "not_a_submission",
    "internal_error",
)

#: What may become a label of an error: a provider's number, a word of ours, an HTTP status, or nothing.
_CODE, OTHER_CODE = re.compile(r"\d{0,7}|[a-z_]{1,40}|http_\d{3}"), "other"


def code_label(code: str) -> str:
    """`code`: as a provider gave it."""
    return code if _CODE.fullmatch(code) else OTHER_CODE


#: Whoever signs a webhook names its field: the list has the name, the label only that we read no such field.
_FIELD, OTHER_FIELD = "field:", "field:other"


def reason_label(reason: str) -> str:
    """`reason`: why an update was set aside; all but the fields are words of ours."""
    return OTHER_FIELD if reason.startswith(_FIELD) else reason


@dataclass(frozen=True, slots=True)
class Metric:
    name: str
    kind: MetricKind
    labels: tuple[str, ...]
    help: str


def _counter(name: str, labels: str, text: str) -> Metric:
    return Metric(name, MetricKind.COUNTER, tuple(labels.split()), text)


def _gauge(name: str, labels: str, text: str) -> Metric:
    return Metric(name, MetricKind.GAUGE, tuple(labels.split()), text)


def _histogram(name: str, labels: str, text: str) -> Metric:
    return Metric(name, MetricKind.HISTOGRAM, tuple(labels.split()), text)


_ALL = (
    _counter(
        "webhooks_total",
        "sender outcome",
        "POSTs of providers: recorded, refused, too_large, unavailable, failed.",
    ),
    _histogram("webhook_seconds", "", "From a provider's POST to our answer."),
    _counter("messages_accepted_total", "sender app", "Messages accepted, repeats of a key not counted."),
    _counter(
        "messages_routed_total",
        "sender kind rule",
        "Decisions by route and rule: what begins, and what is held, deferred or refused.",
    ),
    _counter(
        "provider_requests_total",
        "sender outcome code",
        "Attempts that have ended, by how, and by the provider's code if it said no.",
    ),
    _counter(
        "reported_failures_total",
        "sender code",
        "Attempts that were taken and reported as failed afterwards, by code; of a closed window none is.",
    ),
    _histogram("provider_seconds", "sender", "From the begin of an attempt to the record of its end."),
    _histogram("accept_to_provider_seconds", "", "From accepting a message to its first attempt."),
    _counter("inbound_messages_total", "sender kind", "Messages of contacts, each counted once."),
    _counter("inbound_duplicates_total", "sender", "Messages of contacts that had been recorded before."),
    _counter("clock_faults_total", "sender", "Messages of contacts with a time in the future."),
    _counter("quarantined_total", "sender reason", "Updates that could not be read, kept as they came."),
    _counter("statuses_unmatched_total", "sender", "Statuses about a message that is not ours."),
    _counter(
        "window_disagreements_total",
        "sender kind",
        "Windows that the provider saw otherwise: false_open, it refused a session message; false_closed, an "
        "event arrived late that shows the window was open.",
    ),
    _counter(
        "billed_messages_total", "sender category type", "Attempts with a price, as the provider reports it."
    ),
    _counter("templates_relabelled_total", "category", "Templates that WhatsApp moved to another category."),
    _counter("callbacks_total", "app outcome", "Events pushed to apps, by how the push ended."),
    _counter("submissions_refused_total", "reason", "What the Celery door refused."),
    _counter(
        "unforeseen_total",
        "sender kind",
        "What we had not thought of: internal_error, a message ended by a bug of ours; unlisted_code, a "
        "refusal by a code of no list.",
    ),
    _gauge(
        "beat_age_seconds",
        "",
        "Since when no worker has looked at what is due; more than a few seconds: none works; +Inf: one "
        "business was never looked at.",
    ),
    _gauge("store_memory_ratio", "", "What Redis uses of the memory that it may use; 0: it has no limit."),
    _gauge("store_persistent", "", "1 while Redis keeps an append-only file and its last write went well."),
    _gauge("windows_open", "sender", "Customer service windows that are open."),
    _gauge("messages", "state", "Messages that are kept, by state."),
    _gauge(
        "oldest_queued_seconds",
        "sender priority",
        "For how long the oldest message that may go has been waiting.",
    ),
    _gauge(
        "oldest_submitted_seconds",
        "sender",
        "For how long the provider has said nothing of the oldest; a day at most, then it is not waited for.",
    ),
    _gauge("sender_halted", "sender", "1 while nothing of the sender may leave."),
    _gauge("sender_away", "sender", "1 while the sender's provider is down and asked only now and then."),
    _gauge("limit_used_ratio", "sender limit", "What is used of a limit, 0 to 1: throughput, messaging."),
    _gauge("callbacks_parked", "app", "Events given up for an app after three days, waiting for a hand."),
    _gauge("templates", "sender status", "Templates of the sender's account, by status."),
)
METRICS: Mapping[str, Metric] = {metric.name: metric for metric in _ALL}
