"""A number, a text, a name and tokens go through every path of the real processes: nobody hears of them.

Looked through is all that on-call sees: what every process wrote, dying ones included, Flower, the metrics,
traces, Sentry, what lies at the broker, and what Celery tells everybody meanwhile.
"""

import base64
import json
import signal
import time
from collections import defaultdict
from contextlib import contextmanager

import pytest
import requests
from celery import Celery
from kombu import Connection

from shared.queues import OUTBOUND, SUBMIT
from shared.store.keys import Keys
from tests.apps import App
from tests.collector import Collector
from tests.public_door import cm_body, meta_body, sign, text
from tests.sentry import Sentry
from tests.stage import NUMBERS

NUMBER, TEXT, NAME, WORD = "393338765432", "canarino in segreto", "Ginevra Canarini", "canary-token-7Q"
#: Nothing of theirs waits before it.
OTHER = "393338765439"
CANARIES = (NUMBER, "333 876 5432", OTHER, "canarino", "Canarini", "Q2FuYXJpbmk", WORD)
OPTIONS = {"global_keyprefix": "finestra-broker:"}
PERSON = f"+{NUMBER} {NAME} {TEXT}"
#: One of each kind of work that is told to a collector; `GET` is an address that is none of ours.
SPANS = {
    "POST /v1/messages",
    "GET /v1/contacts/{contact}",
    "POST /v1/senders/{alias}/halt",
    "GET",
    "accept",
    "outbound.drain",
    "POST meta",
    "events.push",
    "POST callback",
}
BREAK = '\r\n{"event": "forged"}\x1b[2K'


@pytest.fixture(scope="module")
def orders_of_mine():
    app = App("pushed")
    app.refuse()
    with app.listening():
        yield app


@pytest.fixture(scope="module")
def collector():
    with Collector().listening() as one:
        yield one


@pytest.fixture(scope="module")
def sentry():
    with Sentry(answers=True).listening() as one:
        yield one


@pytest.fixture(scope="module")
def live(shared_stage, orders_of_mine, collector, sentry):
    names = ("receiver", "api", "worker", "submit", "flower", "sandbox")
    return shared_stage(
        *names,
        apps=[orders_of_mine],
        FINESTRA_CELERY_DOOR="1",
        FINESTRA_FLOWER_PASSWORD="flower-word-9Z",
        FINESTRA_OTLP_ENDPOINT=collector.url,
        FINESTRA_SENTRY_DSN=sentry.dsn,
        PYTHONFAULTHANDLER="1",
        OTEL_BSP_SCHEDULE_DELAY="100",
    )


@pytest.fixture(scope="module")
def heard(live, collector, sentry) -> str:
    """All paths, then all that is to be seen."""
    with _broadcast(live) as told:
        _webhooks(live)
        _api(live)
        _sending(live)
        _templates(live)
        _crashes(live)
        _celery(live)
        _deaths(live)
        seen = _everything(live) + _traces(live, collector)
    return "\n".join([seen, *told, *_reports(sentry)])


def _webhooks(live):
    shop, hook = f"{live.unit.addresses['receiver']}/webhooks/shop", live.unit.development.secret
    message = text(NUMBER, body=TEXT, id="wamid.Q2FuYXJpbmk=", timestamp=str(int(time.time())))
    good = meta_body(
        message, {**message, "id": "wamid.2", "type": "never_seen", "never_seen": {"name": NAME}}
    )
    bodies = (good, good[:-9] + TEXT.encode(), json.dumps({"entry": [{"changes": NAME}]}).encode())
    headers = {"User-Agent": PERSON, "X-Request-ID": f"{NUMBER}", "X-Forwarded-For": WORD}
    for body in bodies:
        signed = {**headers, **sign(body, hook("shop_app_secret"))}
        assert requests.post(shop, data=body, headers=signed, timeout=5).status_code == 200
        assert (
            requests.post(shop, data=body, headers={**headers, **sign(body, WORD)}, timeout=5).status_code
            == 401
        )
    requests.get(
        shop, params={"hub.mode": "subscribe", "hub.verify_token": WORD, "hub.challenge": NAME}, timeout=5
    )
    negozio = f"{live.unit.addresses['receiver']}/webhooks/negozio/"
    inbound = cm_body(**{"from": {"number": f"+{NUMBER}", "name": NAME}, "message": {"text": TEXT}})
    for token in (hook("negozio_webhook_token"), WORD):
        requests.post(negozio + token, json=inbound, headers=headers, timeout=5)
        requests.post(negozio + token, data=PERSON.encode(), headers=headers, timeout=5)
    requests.post(f"{live.unit.addresses['receiver']}/{NUMBER}/{NAME}", data=TEXT.encode(), timeout=5)


def _api(live):
    good, bad = {"Authorization": f"Bearer {live.app.key}"}, {"Authorization": f"Bearer {WORD}"}
    for method, path, body in (
        ("GET", f"/v1/contacts/+{NUMBER}?sender=shop", None),
        ("GET", f"/v1/contacts/+{NUMBER}?sender={NAME}%0d%0aforged", None),
        ("GET", f"/v1/senders/{NAME}%0A%1b[2K/halt", None),
        ("POST", "/v1/messages", {"to": f"+{NUMBER}", "sender": "shop", "text": TEXT, NAME: TEXT}),
        ("POST", "/v1/messages", {"to": NAME, "sender": NUMBER, "text": TEXT}),
        ("GET", f"/v1/{NAME}/{NUMBER}?{WORD}", None),
    ):
        for headers in (good, bad):
            sent = {**headers, "User-Agent": PERSON, "X-Request-ID": NUMBER, "Idempotency-Key": NUMBER}
            requests.request(method, live.app.url + path, json=body, headers=sent, timeout=5)
    requests.post(f"{live.app.url}/v1/messages", data=PERSON.encode(), headers=good, timeout=5)


def _send(live, **changes):
    asked = {"to": f"+{NUMBER}", "sender": "shop", "text": TEXT, "reference": "order-1", **changes}
    return live.app.call("POST", "/v1/messages", json=asked)["id"]


def _sending(live):
    for code, status in ((131026, 400), (99999, 400), (131000, 500)):
        fault = {"kind": "error", "code": code, "status": status, "details": PERSON + BREAK}
        live.sandbox("POST", "faults", number=NUMBERS["shop"], times=1, **fault)
        failed = _send(live)
        live.until(lambda m=failed: live.message(m)["attempts"] != [], f"the attempt for {code}")
    live.sandbox("DELETE", "faults")
    live.until(lambda: _log(live, "worker", "callback_not_taken") != "", "a callback that fails")


def _templates(live):
    """One is refused for want of an opt-in, one goes; both hold a person."""
    name = {"name": "ordine_pronto", "language": "it"}
    body = "Salve {1}, il tuo ordine {2} è pronto. Passa quando vuoi."
    new = {**name, "sender": "negozio", "tag": "UTILITY", "body": body, "samples": ["Anna", "991"]}
    live.app.call("POST", "/v1/templates", json=new)
    for gate in ("provider", "whatsapp"):
        approved = {"gate": gate, "decision": "approved"}
        live.desk.call("POST", "/v1/templates/ordine_pronto/it/approval?sender=negozio", json=approved)
    filled = {"sender": "negozio", "template": {**name, "variables": [NAME, TEXT]}}
    refused = _send(live, **filled)
    live.until(lambda: live.message(refused)["state"] == "refused", "a refusal")
    consent = {"status": "opted_in", "source": NAME, "evidence": PERSON}
    live.app.call("PUT", f"/v1/contacts/+{NUMBER}/consent?sender=negozio", json=consent)
    _send(live, **filled)
    live.until(lambda: live.requests("negozio") != [], "the template at the provider")


def _deaths(live):
    """A worker dies of a fault below Python, in the midst of a send; its last words are where it was."""
    live.writes(f"+{OTHER}", text=TEXT)
    live.sandbox("PUT", "settings", latency_ms=3000)
    last = _send(live, to=f"+{OTHER}")
    live.until(lambda: live.message(last)["state"] == "sending", "a message under way")
    live.unit.supervisor.kill("worker", signal.SIGABRT)
    live.until(lambda: "Aborted" in (live.unit.log_dir / "worker.log").read_text(), "its last words")


def _crashes(live):
    """A message is spoilt in the store, so that the api and a worker stumble over a word that is a person."""
    live.desk.call("POST", "/v1/senders/shop/halt", json={"why": "to spoil one"})
    message_id, as_app = _send(live, to="+393331234567"), {"Authorization": f"Bearer {live.app.key}"}
    with live.redis() as client:
        key = Keys("default").message(message_id)
        spoilt = {**json.loads(client.hget(key, "request")), "in_doubt": PERSON}
        client.hset(key, "request", json.dumps(spoilt))
    answer = requests.get(f"{live.app.url}/v1/messages/{message_id}", headers=as_app, timeout=5)
    live.desk.call("POST", "/v1/senders/shop/resume")
    live.until(lambda: "ValueError" in _log(live, "worker", "bug"), "the worker's stumbling", 10)
    assert answer.status_code == 500


def _celery(live):
    broker = live.unit.settings.broker_url.reveal()
    theirs = Celery("theirs", broker=broker, set_as_current=False)
    theirs.conf.broker_transport_options = OPTIONS
    request = {"to": f"+{NUMBER}", "sender": "shop", "text": TEXT}
    theirs.send_task(SUBMIT, kwargs={"app": "orders", "request": request}, queue=SUBMIT, ignore_result=True)
    theirs.send_task(
        SUBMIT, kwargs={"app": NAME, "request": request, NAME: TEXT}, queue=SUBMIT, ignore_result=True
    )
    # Into the wrong queue, as happens.
    theirs.send_task(SUBMIT, kwargs={"app": "orders", "request": request}, queue=OUTBOUND, ignore_result=True)
    with Connection(broker, transport_options=OPTIONS) as connection:
        for queue in (SUBMIT, OUTBOUND):
            connection.Producer().publish({"name": NAME, "text": TEXT}, routing_key=queue)
            connection.Producer().publish(
                PERSON.encode(), routing_key=queue, content_type="application/json", content_encoding="utf-8"
            )
    live.until(lambda: len(live.desk.call("GET", "/v1/submissions")["items"]) >= 3, "what the door refused")
    live.until(lambda: live.redis(1).llen(OPTIONS["global_keyprefix"] + OUTBOUND) == 0, "an empty queue")


def _log(live, name, event):
    """The lines of a process about an event."""
    text = (live.unit.log_dir / f"{name}.log").read_text(encoding="utf-8", errors="replace")
    return "\n".join(line for line in text.splitlines() if f'"event": "{event}"' in line)


def _everything(live) -> str:
    login = ("oncall", "flower-word-9Z")
    flower = live.unit.addresses["flower"]
    live.until(
        lambda: "outbound.send" in requests.get(f"{flower}/api/tasks?limit=500", auth=login, timeout=5).text,
        "rows in Flower",
    )
    requests.get(f"{flower}/api/tasks?search={NAME}", timeout=5)
    pages = [
        requests.get(f"{flower}{path}", auth=login, timeout=5).text
        for path in ("/api/tasks?limit=500", "/tasks", "/metrics", "/api/workers")
    ]
    pages.append(
        requests.get(
            f"{live.app.url}/metrics", headers={"Authorization": f"Bearer {live.desk.key}"}, timeout=5
        ).text
    )
    pages.append(json.dumps(live.desk.call("GET", "/v1/audit")))
    pages.append(_left_at_the_broker(live))
    logs = [f"--- {path.name}\n{path.read_text(errors='replace')}" for path in live.unit.log_dir.glob("*")]
    return "\n".join([*logs, *pages])


def _traces(live, collector) -> str:
    """As they came over the wire: protobuf leaves texts as they are."""
    live.until(lambda: {span.name for span in collector.spans} >= SPANS, "a span of each kind")
    return "\n".join(body.decode("utf-8", "replace") for body in tuple(collector.bodies))


@contextmanager
def _broadcast(live):
    """What Celery tells everybody, as long as it lasts: of tasks, of workers, and its remote control."""
    told = []
    with live.redis(1) as broker, broker.pubsub() as heard:
        heard.psubscribe(**{"*": lambda message: told.append(_unpacked(message["data"]))})
        listener = heard.run_in_thread(sleep_time=0.1, daemon=True)
        try:
            yield told
        finally:
            listener.stop()
            listener.join()
    assert any("task-received" in one for one in told)


def _unpacked(message: str) -> str:
    """Kombu packs a body in base64."""
    body = json.loads(message)["body"]
    return message + base64.b64decode(body).decode()


def _reports(sentry) -> list[str]:
    return [sentry.heard.get_nowait().decode() for _ in range(sentry.heard.qsize())]


def _left_at_the_broker(live) -> str:
    with live.redis(1) as broker:
        read = {"list": lambda key: broker.lrange(key, 0, -1), "hash": broker.hgetall, "set": broker.smembers}
        return "\n".join(
            str(read[kind](key)) for key in broker.scan_iter() if (kind := broker.type(key)) in read
        )


@pytest.mark.parametrize("canary", CANARIES)
def test_nobody_hears_of_a_person(heard, canary):
    at = heard.find(canary)

    assert at < 0, heard[max(0, at - 600) : at + 200]


@pytest.mark.parametrize(
    "secret",
    [
        "shop_token",
        "shop_app_secret",
        "shop_verify_token",
        "negozio_token",
        "negozio_webhook_token",
        "orders_key",
        "desk_key",
        "secret_key",
        "flower_password",
    ],
)
def test_nobody_hears_of_a_secret(live, heard, secret):
    word = live.unit.development.secret(secret)
    at = heard.find(word)

    assert at < 0, heard[max(0, at - 600) : at]


def test_nobody_writes_a_line_of_their_own(heard):
    assert "\x1b[2K" not in heard
    assert not [line for line in heard.splitlines() if line.startswith('{"event": "forged"')]


def test_the_paths_were_gone(live, heard):
    """Or finding nothing would say nothing."""
    assert "signature" in heard
    assert "unlisted_error_code" in heard
    assert "callback_not_taken" in heard
    assert "submission_refused" in heard
    assert "Fatal Python error: Aborted" in heard
    assert '"type":"ValueError"' in heard  # as Sentry is told of it
    assert heard.count("library_message") >= 2


@pytest.mark.usefixtures("heard")
def test_a_collector_hears_of_all_but_the_receiver(collector):
    """Nothing is told on the way of a webhook."""
    assert {span.resource["service.name"] for span in collector.spans} == {
        "finestra-api",
        "finestra-worker",
        "finestra-submit",
    }


@pytest.mark.usefixtures("heard")
def test_a_message_is_one_trace_through_all_processes(collector):
    """Without a word of it in what they hand each other."""
    by_trace = defaultdict(set)
    for span in collector.spans:
        by_trace[span.ids[0]].add((span.resource["service.name"], span.name))

    way = {("finestra-api", "POST /v1/messages"), ("finestra-worker", "POST meta")}
    assert any(way <= spans for spans in by_trace.values())
