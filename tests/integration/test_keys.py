"""Which key opens what at the internal door, and what a refused one gets."""

import pytest
import structlog

from shared.configuration import Configuration, Secret
from shared.observability import LogEvent
from tests.builders import (
    World,
    app,
    cm_sender,
    meta_sender,
)
from tests.door import (
    CONSENT,
    CONTACT,
    NEW_TEMPLATE,
    ORDERS,
    ROUTES,
    assert_problem,
    send,
)
from webhook.api.app import create_api

SCOPES = ["messages", "contacts:read", "contacts", "templates:read", "templates", "events", "admin"]


class TestKeys:
    @pytest.mark.parametrize(("method", "path", "body", "opens"), ROUTES)
    @pytest.mark.parametrize("scope", SCOPES)
    def test_a_scope_opens_what_it_should(self, any_redis, method, path, body, opens, scope):
        configuration = Configuration(
            senders={"shop": meta_sender(), "negozio": cm_sender()}, apps={"a": app("a", (scope,))}
        )
        client = create_api(World(any_redis, configuration=configuration).deps).test_client()

        answer = client.open(path, method=method, json=body, headers={"Authorization": "Bearer a-key"})

        if scope in opens | {"admin"}:
            assert answer.status_code not in (401, 403)
        else:
            assert_problem(answer, 403, "scope_missing")
            for needed in opens or {"admin"}:
                assert needed in answer.get_json(force=True)["detail"]

    @pytest.mark.parametrize(
        ("method", "path", "body", "_opens"),
        [*ROUTES, ("GET", "/v1/senders", None, set()), ("GET", "/openapi.json", None, set())],
    )
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"Authorization": "Bearer wrong"},
            {"Authorization": "Basic b3JkZXJzLWtleQ=="},
            {"Authorization": "Bearer é"},
            {"Authorization": "orders-key"},
        ],
    )
    def test_nothing_opens_without_a_key(self, client, method, path, body, _opens, headers):
        answer = client.open(path, method=method, json=body, headers=headers)

        assert_problem(answer, 401, "key_required")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")

    def test_whoever_is_refused_stands_in_the_log_and_no_number_does(self, client):
        with structlog.testing.capture_logs() as logs:
            client.get(CONTACT, headers={"Authorization": "Bearer nix"})
            client.delete(CONTACT, headers=ORDERS)

        route = "/v1/contacts/<contact>"
        refused = [line for line in logs if line["event"] is LogEvent.ACCESS_REFUSED]
        assert [(line["event"], line["missing"]) for line in refused] == [
            (LogEvent.ACCESS_REFUSED, "key"),
            (LogEvent.ACCESS_REFUSED, "contacts"),
        ]
        assert {line["route"] for line in logs} == {route}

    def test_both_keys_of_a_rotation_open(self, any_redis):
        both = app("orders", api_keys=(Secret("old"), Secret("new é")))
        configuration = Configuration(senders={"shop": meta_sender()}, apps={"orders": both})
        client = create_api(World(any_redis, configuration=configuration).deps).test_client()

        keys = ["old", "new é".encode().decode("latin-1")]
        answers = [client.get("/v1/senders", headers={"Authorization": f"bearer {key}"}) for key in keys]
        assert [answer.status_code for answer in answers] == [200, 200]

    def test_an_app_uses_its_own_senders_only(self, any_redis):
        configuration = Configuration(
            senders={"shop": meta_sender(), "negozio": cm_sender()},
            apps={"orders": app("orders", ("admin",), senders=("negozio",))},
        )
        client = create_api(World(any_redis, configuration=configuration).deps).test_client()

        for answer in (
            send(client),
            client.get(CONTACT, headers=ORDERS),
            client.put(CONSENT, json={"status": "opted_in"}, headers=ORDERS),
            client.post("/v1/senders/shop/resume", headers=ORDERS),
            client.post("/v1/templates", json=NEW_TEMPLATE | {"sender": "shop"}, headers=ORDERS),
        ):
            assert_problem(answer, 403, "sender_not_allowed")
        listed = client.get("/v1/senders", headers=ORDERS).json["items"]
        assert [item["alias"] for item in listed] == ["negozio"]
