"""The internal door on templates: registered, shown, decided about."""

import pytest

from shared.configuration import Configuration
from shared.domain.templates import Approval, Gate
from tests.builders import (
    World,
    app,
    cm_sender,
    meta_sender,
    template,
)
from tests.door import DESK, NEW_TEMPLATE, ORDERS, assert_problem, keys_of
from webhook.api.app import create_api


class TestTemplates:
    def register(self, client, **changes):
        return client.post("/v1/templates", json=NEW_TEMPLATE | changes, headers=DESK)

    def decide(self, client, gate, decision, reason=None):
        path = "/v1/templates/conferma_ordine/it/approval?sender=negozio"
        return client.post(path, json={"gate": gate, "decision": decision, "reason": reason}, headers=DESK)

    @pytest.mark.parametrize(
        "body", ["Salve {1}, ordine {2} ricevuto.", "Salve {{1}}, ordine {{ 2 }} ricevuto."]
    )
    def test_a_body_is_stored_in_the_providers_form(self, client, body):
        answer = self.register(client, body=body)

        assert answer.status_code == 201
        assert answer.json["body"] == "Salve {{1}}, ordine {{2}} ricevuto."
        assert answer.json["variables"] == ["1", "2"]

    @pytest.mark.parametrize(
        ("sender", "is_automatic", "provider_gate"),
        [
            ("shop", False, "approved"),
            ("negozio", False, "pending"),
            ("negozio", True, "approved"),
        ],
    )
    def test_the_gates_at_registration(self, any_redis, sender, is_automatic, provider_gate):
        senders = {
            "shop": meta_sender(),
            "negozio": cm_sender(is_provider_approval_automatic=is_automatic),
        }
        world = World(
            any_redis, configuration=Configuration(senders=senders, apps={"desk": app("desk", ("admin",))})
        )

        answer = self.register(create_api(world.deps).test_client(), sender=sender)

        assert answer.json["approval"] == {
            "provider": {"state": provider_gate, "reason": None},
            "whatsapp": {"state": "pending", "reason": None},
        }
        assert answer.json["status"] == "draft"

    @pytest.mark.parametrize(
        ("tag", "category"),
        [
            ("UTILITY", "utility"),
            ("MARKETING", "marketing"),
            ("TRANSACTIONAL", "utility"),
            ("SHIPPING_UPDATE", "utility"),
        ],
    )
    def test_a_tag_is_kept_and_proposes_a_category(self, client, tag, category):
        self.register(client, tag=tag)

        shown = client.get("/v1/templates/conferma_ordine/it?sender=negozio", headers=ORDERS).json
        assert (shown["tag"], shown["category"]) == (tag, category)

    @pytest.mark.parametrize("tag", ["AUTHENTICATION", "OTP"])
    def test_a_one_time_code_is_registered_in_whatsapps_own_form(self, client, tag):
        button = {"kind": "one_time_code", "label": "Copia il codice"}
        form = {"body": "{1} è il tuo codice.", "samples": ["123456"], "buttons": [button], "tag": tag}

        assert self.register(client, sender="shop", **form).json["category"] == "authentication"
        errors = assert_problem(self.register(client, **form), 422, "template_lint")
        assert [entry["code"] for entry in errors["tag"]] == ["unsupported_by_provider"]

    def test_a_registration_keeps_the_warnings_of_the_lint(self, client):
        first = self.register(client)
        again = self.register(client, name="conferma_2", tag="AUTO_REPLY")

        assert (first.status_code, first.json["warnings"]) == (201, [])
        assert again.status_code == 201
        assert [(entry["code"], entry["level"]) for entry in again.json["warnings"]] == [
            ("tag_old", "warning"),
            ("duplicate_text", "warning"),
        ]

    def test_linting_registers_nothing_and_answers_200_whatever_it_finds(self, world, client):
        wrong = NEW_TEMPLATE | {"name": "Conferma", "tag": "AUTO_REPLY"}

        answers = [
            client.post("/v1/templates/lint", json=each, headers=DESK) for each in (NEW_TEMPLATE, wrong)
        ]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert answers[0].json == {"findings": []}
        assert [(each["field"], each["level"]) for each in answers[1].json["findings"]] == [
            ("name", "error"),
            ("tag", "warning"),
        ]
        assert keys_of(world) == {}

    def test_the_lint_refuses_with_a_code_for_each_mistake(self, client):
        answer = self.register(client, name="Conferma", body="{1} e {3}", samples=["Anna"])

        errors = assert_problem(answer, 422, "template_lint")
        codes = {field: {entry["code"] for entry in entries} for field, entries in errors.items()}
        assert codes["name"] == {"name_format"}
        assert "variables_not_sequential" in codes["body"]
        assert codes["samples"] == {"samples_missing"}
        assert all(entry["mend"] for entries in errors.values() for entry in entries)

    def test_it_exists_once_for_an_account(self, client):
        self.register(client)

        assert_problem(self.register(client), 409, "template_exists")

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"tag": "PROMO"}, "tag"),
            ({"language": "italiano puro"}, "language"),
            ({"header": {"text": "x"}}, "header.kind"),
            ({"header": {"kind": "image", "text": "x"}}, "header.text"),
            ({"buttons": [{"kind": "quick_reply"}]}, "buttons.0.label"),
            ({"buttons": [{"kind": "url", "label": "Segui"}]}, "buttons.0.url"),
            ({"ttl_seconds": "60"}, "ttl_seconds"),
            ({"sender": "nix"}, "sender"),
            ({"samples": "Anna"}, "samples"),
            ({"boddy": "x"}, "boddy"),
        ],
    )
    def test_a_wrong_field_is_named(self, client, changes, field):
        assert list(assert_problem(self.register(client, **changes), 422, "invalid_request")) == [field]

    def test_both_gates_by_hand_make_it_usable(self, client):
        self.register(client)

        first = self.decide(client, "provider", "approved")
        second = self.decide(client, "whatsapp", "approved")

        assert (first.json["status"], second.json["status"]) == ("submitted", "approved")

    def test_a_rejection_keeps_its_reason(self, client):
        self.register(client)

        answer = self.decide(client, "whatsapp", "rejected", "too promotional")

        assert answer.json["status"] == "rejected"
        assert answer.json["approval"]["whatsapp"] == {"state": "rejected", "reason": "too promotional"}

    @pytest.mark.parametrize("gate", ["provider", "whatsapp"])
    def test_meta_decides_for_itself(self, world, client, gate):
        world.deps.templates.create("default", template(gates={Gate.PROVIDER: Approval.APPROVED}), nonce="n")
        path = "/v1/templates/ordine_pronto/it/approval?sender=shop"

        answer = client.post(path, json={"gate": gate, "decision": "approved"}, headers=DESK)

        assert_problem(answer, 409, "decided_by_provider")
        assert world.deps.templates.get("default", template().id).gates[Gate.WHATSAPP] is Approval.PENDING

    def test_an_unknown_template_is_404(self, client):
        assert_problem(self.decide(client, "whatsapp", "approved"), 404, "unknown_template")

    def test_the_list_shows_each_account_once(self, any_redis):
        senders = {"shop": meta_sender(), "twin": meta_sender("twin"), "negozio": cm_sender()}
        world = World(
            any_redis, configuration=Configuration(senders=senders, apps={"desk": app("desk", ("admin",))})
        )
        for sender in senders.values():
            world.deps.templates.create("default", template(sender), nonce="n")
        client = create_api(world.deps).test_client()

        body = client.get("/v1/templates", headers=DESK).json
        of_one = client.get("/v1/templates?sender=twin", headers=DESK).json

        assert [item["sender"] for item in body["items"]] == ["shop", "negozio"]
        assert body["next"] is None
        assert [item["sender"] for item in of_one["items"]] == ["twin"]
