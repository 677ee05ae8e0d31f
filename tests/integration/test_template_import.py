"""A template that the provider has is brought by its name, with the sandbox as Meta behind a real socket."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.templates import Source, TemplateId, TemplateStatus
from tests.builders import World, template
from tests.door import DESK, ORDERS
from tests.meta_side import ACCOUNT

ASKED = {"sender": "shop", "source": "provider", "name": "ordine_pronto", "language": "it"}


@pytest.fixture
def world(fake_redis, meta) -> World:
    return World(fake_redis, configuration=meta.configuration())


def bring(client, **changes):
    return client.post("/v1/templates/import", json={**ASKED, **changes}, headers=DESK)


def test_it_comes_with_its_content_and_its_approval(world, client, meta):
    meta.put("ordine_pronto")
    meta.put("ordine_pronto_presto", body="Ciao {{1}}, manca poco.")

    answer = bring(client)

    assert (answer.status_code, answer.json["status"]) == (201, "approved")
    kept = world.deps.templates.get("default", TemplateId(ACCOUNT, "ordine_pronto", "it"))
    assert (kept.source, kept.status) == (Source.PROVIDER, TemplateStatus.APPROVED)
    assert kept.body == "Ciao {{1}}, il tuo ordine {{2}} è pronto."
    assert [one.id.name for one in world.deps.templates.list("default", ACCOUNT)] == ["ordine_pronto"]


def test_a_later_reading_of_the_list_keeps_where_it_came_from(world, client, meta):
    meta.put("ordine_pronto")
    bring(client)

    client.post("/v1/templates/sync?sender=shop", headers=DESK)

    kept = world.deps.templates.get("default", TemplateId(ACCOUNT, "ordine_pronto", "it"))
    assert kept.source is Source.PROVIDER


@pytest.mark.parametrize(
    ("changes", "field", "mend"),
    [
        ({"name": "ordine"}, "name", "none of this name"),
        ({"language": "de"}, "language", "has it in it"),
        ({"as": "mio"}, "as", "leave it out"),
        ({"url": "https://ex.it/{1}"}, "url", "leave it out"),
    ],
)
def test_what_is_not_there_is_refused_with_the_mend(client, meta, changes, field, mend):
    meta.put("ordine_pronto")
    answer = bring(client, **changes)

    assert (answer.status_code, answer.json["code"]) == (422, "invalid_request")
    assert list(answer.json["errors"]) == [field]
    assert mend in answer.json["errors"][field][0]


def test_what_is_here_already_stays_as_it_is(world, client, meta):
    meta.put("ordine_pronto")
    world.deps.templates.create("default", template(), nonce="n")

    assert bring(client).json["code"] == "template_exists"


def test_what_meta_refuses_is_told(world, client, meta):
    meta.put("ordine_pronto")
    rotated = replace(meta.account, access_token="another-token")
    meta.world.put_accounts([rotated])

    answer = bring(client)

    assert (answer.status_code, answer.json["code"]) == (502, "provider_refused")
    assert answer.json["errors"]["provider"][0] == "190"
    assert world.deps.templates.list("default", ACCOUNT) == []


def test_a_library_template_goes_from_import_to_approval(world, client, meta):
    asked = {**ASKED, "source": "library", "name": "order_shipped", "url": "https://shop.example/t/{1}"}
    imported = client.post("/v1/templates/import", json=asked, headers=ORDERS)
    submitted = client.post("/v1/templates/order_shipped/it/submit?sender=shop", headers=ORDERS)
    meta.decide("order_shipped", "APPROVED")
    world.clock.advance(timedelta(seconds=5))
    client.post("/v1/templates/sync?sender=shop", headers=DESK)

    assert (imported.status_code, submitted.status_code) == (201, 200)
    shown = client.get("/v1/templates/order_shipped/it?sender=shop", headers=DESK).json
    assert (shown["status"], shown["source"], shown["version"]) == ("approved", "library", 1)


def test_a_one_time_code_goes_the_same_way_and_takes_whatsapp_s_words(client, meta):
    asked = {**ASKED, "source": "library", "name": "one_time_code"}
    client.post("/v1/templates/import", json=asked, headers=ORDERS)
    submitted = client.post("/v1/templates/one_time_code/it/submit?sender=shop", headers=ORDERS)

    assert submitted.status_code == 200, submitted.json
    assert meta.has("one_time_code").category == "AUTHENTICATION"
