"""What a collector hears of our work: who did what when, in one trace for a message. No text, nobody."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
import structlog
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.callbacks.client import Delivered, NotReached
from shared.configuration import Configuration
from shared.domain.identifiers import ContactId
from shared.errors import SettingsError, StoreUnavailableError
from shared.otlp import ATTRIBUTES, Spans
from shared.settings import load_settings
from shared.tracing import Side, Work, nobody, tracing
from tests.builders import NOW, World, app, cm_sender, meta_sender, wrote
from tests.collector import Collector, spans_in
from tests.door import CONTACT, DESK, ORDERS, TEXT, anna_writes, send
from webhook.api.app import create_api
from workers.callbacks import Pusher
from workers.outbound import Drain
from workers.submissions import Handed, Submissions
from workers.tasks import DRAIN, TaskFailedError, _bugs_named

NUMBER, WORDS = "+393338765432", "canarino in segreto"
MESSAGE = "msg_01ARZ3NDEKTSV4RRFFQ69G5FAV"
#: What makes the span and is no attribute of it.
OF_THE_SPAN = {"name", "side", "started_at", "ended_at", "is_failed", "is_origin"}


def work(name="outbound.drain", **changes) -> Work:
    return Work(name=name, started_at=NOW, ended_at=NOW + timedelta(milliseconds=5), **changes)


class Told:
    """Spans as they would leave, without a collector."""

    def __init__(self) -> None:
        self._kept = InMemorySpanExporter()
        self._spans = Spans(lambda: self._kept, "api")
        self.tell = self._spans.tell

    def sent(self) -> bytes:
        self._spans._batches.force_flush()
        return encode_spans(self._kept.get_finished_spans()).SerializeToString()

    def all(self):
        return spans_in(self.sent())


@pytest.fixture
def told():
    return Told()


class TestOff:
    def test_nobody_hears_where_nothing_is_configured(self):
        assert tracing("", "api") is nobody

    def test_nothing_of_it_is_imported(self):
        """redis-py looks for the SDK by itself; what sends is imported by us alone."""
        program = (
            "import sys, webhook.wsgi\n"
            "from shared.tracing import tracing\n"
            "tracing('', 'api')\n"
            "ours = ('opentelemetry.exporter', 'shared.otlp')\n"
            "print([name for name in sys.modules if name.startswith(ours)])"
        )

        assert subprocess.check_output([sys.executable, "-c", program], text=True) == "[]\n"

    def test_without_the_extra_the_start_says_what_to_install(self):
        program = (
            "import sys; sys.modules['opentelemetry'] = None\n"
            "from shared.tracing import tracing\n"
            "try: tracing('http://127.0.0.1:4318', 'api')\n"
            "except Exception as exc: print(type(exc).__name__, exc)"
        )

        said = subprocess.check_output([sys.executable, "-c", program], text=True)

        assert SettingsError.__name__ in said
        assert "FINESTRA_OTLP_ENDPOINT: install finestra with the extra `tracing`" in said

    @pytest.mark.parametrize(
        "endpoint",
        [
            "collector:4318",
            "grpc://collector:4317",
            "http://:4318",
            "http://c:no",
            "http://c:4318/v1/traces",
            "http://c?token=s3cret",
        ],
    )
    def test_an_address_that_is_none_is_refused_at_the_start(self, monkeypatch, endpoint):
        monkeypatch.setenv("FINESTRA_OTLP_ENDPOINT", endpoint)

        with pytest.raises(SettingsError, match="write http://host:4318") as raised:
            load_settings()

        assert endpoint not in str(raised.value)


class TestWhatASpanSays:
    def test_every_field_is_said_under_a_declared_name(self):
        assert {field.name for field in fields(Work)} - OF_THE_SPAN == set(ATTRIBUTES.values())

    def test_it_says_what_was_done_and_when(self, told):
        told.tell(
            work("POST /v1/messages/{message_id}", side=Side.ASKED, status=500, app="orders", is_failed=True)
        )

        (span,) = told.all()
        assert span.name == "POST /v1/messages/{message_id}"
        assert span.attributes == {"http.response.status_code": 500, "finestra.app": "orders"}
        assert span.raw.end_time_unix_nano - span.raw.start_time_unix_nano == 5_000_000
        assert (span.raw.kind, span.raw.status.code, span.raw.status.message) == (2, 2, "")

    @pytest.mark.parametrize("canary", [NUMBER, NUMBER[1:], WORDS, f"/v1/contacts/{NUMBER}", "Ada Ro?x=1"])
    def test_nobody_and_no_text_leaves_in_any_field(self, told, canary):
        texts = {field.name: canary for field in fields(Work) if field.name not in OF_THE_SPAN}
        told.tell(work(canary, **texts))
        told.tell(work(f"GET {canary}"))

        sent = told.sent()
        assert canary.encode() not in sent
        assert NUMBER[1:].encode() not in sent
        assert sent.count(b"[hidden]") == len(texts) + 2

    def test_ids_and_codes_of_ours_leave_as_they_are(self, told):
        said = {
            "finestra.message_id": MESSAGE,
            "finestra.event_id": "evt_default_1774000000000-0",
            "finestra.request_id": "req-Xa_9",
            "finestra.code": "131047",
            "finestra.outcome": "status_503",
        }
        told.tell(work(**{ATTRIBUTES[name]: value for name, value in said.items()}))

        (span,) = told.all()
        assert span.attributes == said

    def test_the_resource_is_ours_and_what_the_operator_wrote(self, monkeypatch):
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging")
        monkeypatch.setenv("OTEL_EXPERIMENTAL_RESOURCE_DETECTORS", "process,os,host")
        told = Told()
        told.tell(work())

        (span,) = told.all()
        named = {"service.name", "service.version", "deployment.environment.name"}
        assert set(span.resource) == named
        assert span.resource["service.name"] == "finestra-api"


class TestOneTrace:
    def test_all_of_a_message_hangs_from_where_it_began_whoever_tells(self, told):
        other = Told()
        told.tell(work(message_id=MESSAGE, is_origin=True))
        other.tell(work(message_id=MESSAGE))
        other.tell(work(message_id=MESSAGE[:-1] + "W"))

        (origin,), (mine, foreign) = told.all(), other.all()
        assert mine.ids[0] == origin.ids[0] != foreign.ids[0]
        assert mine.ids[2] == origin.ids[1] != mine.ids[1]
        assert origin.ids[2] == b""

    def test_what_is_of_no_message_has_a_trace_of_its_own(self, told):
        told.tell(work())
        told.tell(work())

        first, second = told.all()
        assert first.ids[0] != second.ids[0]
        assert first.ids[2] == second.ids[2] == b""

    def test_all_processes_choose_the_same_messages(self, monkeypatch):
        monkeypatch.setenv("OTEL_TRACES_SAMPLER", "parentbased_traceidratio")
        monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.5")
        api, worker = Told(), Told()
        for number in range(200):
            api.tell(work(message_id=f"{MESSAGE[:-3]}{number:03}", is_origin=True))
            worker.tell(work(message_id=f"{MESSAGE[:-3]}{number:03}"))

        chosen = {span.ids[0] for span in api.all()}
        assert 50 < len(chosen) < 150
        assert chosen == {span.ids[0] for span in worker.all()}


class TestOurWork:
    """The seams, on a store in memory: what each says."""

    @pytest.fixture
    def heard(self):
        return []

    @pytest.fixture
    def world(self, fake_redis, heard):
        senders = {one.alias: one for one in (meta_sender(), cm_sender())}
        apps = {
            one.name: one
            for one in (
                app("orders", ("messages", "events"), callback_url="http://127.0.0.1:9/"),
                app("desk", ("admin",)),
            )
        }
        world = World(fake_redis, configuration=Configuration(senders=senders, apps=apps))
        world.deps = replace(world.deps, on_work=heard.append)
        return world

    @pytest.fixture
    def client(self, world):
        return create_api(world.deps).test_client()

    def test_a_request_is_named_by_its_route(self, client, heard):
        client.get(CONTACT, headers=DESK | {"X-Request-ID": "mine-1"})

        (told,) = heard
        assert (told.name, told.route) == ("GET /v1/contacts/{contact}", "/v1/contacts/{contact}")
        assert (told.side, told.status, told.app, told.request_id) == (Side.ASKED, 200, "desk", "mine-1")
        assert told.message_id is None

    @pytest.mark.parametrize("method", ["GET", "X" + NUMBER[1:]])
    def test_an_address_that_is_none_of_ours_is_not_said(self, client, heard, method):
        client.open(f"/v1/{NUMBER}/{WORDS}?{WORDS}", method=method)

        (told,) = heard
        assert (told.name, told.status) == (method if method == "GET" else "other", 404)
        assert not [value for value in vars_of(told).values() if NUMBER[1:] in str(value)]

    def test_probes_that_are_well_are_not_said(self, client, heard):
        client.get("/livez")

        assert heard == []

    def test_a_message_is_one_trace_from_its_request_to_its_callback(self, world, client, heard):
        anna_writes(world)
        message_id = send(client, headers=ORDERS | {"X-Request-ID": "mine-1"}).json["id"]
        drain(world)
        push(world, Delivered())

        of_it = [told for told in heard if told.message_id == message_id]
        assert [told.name for told in of_it][:2] == ["POST /v1/messages", "POST meta"]
        assert {told.name for told in of_it[2:]} == {"POST callback"}
        assert [told.is_origin for told in of_it] == [True] + [False] * (len(of_it) - 1)
        assert (of_it[0].request_id, of_it[1].outcome, of_it[1].attempt) == ("mine-1", "submitted", 1)
        assert of_it[2].event == "message.accepted"

    def test_a_repeat_begins_no_trace(self, client, heard):
        for _ in range(2):
            send(client, headers=ORDERS | {"Idempotency-Key": "k"})

        assert [told.is_origin for told in heard] == [True, False]

    def test_what_is_only_decided_asked_nobody(self, world, client, heard):
        send(client)
        drain(world)

        assert (heard[-1].name, heard[-1].side) == ("outbound.refuse", Side.NOBODY)
        assert (heard[-1].outcome, heard[-1].is_failed) == ("refused", False)

    def test_each_message_of_a_batch_begins_its_own(self, client, heard):
        answer = client.post("/v1/messages/batch", json={"messages": [TEXT, TEXT]}, headers=ORDERS)

        ids = [result["id"] for result in answer.json["results"]]
        *begun, asked = heard
        assert [(told.name, told.message_id, told.is_origin) for told in begun] == [
            ("accept", one, True) for one in ids
        ]
        assert (asked.name, asked.message_id) == ("POST /v1/messages/batch", None)
        assert begun[0].request_id == asked.request_id

    def test_one_request_to_cm_is_told_for_each_of_its_messages(self, world, client, heard):
        negozio = world.deps.sender("negozio")
        people = [ContactId(f"+39333123456{last}") for last in range(2)]
        world.deps.recorder.record([(negozio, wrote(NOW, contact=one)) for one in people], now=NOW)
        ids = [send(client, sender="negozio", to=one.value).json["id"] for one in people]
        heard.clear()
        drain(world, "negozio")

        assert world.providers["negozio"].batches == [2]
        assert [(told.name, told.message_id) for told in heard] == [("POST cm", one) for one in ids]

    def test_a_submission_through_celery_begins_one_too(self, world, heard):
        message_id = Submissions(world.deps).take(
            Handed(task_id="t", arguments=(), named={"app": "orders", "request": TEXT})
        )

        (told,) = heard
        assert (told.name, told.message_id, told.is_origin) == ("accept", message_id, True)

    def test_a_callback_that_is_not_taken_is_told_with_its_reason(self, world, client, heard):
        send(client)
        push(world, NotReached("timeout"))

        assert (heard[-1].name, heard[-1].outcome, heard[-1].is_failed) == ("POST callback", "timeout", True)

    @pytest.mark.parametrize("error", [ValueError(WORDS), StoreUnavailableError("away")])
    def test_a_task_that_stumbles_is_told_by_the_name_of_its_error(self, world, heard, error):
        with (
            pytest.raises((TaskFailedError, StoreUnavailableError)),
            _bugs_named(world.deps, DRAIN, sender="shop"),
        ):
            raise error

        (told,) = heard
        assert (told.name, told.sender, told.error) == (DRAIN, "shop", type(error).__name__)
        assert told.is_failed


def drain(world, alias="shop"):
    with ThreadPoolExecutor(1) as slots:
        Drain(world.deps, world.deps.sender(alias), slots, most_slots=1, stopping=threading.Event()).run()


def push(world, answer):
    client = SimpleNamespace(push=lambda *_: answer)
    with ThreadPoolExecutor(1) as threads:
        Pusher(world.deps, world.settings.configuration.apps["orders"], "default", client, threads).run()


def vars_of(told):
    return {field.name: getattr(told, field.name) for field in fields(told)}


class Away(InMemorySpanExporter):
    """Takes nothing until it is told to."""

    result = SpanExportResult.FAILURE

    def export(self, spans):
        return self.result


def test_a_collector_that_is_away_is_one_line_of_the_log_and_its_return_another():
    away = Away()
    spans = Spans(lambda: away, "api")
    with structlog.testing.capture_logs() as lines:
        for result in (SpanExportResult.FAILURE, SpanExportResult.FAILURE, SpanExportResult.SUCCESS):
            away.result = result
            spans.tell(work())
            spans._batches.force_flush()

    assert [line["event"] for line in lines] == ["spans_not_taken", "spans_taken"]


def test_a_bug_in_the_telling_is_logged_once_and_costs_no_work(told):
    with structlog.testing.capture_logs() as lines:
        for _ in range(2):
            told.tell(replace(work(), started_at=None))

    assert [(line["event"], line["where"]) for line in lines] == [("bug", "tracing")]


MORE_THAN_WAIT = 5000
MANY = """
import sys, time
from datetime import UTC, datetime
from shared.library_logs import take_over_logging
from shared.observability import configure_logging
from shared.tracing import Work, tracing

configure_logging("json")
take_over_logging()
tell, at, started = tracing(sys.argv[1], "api"), datetime.now(UTC), time.monotonic()
for _ in range(int(sys.argv[2])):
    tell(Work(name="outbound.drain", started_at=at, ended_at=at))
print(time.monotonic() - started, flush=True)
sys.stdin.read()
"""


def test_a_collector_that_hangs_or_is_gone_holds_up_neither_work_nor_stop():
    with Collector(answers=False).listening() as hanging:
        telling = [start(MANY, url, str(MORE_THAN_WAIT)) for url in (hanging.url, "http://127.0.0.1:1")]
        hanging.next_span()
        took = [float(one.stdout.readline()) for one in telling]
        asked_to_stop = time.monotonic()
        said = [one.communicate(timeout=30)[0] for one in telling]
        stopped_after = time.monotonic() - asked_to_stop

    assert max(took) < 2
    assert stopped_after < 6  # one answer alone would be waited for 10 s
    assert all(len(lines.splitlines()) <= 1 for lines in said)


AROUND_A_FORK = """
import os, sys
from datetime import UTC, datetime
from shared.tracing import Work, tracing

tell, at = tracing(sys.argv[1], "api"), datetime.now(UTC)
tell(Work(name="before", started_at=at, ended_at=at))
sys.stdin.readline()
side = "parent" if os.fork() else "child"
tell(Work(name=side, started_at=at, ended_at=at))
"""


def test_both_sides_of_a_fork_are_heard_and_what_is_left_when_they_stop():
    with Collector().listening() as collector:
        forked = start(AROUND_A_FORK, collector.url, OTEL_BSP_SCHEDULE_DELAY="20")
        before = collector.next_span().name
        forked.stdin.write("go on\n")
        forked.stdin.flush()
        after = {collector.next_span().name, collector.next_span().name}
        forked.communicate(timeout=20)

    assert (before, after) == ("before", {"parent", "child"})


def start(program: str, *arguments: str, **environment: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    )
