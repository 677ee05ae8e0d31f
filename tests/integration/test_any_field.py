"""Whatever is missing or wrong in a webhook, the door takes it, and the good message beside it is recorded.

Every fixture of both providers goes through the real receiver to the real Redis. The wrong values take turns
here: the parsers' own tests put every one everywhere.
"""

import json

import pytest

from shared.configuration import Configuration
from shared.domain.identifiers import ContactId, PhoneNumber
from tests.builders import NOW, World, cm_sender, meta_sender
from tests.public_door import HOOK, cm_body, post_meta, text
from tests.unit.providers.webhook_fixtures import load, maimed_once, names
from webhook.app import create_receiver

META = meta_sender(
    number=PhoneNumber("+31201234567"),
    phone_number_id="555000111222333",
    business_account_id="100200300400500",
)
CM = cm_sender(number=PhoneNumber("+31850000001"))


@pytest.fixture
def world(real_redis) -> World:
    return World(real_redis, configuration=Configuration(senders={"shop": META, "negozio": CM}))


@pytest.fixture
def door(world: World):
    return create_receiver(world.deps).test_client()


def is_recorded(world, sender, contact):
    return world.deps.contacts.get(sender, ContactId(contact)).window.is_open(NOW)


def beside(document, digits):
    """The document with an entry of its own for a good message; None where the entries are what is wrong."""
    entries = document.get("entry")
    if not isinstance(entries, list):
        return None
    value = {"metadata": {"phone_number_id": META.phone_number_id}, "messages": [text(digits, id=digits)]}
    entry = {"id": META.business_account_id, "changes": [{"field": "messages", "value": value}]}
    return {**document, "entry": [*entries, entry]}


@pytest.mark.parametrize("name", names("meta"))
def test_meta_s_updates_may_lack_any_field_or_have_it_wrong(door, world, name):
    for number, (path, document) in enumerate(maimed_once(load("meta", name))):
        digits = f"3165{number:07}"
        together = beside(document, digits)

        answer = post_meta(door, json.dumps(together or document).encode())

        assert answer.status_code == 200, path
        assert together is None or is_recorded(world, META, f"+{digits}"), path


@pytest.mark.parametrize("name", names("cm"))
def test_cm_s_updates_may_lack_any_field_or_have_it_wrong(door, world, name):
    """Its messages come alone: the neighbour of each is the next POST."""
    for path, document in maimed_once(load("cm", name)):
        assert door.post(HOOK, json=document).status_code == 200, path

    door.post(HOOK, json=cm_body(**{"from": {"number": "+31655555555"}, "to": {"number": "+31850000001"}}))
    assert is_recorded(world, CM, "+31655555555")
