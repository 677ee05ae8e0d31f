"""`/metrics`: what is declared is shown, at zero too, and what the scripts count is declared."""

import dataclasses
import math
import queue
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from prometheus_client.parser import text_string_to_metric_families

from shared.acceptance import RefusalCode
from shared.configuration import Configuration
from shared.domain.events import UpdateSetAside
from shared.domain.identifiers import ContactId
from shared.domain.message import MessageState
from shared.domain.retry import ErrorClass
from shared.errors import StoreUnavailableError
from shared.metrics import LIMITS, METRICS, PREFIX, SUBMISSION_REASONS, MetricKind
from shared.providers.base import UNLISTED, ErrorRow, Rejected
from shared.store.keys import Keys
from shared.store.messages import Acceptance
from shared.store.metrics import Metrics
from shared.store.scripts import Scripts
from shared.store.tallies import Tallies
from tests.builders import ANNA, NOW, World, meta_sender, request, status, template, wrote
from tests.door import DESK
from tests.play import accept, beat, drain, writes
from tests.public_door import post_meta
from webhook.api.app import create_api
from webhook.api.metrics import MOST_SCRAPES
from webhook.app import create_receiver
from workers import submissions
from workers.outbound import Drain

LUA = Path(__file__).resolve().parents[2] / "shared" / "store" / "lua"


def scrape(world):
    """Name without prefix and labels to value."""
    answer = create_api(world.deps).test_client().get("/metrics", headers=DESK)
    assert answer.status_code == 200
    samples = [one for family in text_string_to_metric_families(answer.text) for one in family.samples]
    return {(sample.name.removeprefix(PREFIX), labels_of(sample)): sample.value for sample in samples}


def labels_of(sample):
    """In the order in which they are declared, then the limit of a histogram."""
    name = re.sub(r"_(bucket|sum|count)$", "", sample.name.removeprefix(PREFIX))
    order = (*METRICS[name].labels, "le")
    return tuple(sample.labels[label] for label in order if label in sample.labels)


def test_a_key_is_needed(world):
    assert create_api(world.deps).test_client().get("/metrics").status_code == 401


def test_more_scrapes_at_once_than_a_few_are_sent_away(fake_redis):
    world, held = World(fake_redis), Held()
    api = create_api(dataclasses.replace(world.deps, metrics=held))

    def status(_: int) -> int:
        return api.test_client().get("/metrics", headers=DESK).status_code

    with ThreadPoolExecutor(MOST_SCRAPES) as scrapers:
        under_way = [scrapers.submit(status, number) for number in range(MOST_SCRAPES)]
        for _ in under_way:
            held.begun.get(timeout=10)
        one_more = api.test_client().get("/metrics", headers=DESK)
        held.may_end.set()
        answered = [each.result() for each in under_way]
    afterwards = status(0)

    assert (one_more.status_code, one_more.json["code"]) == (429, "too_many_at_once")
    assert int(one_more.headers["Retry-After"]) > 0
    assert [*answered, afterwards] == [200] * (MOST_SCRAPES + 1)


class Held:
    """A reading that ends when it may."""

    def __init__(self):
        self.begun, self.may_end = queue.Queue(), threading.Event()

    def read(self, *, now):
        self.begun.put(None)
        self.may_end.wait(10)
        return {name: {} for name in METRICS}


def test_whatever_a_script_counts_is_declared():
    scripts = "".join(script.read_text(encoding="utf-8") for script in LUA.rglob("*.lua"))
    counted = re.findall(r"\b(?:count|tally)\('(\w+):", scripts)

    assert len(counted) > 5
    assert [name for name in counted if METRICS[name].kind is not MetricKind.COUNTER] == []


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_every_metric_says_what_it_is_and_is_named_like_its_kind(metric):
    assert metric.help.endswith(".")
    assert metric.name.endswith("_total") is (metric.kind is MetricKind.COUNTER)


def test_nothing_has_happened_and_all_of_it_is_shown(world):
    shown = scrape(world)

    assert shown["messages", ("queued",)] == 0
    assert shown["inbound_messages_total", ("shop", "text")] == 0
    assert shown["window_disagreements_total", ("shop", "false_open")] == 0
    assert shown["sender_halted", ("negozio",)] == 0
    assert shown["oldest_queued_seconds", ("shop", "high")] == 0
    assert shown["oldest_submitted_seconds", ("shop",)] == 0


def test_a_business_that_no_worker_ever_looked_at_has_waited_for_ever(world):
    assert scrape(world)["beat_age_seconds", ()] == math.inf


@pytest.mark.parametrize("metric", ["quarantined_total", "submissions_refused_total"])
def test_what_alerts_wait_for_the_first_of_is_there_at_zero(world, metric):
    assert [value for (name, _), value in scrape(world).items() if name == metric].count(0) > 0


def test_every_reason_of_the_celery_door_is_there_at_zero():
    own = {value for name, value in vars(submissions).items() if name.isupper() and isinstance(value, str)}

    assert set(SUBMISSION_REASONS) == own | set(RefusalCode)


def test_fields_that_we_do_not_know_are_one_label_and_keep_their_names_in_the_list(world):
    shop = world.deps.sender("shop")
    unknown = [UpdateSetAside(reason=f"field:{name}", raw="{}") for name in ("flows", "groups", "odd")]
    world.deps.recorder.record([(shop, update) for update in unknown], now=NOW)

    counted = {labels: n for (name, labels), n in scrape(world).items() if name == "quarantined_total" and n}
    assert counted == {("shop", "field:other"): 3}
    assert {one.reason for one in world.deps.quarantine.oldest_first("default")} == {
        "field:flows",
        "field:groups",
        "field:odd",
    }


def test_without_a_worker_the_last_beat_grows_old(world):
    world.deps.lanes.sweep("default", now=NOW)
    world.clock.advance(timedelta(seconds=40))

    assert scrape(world)["beat_age_seconds", ()] == 40


def test_whether_the_store_keeps_what_it_is_told(real_redis):
    shown = scrape(World(real_redis))

    assert (shown["store_persistent", ()], shown["store_memory_ratio", ()]) == (1, 0)


def test_what_happened_is_counted_and_what_waits_has_an_age(world):
    sender = world.deps.sender("shop")
    world.deps.recorder.record([(sender, wrote()), (sender, wrote())], now=NOW)
    acceptance = Acceptance(message_id=world.deps.new_message_id(), app="orders", request=request())
    world.deps.messages.accept(sender, acceptance, now=NOW)
    world.deps.templates.create("default", template(), nonce="n")
    world.deps.senders.halt(sender, "moving", now=NOW)
    world.clock.advance(timedelta(seconds=90))

    shown = scrape(world)

    assert shown["inbound_messages_total", ("shop", "text")] == 2
    assert shown["windows_open", ("shop",)] == 1
    assert shown["messages", ("queued",)] == 1
    assert shown["oldest_queued_seconds", ("shop", "normal")] == 90
    assert (shown["sender_halted", ("shop",)], shown["sender_halted", ("negozio",)]) == (1, 0)
    assert shown["templates", ("shop", "approved")] == 1


def test_what_an_app_has_left_that_is_configured_no_more_has_an_age_too(world):
    acceptance = Acceptance(message_id=world.deps.new_message_id(), app="gone", request=request())
    world.deps.messages.accept(world.deps.sender("shop"), acceptance, now=NOW)
    world.clock.advance(timedelta(seconds=90))

    assert scrape(world)["oldest_queued_seconds", ("shop", "normal")] == 90


class CountedTemplates:
    def __init__(self):
        self.read = []

    def list(self, business, account):
        self.read.append((business, account))
        return [template()]


def test_the_templates_of_an_account_are_read_once_for_all_its_senders(world):
    senders = {alias: meta_sender(alias) for alias in ("shop", "filiale")}
    deps, templates = world.deps, CountedTemplates()
    configuration = Configuration(senders=senders, apps={})
    metrics = Metrics(
        world.client, configuration, senders=deps.senders, limits=deps.limits, templates=templates
    )

    shown = metrics.read(now=NOW)["templates"]

    assert templates.read == [("default", senders["shop"].account)]
    assert (shown["shop", "approved"], shown["filiale", "approved"]) == (1, 1)


def test_the_age_of_what_was_submitted_is_that_of_the_senders_oldest(world):
    """However many another sender's broken webhooks leave unheard of before it."""
    people = [ContactId(f"+393330000{n:03}") for n in range(220)]
    for alias, contacts in (("negozio", people), ("shop", people[:2])):
        writes(world, *contacts, alias=alias)
        heard = [accept(world, to=one, sender=alias) for one in contacts]
        for _ in range(12):  # within its rate
            drain(world, alias)
            world.clock.advance(timedelta(seconds=2.5))
    report = status(heard[0], MessageState.DELIVERED)
    world.deps.recorder.record([(world.deps.sender("shop"), report)], now=world.clock.now())

    shown = scrape(world)

    assert shown["messages", ("submitted",)] == 221
    assert shown["oldest_submitted_seconds", ("negozio",)] == 60
    assert shown["oldest_submitted_seconds", ("shop",)] == 30
    world.deps.recorder.record([(world.deps.sender("shop"), status(heard[1], MessageState.SENT))], now=NOW)
    assert scrape(world)["oldest_submitted_seconds", ("shop",)] == 0


def test_a_status_that_was_lost_is_waited_for_no_longer_than_a_day(world):
    for waited in (timedelta(days=2), timedelta(hours=3)):
        message_id = str(world.deps.new_message_id())
        world.client.zadd("unheard:{default}:shop", {message_id: (NOW - waited).timestamp() * 1000})

    assert scrape(world)["oldest_submitted_seconds", ("shop",)] == 3 * 3600
    beat(world)
    assert world.client.zcard("unheard:{default}:shop") == 1


def test_what_was_decided_sent_and_answered_is_counted_with_its_time(world):
    sender, deps = world.deps.sender("shop"), world.deps
    refused = Rejected(code="131026", row=ErrorRow(error_class=ErrorClass.PERMANENT, advice="…"))
    world.providers["shop"].answers = [refused]
    deps.recorder.record([(sender, wrote())], now=NOW)
    for contact in (ANNA, ANNA, ContactId("+393330000002")):
        asked = request(to=contact, templates=())
        acceptance = Acceptance(message_id=deps.new_message_id(), app="orders", request=asked)
        deps.messages.accept(sender, acceptance, now=NOW)
    world.clock.advance(timedelta(seconds=2))
    with ThreadPoolExecutor(1) as slots:
        Drain(deps, sender, slots, most_slots=1, stopping=threading.Event()).run()

    shown = scrape(world)

    assert shown["messages_accepted_total", ("shop", "orders")] == 3
    assert shown["messages_routed_total", ("shop", "session", "window_open")] == 2
    assert shown["messages_routed_total", ("shop", "refuse", "window_closed_no_template")] == 1
    assert shown["provider_requests_total", ("shop", "failed", "131026")] == 1
    assert shown["provider_requests_total", ("shop", "submitted", "")] == 1
    assert shown["provider_seconds_count", ("shop",)] == 2
    assert shown["accept_to_provider_seconds_bucket", ("1",)] == 0
    assert shown["accept_to_provider_seconds_bucket", ("2.5",)] == 2
    assert shown["accept_to_provider_seconds_sum", ()] == 4


@pytest.mark.parametrize(
    ("code", "shown_as"), [("131000", "131000"), ("http_503", "http_503"), ("+393331234567", "other")]
)
def test_an_answer_is_counted_under_its_code_if_that_is_fit_for_a_label(world, code, shown_as):
    row = ErrorRow(error_class=ErrorClass.RETRY, advice="…")
    world.providers["shop"].answers = [Rejected(code=code, row=row)]
    world.deps.recorder.record([(world.deps.sender("shop"), wrote())], now=NOW)
    accept(world)

    drain(world)

    assert scrape(world)["provider_requests_total", ("shop", "deferred", shown_as)] == 1


def test_what_fails_after_the_provider_took_it_is_counted_once_under_its_code(world):
    world.deps.recorder.record([(world.deps.sender("shop"), wrote())], now=NOW)
    message_id = accept(world)
    drain(world)
    failed = status(message_id, MessageState.FAILED, error_class=ErrorClass.PERMANENT)

    world.deps.recorder.record([(world.deps.sender("shop"), failed)] * 2, now=NOW)

    assert scrape(world)["reported_failures_total", ("shop", "131047")] == 1


def test_a_code_of_no_list_is_counted_for_an_alert(world):
    world.providers["shop"].answers = [Rejected(code="999999", row=UNLISTED)]
    world.deps.recorder.record([(world.deps.sender("shop"), wrote())], now=NOW)
    accept(world)

    drain(world)
    world.deps.tallies.flush()

    assert scrape(world)["unforeseen_total", ("shop", "unlisted_code")] == 1


def test_a_message_that_a_bug_of_ours_ended_is_counted_for_an_alert(world):
    world.deps.recorder.record([(world.deps.sender("shop"), wrote())], now=NOW)
    message_id = accept(world)
    world.client.hset(Keys("default").message(message_id), "claims", 3)

    drain(world)
    world.deps.tallies.flush()

    assert scrape(world)["unforeseen_total", ("shop", "internal_error")] == 1


def test_webhooks_are_counted_by_their_answer_once_a_second(world):
    door = create_receiver(world.deps).test_client()
    assert door.post("/webhooks/shop", data=b"{}").status_code == 401
    assert post_meta(door, b"{}").status_code == 200
    assert door.post("/webhooks/nobody", data=b"{}").status_code == 404

    world.deps.tallies.flush()
    world.deps.tallies.flush()
    shown = scrape(world)

    assert shown["webhooks_total", ("shop", "refused")] == 1
    assert shown["webhooks_total", ("shop", "recorded")] == 1
    assert shown["webhook_seconds_count", ()] == 2


def test_what_could_not_be_written_is_counted_later(world):
    away = redis.Redis(port=1, socket_connect_timeout=0.1, retry=None)
    tallies = Tallies(Scripts(away))
    tallies.add("default", "webhooks_total:shop:recorded", 3)
    with pytest.raises(StoreUnavailableError):
        tallies.flush()

    tallies._scripts = Scripts(world.client)
    tallies.flush()

    assert scrape(world)["webhooks_total", ("shop", "recorded")] == 3


def test_the_scripts_and_the_page_have_the_same_limits():
    script = (LUA / "parts" / "seconds.lua").read_text(encoding="utf-8")

    assert (*re.findall(r"'([\d.]+)'", script.splitlines()[2]), "+Inf") == LIMITS


def test_no_person_is_in_it(world):
    sender = world.deps.sender("shop")
    world.deps.recorder.record([(sender, wrote(text="Il mio segreto"))], now=NOW)

    text = create_api(world.deps).test_client().get("/metrics", headers=DESK).text

    assert "segreto" not in text
    assert not re.search(r"\d{8,}", re.sub(r"[\d.]+e[+-]\d+", "", text))
