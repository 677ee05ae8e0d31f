"""STOP, from the receiver to the queue: what waits is refused before any request to the provider."""

from dataclasses import replace

import pytest
import redis
import structlog

from shared.domain.consent import Category
from shared.domain.identifiers import ContactId
from shared.domain.message import MessageState
from shared.observability import LogEvent
from tests.builders import ANNA, NOW, World, opt_in, settings, template
from tests.play import accept, drain, record
from tests.public_door import HOOK, cm_body, meta_body, post_meta, text
from webhook.app import create_receiver

STOPS = {
    "it": [
        "STOP",
        "stop.",
        "  Stóp ",
        "Basta!",
        "disiscrivimi",
        "CANCELLAMI",
        "Annulla  iscrizione",
        "«stop»",
    ],
    "en": ["Stop", "UNSUBSCRIBE", "cancel me.", "Opt out", "OPT-OUT!", "Stop all"],
    "es": ["STOP.", "Baja", "¡BAJA!", "Darme de baja", "Cancelar suscripción", "no más mensajes"],
    "fr": ["stop !", "Arrêt", "ARRET", "Me désabonner", "désinscription", "arre\u0302t"],
    "de": ["Stopp", "STOPP!", "abmelden", "Abbestellen.", "Keine Nachrichten mehr", "stop"],
}
SENTENCES = [
    "STOP 12345",
    "stop, o Zé não vem",
    "non-stop",
    "basta così, grazie",
    "Puis-je arrêter la livraison ?",
    "Kann ich mich abmelden?",
    "la baja de ayer",
    "cancel",
    "stop 👍",
]


@pytest.fixture
def world(real_redis: redis.Redis) -> World:
    """One with five languages."""
    configuration = settings().configuration
    policy = replace(configuration.policy, languages=tuple(STOPS))
    world = World(real_redis, configuration=replace(configuration, policy=policy))
    world.deps.templates.create("default", template(), nonce="n")
    return world


def queued_for_many(world: World, count: int):
    """Contacts who opted in, each with a message that waits."""
    shop, queued = world.deps.sender("shop"), {}
    for number in range(count):
        contact = ContactId(f"+39333123{number:04}")
        world.deps.contacts.set_consent(shop, contact, opt_in(), list(Category), now=NOW)
        queued[contact] = accept(world, to=contact)
    return queued


def write_all(world: World, contacts, bodies) -> None:
    messages = [
        text(contact.value.strip("+"), body, id=f"wamid.{contact}")
        for contact, body in zip(contacts, bodies, strict=True)
    ]
    assert post_meta(create_receiver(world.deps).test_client(), meta_body(*messages)).status_code == 200


@pytest.mark.parametrize("language", STOPS)
def test_a_whole_message_stops_what_is_queued_in_any_case_with_accents_spaces_and_full_stop(world, language):
    queued = queued_for_many(world, len(STOPS[language]))
    write_all(world, queued, STOPS[language])

    drain(world)

    found = [record(world, message_id) for message_id in queued.values()]
    assert {(one.state, one.reason) for one in found} == {(MessageState.REFUSED, "opted_out")}
    assert world.providers["shop"].sent == []


def test_inside_a_sentence_it_stops_nothing(world):
    queued = queued_for_many(world, len(SENTENCES))
    write_all(world, queued, SENTENCES)

    drain(world)

    assert {record(world, message_id).state for message_id in queued.values()} == {MessageState.SUBMITTED}
    assert len(world.providers["shop"].sent) == len(SENTENCES)


def test_a_near_miss_is_logged_without_words_or_person(world):
    with structlog.testing.capture_logs() as logs:
        write_all(world, [ANNA, ContactId("+393339999999")], ["STOP 12345", "ciao"])

    noted = [line for line in logs if line["event"] == LogEvent.OPT_OUT_NEARLY_SAID]
    assert [{**line, "log_level": "info"} for line in noted] == [
        {"event": "opt_out_nearly_said", "sender": "shop", "kind": "text", "log_level": "info"}
    ]


def quick_reply(payload: str) -> dict:
    return {"type": "button", "button": {"payload": payload, "text": "Stop"}, "text": None}


def button_reply(payload: str) -> dict:
    reply = {"type": "button_reply", "button_reply": {"id": payload, "title": "Non mi interessa"}}
    return {"type": "interactive", "interactive": reply, "text": None}


@pytest.mark.parametrize(
    ("pressed", "utility"),
    [
        (quick_reply("STOP"), "refused"),
        (quick_reply("STOP-1"), "refused"),
        (quick_reply("STOP_PROMO"), "submitted"),
        (button_reply("OPT_OUT"), "refused"),
        (button_reply("STOP_PROMO"), "submitted"),
        (button_reply("STOP_ORDER_991"), None),
    ],
)
def test_a_button_named_for_it_stops_all_or_marketing_only(world, pressed, utility):
    (contact,) = queued_for_many(world, 1)
    marketing = accept(world, to=contact, category=Category.MARKETING)
    waiting = accept(world, to=contact)
    message = {name: value for name, value in text(contact.value.strip("+"), **pressed).items() if value}
    post_meta(create_receiver(world.deps).test_client(), meta_body(message))

    drain(world)

    assert record(world, waiting).state == (utility or "submitted")
    assert record(world, marketing).state == ("refused" if utility else "submitted")


def test_a_button_through_cm_is_read_alike(world):
    shop = world.deps.sender("negozio")
    world.deps.contacts.set_consent(shop, ANNA, opt_in(), list(Category), now=NOW)
    waiting = accept(world, sender="negozio")
    pressed = {"text": "Stop", "custom": {"button": {"payload": "STOP-1", "text": "Stop"}}}

    answer = create_receiver(world.deps).test_client().post(HOOK, json=cm_body(message=pressed))
    drain(world, "negozio")

    assert answer.status_code == 200
    assert (record(world, waiting).state, record(world, waiting).reason) == ("refused", "opted_out")
    assert world.providers["negozio"].sent == []
