"""Of which content an approval is: WhatsApp's word and a hand's count for what they are about alone."""

import json
from datetime import timedelta

import pytest

from shared.clock import rfc3339
from shared.domain.templates import TemplateId
from shared.store.template_codec import UNCOMPARED
from shared.store.template_sync import SyncReport
from shared.template_sync import adopt
from tests.builders import ANNA, NOW, Stores, World, call, opt_in
from tests.integration.test_template_approval import CONTENT, DESK, EDIT, Desk, drain
from tests.meta_side import ACCOUNT
from tests.public_door import post_meta
from tests.typed import typed_against
from webhook.api.app import create_api
from webhook.app import create_receiver
from workers.upkeep import Upkeep

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
ID = TemplateId(ACCOUNT, "conferma_ordine", "it")
#: As the sandbox gets what somebody made in WhatsApp Manager.
OTHERS_BODY = "Salve {{1}}, ecco il tuo ordine {{2}} di oggi."


@pytest.fixture
def world(any_redis, meta) -> World:
    return World(any_redis, configuration=meta.configuration())


@pytest.fixture
def client(world):
    return create_api(world.deps).test_client()


@pytest.fixture
def desk(client) -> Desk:
    made = Desk(client)
    made.register()
    return made


@pytest.fixture
def tell(world):
    """A webhook of Meta's about the template, now."""
    door = create_receiver(world.deps).test_client()

    def tell(event: str | None = None, **content: str) -> None:
        named = {"message_template_name": ID.name, "message_template_language": ID.language}
        field = "status" if event else "components"
        said = {"event": event} if event else content
        change = {"field": f"message_template_{field}_update", "value": {**named, **said}}
        entry = {"id": ACCOUNT, "time": int(world.clock.now().timestamp()), "changes": [change]}
        body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
        assert post_meta(door, body).status_code == 200
        world.clock.advance(SECOND)

    return tell


def gate_of(desk: Desk) -> dict[str, str]:
    return desk.ask("GET").json["approval"]["whatsapp"]


class TestAnApprovalByWebhook:
    def test_of_what_was_submitted_here_counts_at_once(self, desk, tell):
        desk.ask("POST", "/submit")

        tell("APPROVED")

        assert desk.status() == "approved"

    def test_of_what_nobody_submitted_waits_to_be_compared(self, desk, tell):
        tell("APPROVED")

        assert desk.status() == "submitted"
        assert gate_of(desk) == {"state": "pending", "reason": UNCOMPARED}
        newest = desk.ask("GET", "/history").json["items"][0]
        assert newest["details"]["content"] == "to be compared"

    def test_of_what_was_edited_since_it_was_submitted_waits_too(self, desk, tell, meta):
        """The answer was lost, so we do not know that Meta has it; what it has is the old content."""
        meta.fail_once("drop")
        assert desk.ask("POST", "/submit").json["code"] == "provider_in_doubt"
        desk.ask("PUT", json=EDIT)

        tell("APPROVED")

        assert desk.status() == "submitted"

    def test_of_what_was_edited_while_it_was_submitted_waits_too(self, desk, tell, world):
        """The id came for the content that was asked with, and another had taken its place."""
        before = world.deps.templates.get("default", ID)
        desk.ask("PUT", json=EDIT)
        fields = {"provider_id": "9001", "whatsapp_version": str(before.version), "draft": ""}
        world.deps.templates.change("default", ID, fields)

        tell("APPROVED")

        assert desk.status() == "submitted"

    def test_sends_nothing_before_the_list_is_read_and_then_what_whatsapp_has(self, desk, tell, meta, world):
        sender = world.deps.sender("shop")
        world.deps.contacts.set_consent(sender, ANNA, opt_in(), ["utility"], now=NOW)
        meta.put("conferma_ordine", body=OTHERS_BODY)
        tell("APPROVED")
        accepted = Stores(world.client).accept(sender, content=None, templates=(call("conferma_ordine"),))
        drain(world)
        before = world.deps.messages.get("default", accepted.message_id)

        desk.sync()
        world.deps.lanes.sweep("default", now=world.clock.now())
        drain(world)

        after = world.deps.messages.get("default", accepted.message_id)
        assert (before.state, before.route["rule"]) == ("deferred", "template_pending")
        assert (after.state, desk.ask("GET").json["body"]) == ("submitted", OTHERS_BODY)
        assert after.attempts[0]["route"]["template_version"] == 2

    def test_counts_when_the_list_shows_the_same_content(self, desk, tell, meta):
        meta.put("conferma_ordine", body=desk.ask("GET").json["body"])
        tell("APPROVED")

        desk.sync()

        shown = desk.ask("GET").json
        assert (shown["status"], shown["version"]) == ("approved", 1)

    def test_newer_than_the_list_waits_for_the_next_one(self, desk, tell, meta, world):
        """What it approves may have come after the list was made."""
        meta.put("conferma_ordine", status="PENDING", body=desk.ask("GET").json["body"])
        sender, asked_at = world.deps.sender("shop"), world.clock.now()
        (listed,) = world.deps.meta_templates["shop"].page().templates
        world.clock.advance(SECOND)
        tell("APPROVED")

        held = world.deps.templates.get("default", ID)
        adopt(world.deps, sender, listed, held, SyncReport(started_at=asked_at, ended_at=asked_at))
        between = desk.status()
        meta.decide("conferma_ordine", "APPROVED")
        desk.sync()

        assert (between, desk.status()) == ("submitted", "approved")

    def test_has_the_list_read_soon(self, desk, tell, world):
        rung = []
        worker = Upkeep(world.deps, ring_for_templates=rung.append)
        worker.beat("default")

        tell("APPROVED")
        world.clock.advance(MINUTE)
        worker.beat("default")

        assert len(rung) == 2

    def test_said_again_has_the_list_read_soon_again(self, desk, tell, world):
        """Whoever recorded it first may have died before he asked for the list."""
        rung = []
        worker = Upkeep(world.deps, ring_for_templates=rung.append)
        tell("APPROVED")
        worker.beat("default")

        tell("APPROVED")
        world.clock.advance(MINUTE)
        worker.beat("default")

        assert len(rung) == 2


class TestAWordOfAnotherContent:
    """Somebody edited it in WhatsApp Manager: the webhook has the text, without examples and numbers."""

    @pytest.fixture
    def approved(self, desk, tell) -> Desk:
        desk.ask("POST", "/submit")
        tell("APPROVED")
        assert desk.status() == "approved"
        return desk

    def test_lets_nothing_out_before_the_list_is_read(self, approved, tell, meta):
        meta.put("conferma_ordine", body=OTHERS_BODY)
        meta.world.registry.note(meta.has("conferma_ordine"), components=None)

        tell(message_template_element=OTHERS_BODY)
        tell("APPROVED")
        before = approved.status()
        approved.sync()

        shown = approved.ask("GET").json
        assert (before, shown["status"], shown["body"]) == ("submitted", "approved", OTHERS_BODY)

    def test_of_what_is_the_same_after_all_lets_it_go_on_as_it_was(self, approved, tell, meta):
        meta.decide("conferma_ordine", "APPROVED")

        tell(message_template_element="Salve.")
        before = approved.status()
        approved.sync()

        shown = approved.ask("GET").json
        assert (before, shown["status"], shown["version"]) == ("submitted", "approved", 1)

    def test_newer_than_the_list_waits_for_the_next_one(self, approved, tell, meta, world):
        meta.decide("conferma_ordine", "APPROVED")
        sender, asked_at = world.deps.sender("shop"), world.clock.now()
        (listed,) = world.deps.meta_templates["shop"].page().templates
        world.clock.advance(SECOND)
        tell(message_template_element=OTHERS_BODY)

        held = world.deps.templates.get("default", ID)
        adopt(world.deps, sender, listed, held, SyncReport(started_at=asked_at, ended_at=asked_at))

        assert approved.status() == "submitted"


@pytest.mark.parametrize(("event", "status"), [("REJECTED", "rejected"), ("PAUSED", "paused")])
def test_a_refusal_of_what_nobody_compared_counts_at_once(desk, tell, event, status):
    tell(event)

    assert desk.status() == status


def test_an_edit_here_undoes_an_approval_that_waits(desk, tell):
    tell("APPROVED")

    answer = desk.ask("PUT", json=CONTENT)

    assert gate_of(desk) == {"state": "pending", "reason": None}
    assert answer.status_code == 200


def test_doctor_says_what_an_approval_waits_for(desk, tell, client, world):
    tell("APPROVED")
    Stores(world.client).accept(world.deps.sender("shop"), content=None, templates=(call("conferma_ordine"),))

    (used,) = client.get("/v1/templates/in-use", headers=DESK).json["items"]

    assert (used["is_sendable"], used["why"]) == (False, UNCOMPARED)
    assert used["since"] == rfc3339(NOW)


class TestADecisionByHand:
    @pytest.fixture
    def desk(self, client) -> Desk:
        made = Desk(client, sender="negozio")
        made.register()
        return made

    def decide(self, desk: Desk, gate: str, **more):
        return desk.ask("POST", "/approval", json={"gate": gate, "decision": "approved", **more})

    def test_is_about_the_version_that_the_hand_has_seen(self, desk):
        desk.ask("PUT", json=EDIT)

        late = self.decide(desk, "whatsapp", version=1)

        assert (late.status_code, late.json["code"]) == (409, "template_edited")
        assert "look at the one in force" in late.json["errors"]["version"][0]
        assert gate_of(desk)["state"] == "pending"

    def test_of_the_version_in_force_counts_and_history_says_which(self, desk):
        desk.ask("PUT", json=EDIT)

        answers = [self.decide(desk, gate, version=2) for gate in ("provider", "whatsapp")]

        assert [answer.status_code for answer in answers] == [200, 200]
        assert desk.status() == "approved"
        assert desk.ask("GET", "/history").json["items"][0]["details"]["version"] == 2

    def test_without_a_version_is_about_the_one_in_force(self, desk):
        assert {self.decide(desk, gate).status_code for gate in ("provider", "whatsapp")} == {200}

        assert desk.status() == "approved"

    def test_goes_with_the_content_that_an_edit_replaces(self, desk):
        for gate in ("provider", "whatsapp"):
            self.decide(desk, gate)

        edited = desk.ask("PUT", json=EDIT).json

        assert {one["state"] for one in edited["approval"].values()} == {"pending"}

    @pytest.mark.parametrize("version", [0, "1", 1.5])
    def test_of_what_is_no_version_is_refused(self, desk, version):
        answer = self.decide(desk, "whatsapp", version=version)

        assert (answer.status_code, list(answer.json["errors"])) == (422, ["version"])

    def test_typed_about_an_older_version_ends_with_1_and_the_mend(self, desk, world):
        desk.ask("PUT", json=EDIT)
        words = ("approve", "conferma_ordine", "it", "--sender", "negozio", "--gate", "whatsapp")

        with typed_against(create_api(world.deps), "template") as finestra:
            late = finestra(*words, "--version", "1")
            seen = finestra(*words)

        assert late.exit_code == 1
        assert "look at the one in force" in late.output
        assert "conferma_ordine/it  draft  utility  version 2" in seen.output.splitlines()[0]
        assert gate_of(desk)["state"] == "approved"
