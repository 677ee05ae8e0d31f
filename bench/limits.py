"""Within the provider's limits, and how much of them is used: the sandbox keeps Meta's by its own clock.

Four workers and one sender of 80 messages a second; then one contact with many messages; all on one machine.
"""

import http.client
import json
import os
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from bench.stage import accepts, process, python, redis_server, sender_of, show, wait_for
from cli.ports import free_ports
from shared.clock import ServerClock
from shared.deps import Deps, assemble
from shared.domain.consent import Category, ConsentRecord, ConsentStatus
from shared.domain.identifiers import ContactId
from shared.domain.message import MessageRequest
from shared.domain.template_call import TemplateCall
from shared.domain.templates import Approval, Gate, Template, TemplateId
from shared.queues import Doorbell
from shared.settings import load_settings
from shared.store.connection import connect, server_time
from shared.store.data_version import check_at_start
from shared.store.messages import Acceptance

NUMBER, PHONE_ID, ACCOUNT = "+15550783881", "106540352242922", "102290129340398"
PER_SECOND = 80
_CONFIG = f"""
[senders.shop]
provider = "meta"
number = "{NUMBER}"
phone_number_id = "{PHONE_ID}"
business_account_id = "{ACCOUNT}"
access_token = "env:BENCH_SECRET"
app_secret = ["env:BENCH_SECRET"]
verify_token = "env:BENCH_SECRET"
base_url = "http://127.0.0.1:{{port}}"
throughput_per_second = {PER_SECOND}
pair_interval_seconds = {{pair_interval}}
"""
_SANDBOX = ("-m", "gunicorn", "--worker-class", "gthread", "--threads", "64", "--keep-alive", "40")
_WORKER = ("-m", "celery", "-A", "workers.app:app", "worker", "--without-gossip", "--without-mingle")


@dataclass(frozen=True, slots=True)
class Seen:
    """What the provider saw: its requests in order, each with `at`, `to`, `outcome` and `code`."""

    requests: Sequence[dict[str, Any]]

    def refused(self, code: int) -> int:
        return sum(request["code"] == code for request in self.requests)

    def used(self, *, after_seconds: float) -> float:
        """Of what the provider allows, the share that was used, once the first burst is over."""
        times: list[float] = [request["at"] for request in self.requests]
        steady = [at for at in times if at >= times[0] + after_seconds]
        return (len(steady) - 1) / ((steady[-1] - steady[0]) * PER_SECOND)

    def used_of_pair(self, *, interval: float) -> float:
        """From the first burst to the start of the last: a burst is paid off by a quiet."""
        times: list[float] = [request["at"] for request in self.requests]
        last = max(n for n in range(1, len(times)) if times[n] - times[n - 1] > interval)
        return last * interval / (times[last] - times[0])


def run(*, seconds: int, messages: int) -> None:
    """`messages`: to one contact, more than go in one burst."""
    with tempfile.TemporaryDirectory() as folder:
        many = many_contacts(Path(folder), workers=4, messages=seconds * PER_SECOND)
    with tempfile.TemporaryDirectory() as folder:
        hot = hot_contact(Path(folder), messages=messages, pair_interval=0.25)
    show(
        "Limits: what the provider refused, and how much of what it allows was used",
        ("what", "refused", "used"),
        [
            (
                f"four workers, a sender of {PER_SECOND}/s",
                str(many.refused(130429)),
                f"{many.used(after_seconds=1):.1%}",
            ),
            (
                f"one contact, {messages} messages, an interval of 0.25 s",
                str(hot.refused(131056)),
                f"{hot.used_of_pair(interval=0.25):.1%}",
            ),
        ],
    )


def many_contacts(folder: Path, *, workers: int, messages: int) -> Seen:
    """As many messages to as many contacts, handed in at once."""
    with _stage(folder, workers=workers, pair_interval=6) as (deps, port):
        contacts = [ContactId(f"+39333{number:07}") for number in range(messages)]
        _opt_in(deps, contacts)
        _tell(port, "settings", {"throughput_per_second": PER_SECOND, "sent_after_ms": None})
        return _send(deps, port, contacts, patience=30 + messages / 20)


def hot_contact(folder: Path, *, messages: int, pair_interval: float) -> Seen:
    with _stage(folder, workers=2, pair_interval=pair_interval) as (deps, port):
        contact = ContactId("+393331234567")
        _opt_in(deps, [contact])
        _tell(port, "settings", {"pair_interval_seconds": pair_interval, "sent_after_ms": None})
        return _send(deps, port, [contact] * messages, patience=30 + 2 * messages * pair_interval)


@contextmanager
def _stage(folder: Path, *, workers: int, pair_interval: float) -> Iterator[tuple[Deps, int]]:
    with ExitStack() as stack:
        url = stack.enter_context(redis_server(folder))
        (port,) = free_ports(1)
        config = folder / "finestra.toml"
        config.write_text(_CONFIG.format(port=port, pair_interval=pair_interval))
        environ = {"FINESTRA_REDIS_URL": url, "FINESTRA_CONFIG": str(config), "BENCH_SECRET": "x"}
        stack.callback(_restore, dict(os.environ))
        os.environ.update(environ)
        sandbox = python(*_SANDBOX, "--bind", f"127.0.0.1:{port}", "sandbox.wsgi:app()")
        stack.enter_context(process(sandbox, {}))
        for number in range(workers):
            name = f"bench{number}@%h"
            stack.enter_context(process(python(*_WORKER, "-l", "ERROR", "-n", name), environ))
        wait_for(lambda: accepts(port), "sandbox")
        settings = load_settings()
        client = stack.enter_context(connect(url))
        clock = ServerClock(lambda: server_time(client))
        check_at_start(client, tuple(settings.configuration.aliases_of), clock)
        deps = assemble(settings, client, clock=clock, ring=Doorbell(settings).ring)
        _register(deps, port)
        yield deps, port


def _restore(environ: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environ)


def _register(deps: Deps, port: int) -> None:
    """The account and a template, on both sides."""
    account = {
        "provider": "meta",
        "number": NUMBER,
        "phone_number_id": PHONE_ID,
        "business_account_id": ACCOUNT,
        "access_token": "x",
        "app_secret": "x",
        "verify_token": "x",
        "webhook_url": "http://127.0.0.1:1/webhooks/shop",
    }
    _tell(port, "accounts", {"accounts": [account]})
    body = "Il tuo ordine {{1}} è pronto."
    shown = {"account": ACCOUNT, "name": "pronto", "language": "it"}
    shown |= {"category": "UTILITY", "body": body, "status": "APPROVED"}
    _tell(port, "templates", {"templates": [shown]})
    template = Template(
        id=TemplateId(ACCOUNT, "pronto", "it"),
        category=Category.UTILITY,
        body=body,
        samples=("991",),
        gates=dict.fromkeys(Gate, Approval.APPROVED),
        reasons={},
        whatsapp_version=1,
    )
    deps.templates.create("default", template, nonce="bench")


def _opt_in(deps: Deps, contacts: Sequence[ContactId]) -> None:
    sender, now = sender_of(deps, "shop"), deps.clock.now()
    record = ConsentRecord(status=ConsentStatus.OPTED_IN, at=now, source="bench")
    for contact in contacts:
        deps.contacts.set_consent(sender, contact, record, [Category.UTILITY], now=now)


def _send(deps: Deps, port: int, contacts: Sequence[ContactId], *, patience: float) -> Seen:
    """Hand in a message for each, and wait until the provider has taken as many."""
    sender = sender_of(deps, "shop")
    time.sleep(4)  # the workers are warm by then
    call, now = TemplateCall(name="pronto", language="it", values={"1": "991"}), deps.clock.now()
    requests = [
        MessageRequest(to=contact, sender="shop", templates=(call,), expires_at=now + timedelta(hours=1))
        for contact in contacts
    ]
    acceptances = [
        (sender, Acceptance(message_id=deps.new_message_id(), app="bench", request=request))
        for request in requests
    ]
    deps.messages.accept_all(acceptances, now=now)
    deps.ring(sender)
    wait_for(lambda: _taken(port) >= len(contacts), "all messages", patience)
    return Seen(sorted(_requests(port), key=lambda request: request["at"]))


def _taken(port: int) -> int:
    return sum(request["outcome"] == "accepted" for request in _requests(port))


def _requests(port: int) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/control/requests", timeout=5) as answer:
        found: list[dict[str, Any]] = json.loads(answer.read())["requests"]
    return found


def _tell(port: int, door: str, script: dict[str, Any]) -> None:
    body = json.dumps(script).encode()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("PUT", f"/control/{door}", body, {"Content-Type": "application/json"})
    status = connection.getresponse().status
    connection.close()
    if status != http.HTTPStatus.OK:
        raise RuntimeError(f"the sandbox says {status} to {door}")
