"""The rules that Finestra was made for, one by one: each by the doors that people use, on both servers.

CM.com, "WhatsApp message templates and the 24-hour window"; reference cm 6 and 8, meta 6.
"""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from shared.domain.routing import RouteKind
from tests.builders import ANNA, DAY, wrote
from tests.door import DESK
from workers.outbound import Drain

BODY = {
    "sender": "negozio",
    "name": "conferma_ordine",
    "language": "it",
    "tag": "UTILITY",
    "body": "Salve {1}, abbiamo ricevuto il tuo ordine {2}. Ti scriviamo appena parte.",
    "samples": ["Anna", "991"],
}
CALL = {"name": "conferma_ordine", "language": "it", "variables": ["Anna", "991"]}
TEXT = "Ciao Anna, il tuo ordine 991 è pronto."
OPT_IN = {"status": "opted_in", "source": "checkout", "evidence": "order 991, box ticked"}


def register(client, **changes):
    return client.post("/v1/templates", json={**BODY, **changes}, headers=DESK)


def decide(client, gate, decision="approved"):
    address = "/v1/templates/conferma_ordine/it/approval?sender=negozio"
    return client.post(address, json={"gate": gate, "decision": decision}, headers=DESK)


def approve(client):
    register(client)
    decide(client, "provider")
    decide(client, "whatsapp")


def opt_in(client):
    return client.put(f"/v1/contacts/{ANNA.value}/consent?sender=negozio", json=OPT_IN, headers=DESK)


def window_opens(world):
    sender = world.deps.sender("negozio")
    world.deps.recorder.record([(sender, wrote(world.clock.now()))], now=world.clock.now())


def tell_anna(client, world, **changes):
    """What was sent to her, and how it stands with the message."""
    asked = {"sender": "negozio", "to": ANNA.value, "text": TEXT, "template": CALL, **changes}
    answer = client.post("/v1/messages", json={k: v for k, v in asked.items() if v}, headers=DESK)
    assert answer.status_code == 202, answer.json
    with ThreadPoolExecutor(2) as slots:
        Drain(world.deps, world.deps.sender("negozio"), slots, most_slots=2, stopping=threading.Event()).run()
    shown = client.get(f"/v1/messages/{answer.json['id']}", headers=DESK).json
    return [outgoing.route.kind for outgoing in world.providers["negozio"].sent], shown


def lint_codes(answer, field):
    return [error["code"] for error in answer.json["errors"][field]]


class TestWhatATemplateIs:
    @pytest.mark.parametrize("name", ["conferma_ordine", "ordine2", "_", "a" * 512])
    def test_its_name_is_lower_case_with_underscores(self, client, name):
        assert register(client, name=name).status_code == 201

    @pytest.mark.parametrize("name", ["Conferma_Ordine", "conferma ordine", "conferma-ordine", "", "a" * 513])
    def test_another_name_is_refused_with_its_mend(self, client, name):
        answer = register(client, name=name)

        assert answer.status_code == 422
        assert lint_codes(answer, "name") == ["name_format"]

    def test_its_name_is_unique_in_its_language(self, client):
        assert register(client).status_code == 201
        assert register(client).status_code == 409
        assert (
            register(client, language="en", body="Hello {1}, we got your order {2}. Thanks.").status_code
            == 201
        )

    @pytest.mark.parametrize("tag", ["UTILITY", "SHIPPING_UPDATE", "ACCOUNT_UPDATE", "TRANSACTIONAL"])
    def test_its_tag_is_from_the_fixed_set(self, client, tag):
        assert register(client, tag=tag).json["tag"] == tag

    @pytest.mark.parametrize("tag", ["utility", "PROMO", ""])
    def test_a_tag_of_ones_own_is_refused(self, client, tag):
        answer = register(client, tag=tag)

        assert (answer.status_code, list(answer.json["errors"])) == (422, ["tag"])

    @pytest.mark.parametrize(("length", "status"), [(1024, 201), (1025, 422)])
    def test_its_body_has_at_most_1024_characters(self, client, length, status):
        answer = register(client, body="Ordine. " * 128 + "." * (length - 1024), samples=[])

        assert answer.status_code == status
        assert status == 201 or "body_too_long" in lint_codes(answer, "body")

    @pytest.mark.parametrize("body", ["Salve {1}, ordine {3} ricevuto.", "Salve {2}, ordine ricevuto."])
    def test_its_variables_are_numbered_without_gaps(self, client, body):
        answer = register(client, body=body)

        assert "variables_not_sequential" in lint_codes(answer, "body")

    def test_emoji_and_whatsapps_formatting_are_text(self, client):
        body = "Salve {1}, *abbiamo* ricevuto il tuo ordine _{2}_ 📦. Ti scriviamo appena parte."

        assert register(client, body=body).status_code == 201

    def test_promotional_content_is_refused_with_its_reason(self, client):
        body = "Salve {1}, solo oggi 50% di sconto su tutto con il codice {2}! Approfitta dell'offerta."
        answer = register(client, body=body)

        assert answer.status_code == 422
        assert "promotional_wording" in lint_codes(answer, "body")
        assert all(error["mend"] for error in answer.json["errors"]["body"])


class TestWhatFillsIt:
    @pytest.mark.parametrize(
        "value", ["Anna", "991", "Città-1 n° 3/b", "Anna Bianchi", "€ 12,50 (IVA)", "安娜"]
    )
    def test_letters_digits_special_characters_and_spaces_fill_a_variable(self, client, world, value):
        approve(client)
        opt_in(client)

        kinds, shown = tell_anna(client, world, template={**CALL, "variables": [value, "991"]})

        assert kinds == [RouteKind.TEMPLATE]
        assert world.providers["negozio"].sent[0].route.call.values == {"1": value, "2": "991"}
        assert shown["state"] == "submitted"

    @pytest.mark.parametrize("value", ["", " ", "\n\t"])
    def test_an_empty_value_is_refused_by_name(self, client, world, value):
        approve(client)
        asked = {"sender": "negozio", "to": ANNA.value, "template": {**CALL, "variables": [value, "991"]}}

        answer = client.post("/v1/messages", json=asked, headers=DESK)

        assert (answer.status_code, list(answer.json["errors"])) == (422, ["template.variables.1"])


class TestWhenItMayGo:
    def test_both_approvals_are_needed(self, client, world):
        register(client)
        opt_in(client)
        assert tell_anna(client, world)[1]["route"]["rule"] == "template_not_approved"

        decide(client, "provider")
        assert tell_anna(client, world)[1]["route"]["rule"] == "template_pending"

        decide(client, "whatsapp")
        kinds, _ = tell_anna(client, world)
        assert kinds == [RouteKind.TEMPLATE]

    @pytest.mark.parametrize("gate", ["provider", "whatsapp"])
    def test_one_rejection_is_enough_to_stop_it(self, client, world, gate):
        approve(client)
        opt_in(client)
        decide(client, gate, "rejected")

        kinds, shown = tell_anna(client, world)

        assert (kinds, shown["state"], shown["route"]["rule"]) == ([], "refused", "template_not_approved")

    def test_an_opt_in_is_needed(self, client, world):
        approve(client)

        kinds, shown = tell_anna(client, world)

        assert (kinds, shown["state"], shown["route"]["rule"]) == ([], "refused", "no_opt_in")

    def test_writing_to_us_is_no_opt_in(self, client, world):
        approve(client)
        window_opens(world)
        world.clock.advance(DAY)

        kinds, shown = tell_anna(client, world)

        assert (kinds, shown["route"]["rule"]) == ([], "no_opt_in")

    def test_outside_the_window_only_the_template_goes(self, client, world):
        approve(client)
        opt_in(client)

        kinds, shown = tell_anna(client, world)

        assert (kinds, shown["route"]["rule"]) == ([RouteKind.TEMPLATE], "window_closed")

    def test_inside_the_window_both_kinds_may_go(self, client, world):
        approve(client)
        opt_in(client)
        window_opens(world)
        world.clock.advance(timedelta(hours=1))

        kinds, _ = tell_anna(client, world)
        assert kinds == [RouteKind.SESSION]

        kinds, shown = tell_anna(client, world, when_open="template")
        assert kinds == [RouteKind.SESSION, RouteKind.TEMPLATE]
        assert shown["route"]["rule"] == "template_preferred"
