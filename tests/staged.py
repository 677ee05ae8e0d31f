"""A whole Finestra in this process, on a real Redis and real sockets, whose minutes pass when a test says so.

The sandbox plays the provider; its clock is ours. What the workers do by the clock is done once a minute.
"""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import flask
import requests
from celery import Celery
from werkzeug.serving import WSGIRequestHandler, make_server

from cli.client import Api
from cli.development import Development
from sandbox.accounts import parse_account
from sandbox.app import create_sandbox
from sandbox.delivery import Delivery
from sandbox.world import World as Sandbox
from shared.clock import ManualClock
from shared.configuration import AnySender
from shared.deps import assemble
from shared.domain.consent import Category
from shared.domain.identifiers import ContactId
from shared.queues import DRAIN, PUSH
from shared.settings import load_settings
from shared.store.connection import connect
from shared.store.data_version import CURRENT, FIELD
from tests.alerting import Scrape, read_scrape, say
from tests.builders import opt_in, template
from tests.stage import NUMBERS
from webhook.api.app import create_api
from webhook.app import create_receiver
from workers.monitor import Monitor, _fields
from workers.report import Settled
from workers.tasks import TaskFailedError, register
from workers.ticker import Ticker

MINUTE = timedelta(minutes=1)


class _Silent(WSGIRequestHandler):
    def log_request(self, *_: object) -> None:
        """Nobody reads it."""


class _Rows(Monitor):
    """Keeps what Flower would show of each message."""

    def __init__(self) -> None:
        self.shown: list[dict[str, Any]] = []

    def show(self, sender: str, settled: Sequence[Settled]) -> None:
        self.shown += [_fields(sender, item) for item in settled]


class Staged:
    def __init__(self, folder: Path, redis_url: str, sender_lines: str, stack: ExitStack) -> None:
        """`sender_lines`: more for the table of the sender `shop`."""
        self._folder, self._stack = folder, stack
        self.client = stack.enter_context(connect(redis_url))
        self.clock = ManualClock(datetime.now(UTC))
        self.sandbox = Sandbox(lambda: self.clock.now().timestamp())
        self._delivery = Delivery(workers=2, retry_gaps=())
        self._delivery.start()
        stack.callback(self._delivery.close)
        self._provider = create_sandbox(self.sandbox, self._delivery)
        self.is_provider_down = False
        self._provider.before_request(lambda: ("", 503) if self.is_provider_down else None)
        self.app_status = 204
        self.has_worker = self.has_broker = True
        self._configure(redis_url, sender_lines)
        self.bells: list[tuple[str, ...]] = []
        self.settings = load_settings()
        deps = assemble(self.settings, self.client, clock=self.clock, ring=self._ring)
        self.deps = replace(deps, jitter=lambda: 0.5)
        self.receiver_url = self._serve(create_receiver(self.deps))
        self._connect_sandbox(self.receiver_url)
        os.environ["FINESTRA_API_URL"] = self._serve(create_api(self.deps))
        os.environ["FINESTRA_API_KEY"] = self.development.secret("desk_key")
        self.desk = Api(os.environ["FINESTRA_API_URL"], os.environ["FINESTRA_API_KEY"])
        self.orders = Api(self.desk.url, self.development.secret("orders_key"))
        self._ticker = Ticker(self.deps, ring_for_app=lambda *whom: self.bells.append((PUSH, *whom)))
        #: What Flower hears of: messages, and what came of tasks.
        self.rows, self.told = _Rows(), list[str]()
        self._celery = Celery(set_as_current=False)
        register(
            self._celery, self.deps, self.rows, self._ticker, threading.Event(), pass_on=lambda _sender: None
        )
        self._scrapes: list[Scrape] = []

    def _ring(self, sender: AnySender) -> None:
        self.bells.append((DRAIN, sender.business, sender.alias))

    def _configure(self, redis_url: str, sender_lines: str) -> None:
        sandbox, app = self._serve(self._provider), flask.Flask("orders")
        app.add_url_rule("/", view_func=lambda: ("", self.app_status), methods=["POST"])
        self.development = Development(self._folder, "http://unused", sandbox, self._serve(app))
        self.development.write()
        path = self.development.config_path
        path.write_text(path.read_text().replace("[senders.shop]\n", f"[senders.shop]\n{sender_lines}\n"))
        os.environ.update(
            FINESTRA_CONFIG=str(path),
            FINESTRA_DATA_DIR=str(self._folder),
            FINESTRA_REDIS_URL=redis_url,
            FINESTRA_BROKER_URL=redis_url.removesuffix("/0") + "/1",
            FINESTRA_SECRET_KEY=self.development.secret("secret_key"),
        )

    def _serve(self, app: flask.Flask) -> str:
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Silent)
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        self._stack.callback(server.server_close)
        self._stack.callback(thread.join)
        self._stack.callback(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}"

    def _connect_sandbox(self, receiver: str, **changes: str) -> None:
        """What the provider knows of our senders: where webhooks go, and `changes` for `shop`."""
        development = replace(self.development, receiver=receiver)
        shop, negozio = development._accounts()
        self.sandbox.put_accounts(map(parse_account, ({**shop, **changes}, negozio)))

    #: What the provider and contacts do.
    def provider_has(self, **changes: str) -> None:
        """The provider has something else than we do, or sends its webhooks elsewhere."""
        self._connect_sandbox(self.receiver_url, **changes)

    def provider(self, method: str, door: str, **script: Any) -> Any:
        answer = self._provider.test_client().open(f"/control/{door}", method=method, json=script)
        assert answer.status_code == 200, answer.text
        return answer.json

    def provider_fails(self, times: int, **fault: Any) -> None:
        self.provider("POST", "faults", number=NUMBERS["shop"], times=times, **fault)

    def writes(self, contact: str, **script: Any) -> int:
        told = {"from": contact, "to": NUMBERS["shop"], "text": "Buongiorno", **script}
        return self.provider("POST", "inbound", **told)["webhook_status"]

    def approves_template(self) -> None:
        """`ordine_pronto`, here and at the provider."""
        sender = self.deps.sender("shop")
        self.deps.templates.create("default", template(sender), nonce="n")
        known = {"account": sender.account, "name": "ordine_pronto", "language": "it", "category": "UTILITY"}
        body = {"body": "Ciao {{1}}, il tuo ordine {{2}} è pronto.", "status": "APPROVED"}
        self.provider("PUT", "templates", templates=[{**known, **body}])

    def opts_in(self, contact: str) -> None:
        record = opt_in(self.clock.now() - timedelta(days=1))
        self.deps.contacts.set_consent(
            self.deps.sender("shop"), ContactId(contact), record, [Category.UTILITY], now=self.clock.now()
        )

    #: What apps do.
    def asks(self, contact: str, **body: Any) -> str:
        asked = {"to": contact, "sender": "shop", **(body or {"text": "È pronto."})}
        return self.orders.call("POST", "/v1/messages", json=asked)["id"]

    def state(self, message_id: str) -> str:
        return self.orders.call("GET", f"/v1/messages/{message_id}")["state"]

    #: How time passes.
    def _work(self) -> None:
        """One beat of a worker, then whatever was rung for."""
        # By the server's own clock no time has passed: the last beat and the last bells were long ago.
        self.client.delete("ticker:{default}", "bell:{default}:shop", "bell:{default}:negozio")
        self._ticker.beat()
        rung, self.bells[:] = list(dict.fromkeys(self.bells)), []
        for task, *whom in rung if self.has_broker else ():
            try:
                self.told.append(self._celery.tasks[task](*whom))
            except TaskFailedError as exc:
                self.told.append(str(exc))

    def watch(self, minutes: int, each: Callable[[], object] = lambda: None) -> None:
        """So many minutes pass; in `each` something happens, then a worker works and Prometheus scrapes."""
        for _ in range(minutes):
            self.clock.advance(MINUTE)
            each()
            if self.has_worker:
                self._work()
            assert self._delivery.wait_until_idle(10)
            self.deps.tallies.flush()
            self._scrapes.append(self._scrape())

    def waits(self, minutes: int) -> None:
        """So many minutes pass in which nothing happens: they look like the last one that was scraped."""
        self._scrapes += self._scrapes[-1:] * (minutes - 1)
        self.clock.advance(MINUTE * (minutes - 1))
        self.watch(1)

    def has_been_well(self) -> None:
        """For an hour: what a minute looked like, the others did."""
        self.watch(3)
        self._scrapes[:0] = self._scrapes[:1] * 60
        self.have_fired()

    def _scrape(self) -> Scrape:
        headers = {"Authorization": f"Bearer {self.desk.key}"}
        try:
            answer = requests.get(f"{self.desk.url}/metrics", headers=headers, timeout=5)
        except requests.ConnectionError:
            return None
        return read_scrape(answer.text) if answer.ok else None

    def have_fired(self, *alerts: str) -> None:
        """Exactly these, in all that was scraped so far."""
        seen = say(self._folder, self._scrapes, ever=alerts, now=alerts)
        assert not seen, seen

    def are_over(self, *alerts: str) -> None:
        """They have fired, no other has, and none fires any more."""
        seen = say(self._folder, self._scrapes, ever=alerts)
        assert not seen, seen


@contextmanager
def staged(folder: Path, redis_url: str, sender_lines: str = "") -> Iterator[Staged]:
    """Its environment is that of a machine on which it runs, so that commands find it."""
    before = dict(os.environ)
    with connect(redis_url) as client:
        client.flushall()
        client.hset("business:{default}", FIELD, CURRENT)
    try:
        with ExitStack() as stack:
            yield Staged(folder, redis_url, sender_lines, stack)
    finally:
        os.environ.clear()
        os.environ.update(before)
