"""No webhook makes the parsers raise, and what they make of it can be stored."""

import copy
import json
from datetime import UTC, datetime

import pytest
from webhook_fixtures import WRONG_VALUES, is_shared, load, maimed, names, with_neighbours

from shared.domain.events import UpdateSetAside
from shared.providers.cm.parse import parse as parse_cm
from shared.providers.meta.parse import parse as parse_meta

RECEIVED_AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PARSERS = {"meta": parse_meta, "cm": parse_cm}
CASES = [(provider, name) for provider in PARSERS for name in names(provider)]


def check(events):
    for event in events:
        repr(event).encode("utf-8")
        if isinstance(event, UpdateSetAside):
            json.loads(event.raw)
            assert event.reason.isascii()
            assert len(event.reason) < 80


@pytest.mark.parametrize(("provider", "name"), CASES)
def test_any_field_may_be_missing_or_wrong(provider, name):
    for path, document in maimed(load(provider, name)):
        try:
            events = PARSERS[provider](document, RECEIVED_AT)
            check(events)
        except Exception as exc:
            exc.add_note(f"at {path}")
            raise


@pytest.mark.parametrize(("provider", "name"), CASES)
def test_a_good_update_is_read_whatever_is_wrong_beside_it(provider, name):
    document, added = with_neighbours(provider, load(provider, name))
    goods = {place: alone(provider, document, place) for place in added.values()}
    for path, maimed_document in maimed(document, spared=added):
        events = PARSERS[provider](maimed_document, RECEIVED_AT)
        for place, good in goods.items():
            # Exempt is what goes with a container of both, the list of the two above all.
            assert is_shared(path, place) or good in events, f"at {path}, {place} is lost"


def alone(provider, document, place):
    """The event of the update at `place`, read without what stands beside it."""
    around = copy.deepcopy(document)
    part = around
    for key in place:
        if isinstance(part, list):
            part[:] = [part[key]]
            key = 0  # noqa: PLW2901 - it is the only one now
        part = part[key]
    (event,) = PARSERS[provider](around, RECEIVED_AT)
    assert not isinstance(event, UpdateSetAside)
    return event


@pytest.mark.parametrize("provider", PARSERS)
@pytest.mark.parametrize("document", WRONG_VALUES, ids=repr)
def test_any_document_is_set_aside(provider, document):
    events = PARSERS[provider](document, RECEIVED_AT)

    check(events)
    assert [type(event) for event in events] == [UpdateSetAside]


@pytest.mark.parametrize(("provider", "name"), CASES)
def test_what_is_set_aside_is_read_again_alone_to_the_same(provider, name):
    document, _ = with_neighbours(provider, load(provider, name))
    for path, maimed_document in maimed(document):
        for event in PARSERS[provider](maimed_document, RECEIVED_AT):
            if isinstance(event, UpdateSetAside):
                assert PARSERS[provider](json.loads(event.raw), RECEIVED_AT) == [event], f"at {path}"


def test_a_deeply_nested_update_costs_only_itself():
    document = load("meta", "message__text")
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    document["entry"][0]["changes"][0]["value"]["messages"].insert(0, {"id": deep})

    aside, message = parse_meta(document, RECEIVED_AT)

    assert aside == UpdateSetAside(reason="no_id", raw='"nested too deeply to keep"')
    assert message.event_id == "wamid.IN1"
