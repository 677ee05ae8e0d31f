"""A sandbox with one Meta and one CM.com number, a clock for tests, and a receiver for its webhooks."""

import json
import queue
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.serving import make_server

from sandbox.app import create_sandbox
from sandbox.delivery import Delivery
from sandbox.world import World

META_NUMBER = "+15550783881"
CM_NUMBER = "+390212345678"
META_TOKEN, CM_TOKEN = "meta-token", "cm-token"
ANNA = "+393331234567"
NAMESPACE = "0a1b2c3d_0000_1111_2222_333344445555"
PATIENCE_SECONDS = 10


class Receiver:
    """An HTTP server that keeps what it gets and answers with the statuses it was told, then with 200."""

    def __init__(self):
        self.received = queue.Queue()
        self.answers = queue.Queue()
        handler = type("Handler", (_Handler,), {"receiver": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/webhooks"

    def next(self):
        """(headers, raw body) of the next webhook, waiting for it."""
        return self.received.get(timeout=PATIENCE_SECONDS)

    def next_json(self):
        return json.loads(self.next()[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = 200 if self.receiver.answers.empty() else self.receiver.answers.get()
        self.receiver.received.put((self.headers, body))
        self._answer(answer, b"")

    def do_GET(self):
        asked = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
        known = asked["hub.verify_token"] == "verify-me" and asked["hub.mode"] == "subscribe"
        self._answer(200 if known else 403, asked["hub.challenge"].encode())

    def _answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Stage:
    """Everything a test touches: the sandbox through its doors, the clock and the receiver."""

    def __init__(self, receiver):
        self.now = 1_790_000_000.0
        self.receiver = receiver
        self.world = World(clock=lambda: self.now)
        self.delivery = Delivery(workers=2, retry_gaps=(0.01, 0.01))
        self.flask = create_sandbox(self.world, self.delivery)
        self.client = self.flask.test_client()

    def control(self, method, path, document=None):
        return self.client.open(f"/control/{path}", method=method, json=document).get_json()

    def hear(self, **script):
        return self.control("POST", "inbound", {"from": ANNA, "to": META_NUMBER, "text": "ciao", **script})

    def send_meta(self, payload, *, token=META_TOKEN, path="/v26.0/106540352242922/messages"):
        return self.client.post(path, json=payload, headers={"Authorization": f"Bearer {token}"})

    def send_cm(self, document, *, token=CM_TOKEN):
        return self.client.post("/v1.0/message", json=document, headers={"X-CM-PRODUCTTOKEN": token})

    def requests(self):
        return self.control("GET", "requests")["requests"]


@contextmanager
def serving(server):
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def receiver():
    receiver = Receiver()
    with serving(receiver.server):
        yield receiver


@pytest.fixture
def stage(receiver):
    stage = Stage(receiver)
    stage.delivery.start()
    accounts = [
        {
            "provider": "meta",
            "number": META_NUMBER,
            "phone_number_id": "106540352242922",
            "business_account_id": "102290129340398",
            "access_token": META_TOKEN,
            "app_secret": "app-secret",
            "verify_token": "verify-me",
            "webhook_url": receiver.url,
        },
        {
            "provider": "cm",
            "number": CM_NUMBER,
            "product_token": CM_TOKEN,
            "template_namespace": NAMESPACE,
            "webhook_url": receiver.url,
        },
    ]
    assert stage.control("PUT", "accounts", {"accounts": accounts}) == {"accounts": 2}
    stage.control("PUT", "settings", {"sent_after_ms": 0, "delivered_after_ms": 0})
    put_templates(stage)
    yield stage
    stage.delivery.close()


def put_templates(stage):
    bodies = [
        ("ordine_pronto", "APPROVED", "Ciao {{1}}, il tuo ordine {{2}} è pronto."),
        ("benvenuto", "APPROVED", "Ciao {{first_name}}, benvenuto da {{shop}}."),
        ("in_pausa", "PAUSED", "Ciao {{1}}!"),
        ("spento", "DISABLED", "Ciao {{1}}!"),
        ("in_attesa", "PENDING", "Ciao {{1}}!"),
    ]
    templates = [
        {
            "account": owner,
            "name": name,
            "language": "it",
            "category": "UTILITY",
            "body": body,
            "status": status,
        }
        for owner in ("102290129340398", NAMESPACE)
        for name, status, body in bodies
    ]
    assert stage.control("PUT", "templates", {"templates": templates}) == {"templates": 10}


@pytest.fixture
def live_url(stage):
    """The sandbox behind a real socket, for what no test client can play."""
    server = make_server("127.0.0.1", 0, stage.flask, threaded=True)
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}"
