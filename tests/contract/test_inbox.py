"""What a contact sent is found again by the provider's id."""

from dataclasses import replace

import pytest

from shared.domain.content import Location, Media
from shared.domain.window import InboundKind
from shared.errors import StoreUnavailableError
from shared.store.connection import connect
from shared.store.inbound import InboundRecord, Inbox
from tests.builders import ANNA, NOW, cm_sender, meta_sender, wrote
from tests.counting import counted

WAMID = "wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJD/QjZ+CMzlEQUE4OTJBMTE4RTUA=="
PHOTO = Media(media_id="7001", url="https://x/1", mime_type="image/jpeg", caption="ecco", is_animated=True)


@pytest.fixture
def inbox(any_redis):
    return Inbox(any_redis)


def came(stores, sender, **changes):
    event = replace(wrote(event_id=WAMID), **changes)
    stores.recorder.record([(sender, event)], now=NOW)


def test_a_file_is_found_with_all_that_is_known_of_it(stores, inbox):
    came(stores, meta_sender(), kind=InboundKind.IMAGE, text=None, content=PHOTO, read_handle="h")

    assert inbox.get("default", "shop", WAMID) == InboundRecord(
        event_id=WAMID,
        sender="shop",
        contact=ANNA,
        kind=InboundKind.IMAGE,
        at=NOW,
        media=PHOTO,
        read_handle="h",
    )


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        (InboundKind.TEXT, None),
        (InboundKind.LOCATION, Location(latitude=1.0, longitude=2.0)),
        (InboundKind.IMAGE, None),
        (InboundKind.IMAGE, Media(caption="no id and no address")),
    ],
)
def test_what_holds_no_file_says_so(stores, inbox, kind, content):
    came(stores, meta_sender(), kind=kind, content=content)

    record = inbox.get("default", "shop", WAMID)
    assert (record.kind, record.media, record.read_handle) == (kind, None, None)


def test_it_is_found_under_the_sender_that_it_came_to_and_no_other(stores, inbox):
    came(stores, cm_sender())

    assert inbox.get("default", "shop", WAMID) is None
    assert inbox.get("other", "negozio", WAMID) is None
    assert inbox.find([meta_sender(), cm_sender()], WAMID).sender == "negozio"
    assert inbox.find([meta_sender()], WAMID) is None
    assert inbox.find([], WAMID) is None


def test_it_is_looked_for_in_one_round_trip(redis_url):
    client, trips = counted(redis_url)

    Inbox(client).find([meta_sender(), cm_sender()], WAMID)

    assert len(trips) == 1
    client.close()


def test_a_store_that_is_away_says_so():
    inbox = Inbox(connect("redis://127.0.0.1:1/0"))

    with pytest.raises(StoreUnavailableError):
        inbox.get("default", "shop", WAMID)
    with pytest.raises(StoreUnavailableError):
        inbox.find([meta_sender(), cm_sender()], WAMID)
