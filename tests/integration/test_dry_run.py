"""A dry run shows what the provider would get, byte for byte but for the id, as what arrives proves."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import fakeredis
import pytest

from shared.configuration import Configuration
from shared.deps import assemble
from shared.domain.consent import Category
from shared.domain.identifiers import AttemptReference, ContactId
from shared.domain.message import WhenOpen
from shared.domain.session_content import EmojiReaction, LinkButton
from shared.domain.template_call import TemplateButton
from shared.domain.template_parts import ButtonFill, ButtonKind, ButtonPart, HeaderKind, HeaderPart
from shared.store.messages import Acceptance
from tests.builders import (
    ANNA,
    DAY,
    NOW,
    World,
    app,
    call,
    cm_sender,
    meta_sender,
    opt_in,
    request,
    template,
    wrote,
)
from tests.contents import EVERY_KIND, PHOTO, WAMID
from webhook.api.dry_run import _PLACEHOLDER as PLACEHOLDER
from webhook.api.dry_run import dry_run
from workers.outbound import Drain

NAMELESS = ContactId("NL.90011223344")
CODE = template(category=Category.AUTHENTICATION, original_category=Category.AUTHENTICATION)
REPLY = ButtonPart(kind=ButtonKind.QUICK_REPLY, label="Va bene")
BUTTON = TemplateButton(index=0, fill=ButtonFill.PAYLOAD, value="991")


class Listener:
    """Answers everything like a provider that took it, and keeps the path and the bytes of each request."""

    def __init__(self) -> None:
        received: list[tuple[str, bytes]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                received.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
                answer = b'{"messages": [{"id": "wamid.1"}]}'
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.received = received
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    listener = Listener()
    yield listener
    listener.close()


@pytest.fixture
def world(listener: Listener, fake_redis: fakeredis.FakeRedis) -> World:
    """With the real providers and the real HTTP client."""
    senders = {"shop": meta_sender(base_url=listener.url), "negozio": cm_sender(base_url=listener.url)}
    configuration = Configuration(senders=senders, apps={"orders": app()})
    world = World(fake_redis, configuration=configuration)
    real = assemble(world.settings, fake_redis, clock=world.clock, ring=lambda _: None)
    world.deps = replace(world.deps, providers=real.providers)
    return world


#: What the request asks for, whether the window is open, and the template that is registered.
CASES = {
    **{kind: ({"content": content, "templates": ()}, True, None) for kind, content in EVERY_KIND.items()},
    "a quote": ({"reply_to": WAMID, "templates": ()}, True, None),
    "a template": ({}, False, template),
    "a template with a header and a button": (
        {"templates": (replace(call(), header=PHOTO, buttons=(BUTTON,)),)},
        False,
        partial(template, header=HeaderPart(kind=HeaderKind.IMAGE), buttons=(REPLY,)),
    ),
    "a template with a text above": (
        {"templates": (replace(call(), header="991"),)},
        False,
        partial(template, header=HeaderPart(kind=HeaderKind.TEXT, text="Ordine {{1}}", sample="991")),
    ),
    "an alternate": ({"templates": (call("ignoto"), call())}, False, template),
    "a template as text": ({"content": None}, True, template),
    "a template that is preferred": ({"when_open": WhenOpen.TEMPLATE}, True, template),
    "a code": (
        {"templates": (replace(call(), values={"1": "123456", "2": "5"}),), "content": None},
        False,
        lambda sender: replace(CODE, id=replace(CODE.id, account=sender.account)),
    ),
    "characters of every kind": (
        {"templates": (call(values={"1": "à“😀”", "2": "\u2028"}),)},
        False,
        template,
    ),
}


@pytest.mark.parametrize("alias", ["shop", "negozio"])
@pytest.mark.parametrize("case", CASES)
def test_what_a_dry_run_shows_is_what_the_provider_gets(world, listener, alias, case):
    asked, is_open, registered = CASES[case]
    asked_for = request(sender=alias, **asked)
    shown, sent = play(world, listener, asked_for, is_open=is_open, registered=registered)
    if alias == "negozio" and isinstance(asked.get("content"), EmojiReaction | LinkButton):
        assert sent == []  # CM.com is not known to take it
        return

    assert sent == [shown]


def test_a_contact_without_a_number_is_addressed_alike(world, listener):
    shown, sent = play(world, listener, request(to=NAMELESS, templates=()), is_open=True)

    assert sent == [shown]
    assert b"90011223344" in sent[0][1]


def play(world, listener, asked, *, is_open, registered=None):
    """The path and the bytes that the dry run shows, and those that arrive, with one id for both."""
    sender = world.deps.sender(asked.sender)
    world.deps.contacts.set_consent(sender, ANNA, opt_in(NOW - DAY), list(Category), now=NOW)
    if registered is not None:
        world.deps.templates.create("default", registered(sender), nonce="n")
    if is_open:
        event = wrote(NOW - timedelta(seconds=5), contact=asked.to)
        world.deps.recorder.record([(sender, event)], now=NOW)
    shown = dry_run(world.deps, sender, asked, world.deps.messages.facts(sender, asked), NOW)["request"]
    acceptance = Acceptance(message_id=world.deps.new_message_id(), app="orders", request=asked)
    world.deps.messages.accept(sender, acceptance, now=NOW)
    before = len(listener.received)
    with ThreadPoolExecutor(1) as slots:
        Drain(world.deps, sender, slots, most_slots=1, stopping=threading.Event()).run()
    reference = str(AttemptReference(acceptance.message_id, 1))
    body = json.dumps(shown["json"], separators=(",", ":")).replace(str(PLACEHOLDER), reference)
    return (shown["url"].removeprefix(listener.url), body.encode()), listener.received[before:]
