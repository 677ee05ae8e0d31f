"""How templates get approved, through the internal door, with the sandbox as Meta behind a real socket."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
import structlog

from shared.domain.consent import Category
from shared.domain.events import TemplateStatusChanged
from shared.domain.lint.findings import PromotionalContent
from shared.domain.templates import Approval, TemplateId, TemplateStatus
from shared.observability import LogEvent
from shared.store.template_sync import SyncReport
from shared.template_sync import adopt
from tests.builders import ANNA, NOW, Stores, World, call, opt_in
from tests.door import DESK, ORDERS, assert_documented
from tests.meta_side import ACCOUNT
from tests.public_door import post_meta
from webhook.api.app import create_api
from webhook.app import create_receiver
from workers.outbound import Drain
from workers.upkeep import Upkeep

DAY = timedelta(days=1)
CONTENT = {
    "tag": "UTILITY",
    "body": "Salve {1}, abbiamo ricevuto il tuo ordine {2}. Ti scriviamo appena parte.",
    "samples": ["Anna", "991"],
}
NEW = {"name": "conferma_ordine", "language": "it", **CONTENT}
EDIT = CONTENT | {"body": "Salve {1}, il tuo ordine {2} è stato ricevuto. Grazie."}


@pytest.fixture
def world(any_redis, meta) -> World:
    return World(any_redis, configuration=meta.configuration())


class Desk:
    """Calls about one template."""

    def __init__(self, client, sender: str = "shop", name: str = "conferma_ordine") -> None:
        self.client, self.sender, self.name = client, sender, name

    def register(self, **changes):
        return self.client.post(
            "/v1/templates", json={**NEW, "sender": self.sender, **changes}, headers=ORDERS
        )

    def ask(self, method: str, what: str = "", headers=DESK, **more):
        path = f"/v1/templates/{self.name}/it{what}?sender={self.sender}"
        return self.client.open(path, method=method, headers=headers, **more)

    def status(self) -> str:
        return self.ask("GET").json["status"]

    def history(self) -> list[tuple[str, str]]:
        items = self.ask("GET", "/history").json["items"]
        return [(one["by"], one["event"]) for one in items]

    def sync(self):
        return self.client.post(f"/v1/templates/sync?sender={self.sender}", headers=DESK)


@pytest.fixture
def desk(client) -> Desk:
    return Desk(client)


@pytest.fixture
def submitted(desk) -> Desk:
    desk.register()
    assert desk.ask("POST", "/submit").status_code == 200
    return desk


@pytest.fixture
def approved(submitted, meta, world) -> Desk:
    meta.decide("conferma_ordine", "APPROVED")
    world.clock.advance(timedelta(seconds=5))
    submitted.sync()
    assert submitted.status() == "approved"
    return submitted


def drain(world: World) -> None:
    sender = world.deps.sender("shop")
    with ThreadPoolExecutor(1) as slots:
        Drain(world.deps, sender, slots, most_slots=1, stopping=threading.Event()).run()


def test_all_answers_are_as_they_are_documented(approved, client):
    spec = client.get("/openapi.json", headers=DESK).json
    one = "/v1/templates/{name}/{language}"

    assert_documented(spec, approved.ask("POST", "/submit"), f"{one}/submit", "post")
    assert_documented(spec, approved.ask("POST", "/resume"), f"{one}/resume", "post")
    assert_documented(spec, approved.ask("GET", "/history"), f"{one}/history")
    assert_documented(spec, approved.ask("PUT", json=EDIT), one, "put")
    assert_documented(spec, approved.ask("GET", "/versions"), f"{one}/versions")
    assert_documented(spec, approved.sync(), "/v1/templates/sync", "post")
    for path in ("/v1/templates/sync", "/v1/templates/in-use"):
        assert_documented(spec, client.get(path, headers=DESK), path)


class TestSubmit:
    def test_a_draft_becomes_submitted_with_the_id_that_meta_gave(self, desk, meta):
        desk.register()

        answer = desk.ask("POST", "/submit", headers=ORDERS)

        assert (answer.status_code, answer.json["status"]) == (200, "submitted")
        assert answer.json["provider_id"] == "9001"
        assert meta.has("conferma_ordine").body == answer.json["body"]
        assert desk.history() == [("orders", "submitted"), ("orders", "registered")]

    def test_it_is_submitted_once(self, submitted):
        answer = submitted.ask("POST", "/submit")

        assert (answer.status_code, answer.json["code"]) == (409, "template_busy")

    def test_what_meta_refuses_says_its_code_and_the_mend(self, desk, meta):
        desk.register()
        meta.fail_once("error", code=80008, status=400)

        answer = desk.ask("POST", "/submit")

        assert (answer.status_code, answer.json["code"]) == (503, "provider_unavailable")
        assert answer.json["errors"]["provider"][0] == "80008"
        assert answer.headers["Retry-After"] == "300"
        assert desk.status() == "draft"

    def test_a_lost_answer_is_told_and_a_repeat_reads_it_from_the_list(self, desk, meta):
        desk.register()
        meta.fail_once("drop")

        lost = desk.ask("POST", "/submit")
        assert (lost.status_code, lost.json["code"]) == (504, "provider_in_doubt")
        assert desk.status() == "draft"
        again = desk.ask("POST", "/submit")

        assert (again.status_code, again.json["status"]) == (200, "submitted")
        assert again.json["provider_id"] == "9001"

    def test_a_file_in_the_header_is_left_to_metas_own_manager(self, desk):
        desk.register(header={"kind": "image", "sample": "https://ex.it/a.png"})

        answer = desk.ask("POST", "/submit")

        assert (answer.status_code, answer.json["code"]) == (422, "example_needed")
        assert "sync" in answer.json["errors"]["header"][0]

    def test_at_cm_both_gates_wait_for_a_hand(self, client):
        desk = Desk(client, "negozio")
        desk.register()

        answer = desk.ask("POST", "/submit")
        for gate in ("provider", "whatsapp"):
            desk.ask("POST", "/approval", json={"gate": gate, "decision": "approved"})

        assert answer.json["status"] == "submitted"
        assert desk.status() == "approved"
        assert desk.history()[:2] == [("desk", "decided")] * 2

    def test_hands_stand_in_the_audit(self, submitted, client):
        deed, registered = client.get("/v1/audit", headers=DESK).json["items"]

        assert registered["action"] == "template.register"
        assert (deed["action"], deed["app"]) == ("template.submit", "desk")
        assert deed["details"] == {"sender": "shop", "template": "conferma_ordine/it"}


class TestEdit:
    def test_a_draft_is_edited_here_and_its_old_content_stays_readable(self, desk):
        desk.register()

        answer = desk.ask("PUT", json=EDIT)
        versions = desk.ask("GET", "/versions").json["items"]

        assert (answer.json["version"], answer.json["status"]) == (2, "draft")
        assert [one["version"] for one in versions] == [2, 1]
        assert versions[1]["body"].startswith("Salve {{1}}, abbiamo ricevuto")

    def test_what_was_rejected_is_edited_at_meta_and_waits_again(self, submitted, meta, world):
        meta.decide("conferma_ordine", "REJECTED", reason="INVALID_FORMAT")
        world.clock.advance(timedelta(seconds=5))
        submitted.sync()
        assert submitted.ask("GET").json["approval"]["whatsapp"]["reason"] == "INVALID_FORMAT"

        answer = submitted.ask("PUT", json=EDIT)

        assert (answer.status_code, answer.json["status"], answer.json["version"]) == (200, "submitted", 2)
        assert meta.has("conferma_ordine").body == answer.json["body"]

    def test_what_is_approved_takes_one_edit_in_24_hours(self, approved, meta, world):
        assert approved.ask("PUT", json=EDIT).json["status"] == "submitted"
        meta.decide("conferma_ordine", "APPROVED")
        world.clock.advance(timedelta(hours=1))
        approved.sync()

        answer = approved.ask("PUT", json=CONTENT)

        assert (answer.status_code, answer.json["code"]) == (409, "template_locked")
        assert "2086-11-23T12:00:05" in answer.json["detail"]
        assert answer.headers["Retry-After"] == str(23 * 3600)

    def test_the_category_of_an_approved_one_cannot_change(self, approved):
        answer = approved.ask("PUT", json=EDIT | {"tag": "MARKETING"})

        assert (answer.status_code, answer.json["code"]) == (409, "template_locked")

    def test_what_is_in_review_cannot_be_edited(self, submitted):
        assert submitted.ask("PUT", json=EDIT).status_code == 409

    def test_an_edit_is_held_against_the_lint(self, desk):
        desk.register()

        answer = desk.ask("PUT", json=CONTENT | {"samples": []})

        assert (answer.status_code, answer.json["code"]) == (422, "template_lint")

    def test_an_edit_with_an_unknown_end_stops_the_template_until_a_list_is_read(self, approved, world):
        business, id_ = "default", TemplateId(ACCOUNT, "conferma_ordine", "it")
        world.deps.templates.change(
            business, id_, {"editing": str(int(world.clock.now().timestamp() * 1000))}
        )
        assert approved.status() == "submitted"

        world.clock.advance(timedelta(seconds=5))
        approved.sync()

        assert approved.status() == "approved"

    def test_an_edit_whose_answer_is_lost_is_found_in_the_list(self, approved, meta, world):
        meta.fail_once("drop")

        lost = approved.ask("PUT", json=EDIT)
        meanwhile = approved.ask("GET").json
        world.clock.advance(timedelta(seconds=5))
        approved.sync()
        found = approved.ask("GET").json

        assert (lost.status_code, lost.json["code"]) == (504, "provider_in_doubt")
        assert (meanwhile["status"], meanwhile["version"]) == ("submitted", 1)
        assert (found["status"], found["version"]) == ("submitted", 2)
        assert found["body"] == meta.has("conferma_ordine").body
        meta.decide("conferma_ordine", "APPROVED")
        world.clock.advance(timedelta(seconds=5))
        approved.sync()
        assert approved.status() == "approved"

    def test_what_somebody_edited_at_meta_is_taken_over_by_sync(self, approved, meta, world):
        meta.put("conferma_ordine", body="Ciao {{1}}, ordine {{2}} in arrivo.")
        meta.world.registry.note(meta.has("conferma_ordine"), components=None)
        world.clock.advance(timedelta(seconds=5))

        approved.sync()

        shown = approved.ask("GET").json
        assert (shown["version"], shown["body"]) == (2, "Ciao {{1}}, ordine {{2}} in arrivo.")
        assert shown["samples"] == ["Anna", "991"]

    def test_a_message_says_which_version_it_used(self, approved, meta, world):
        sender = world.deps.sender("shop")
        world.deps.contacts.set_consent(sender, ANNA, opt_in(), [Category.UTILITY], now=NOW)
        approved.ask("PUT", json=EDIT)
        waiting = Stores(world.client).accept(sender, content=None, templates=(call("conferma_ordine"),))
        drain(world)
        before = world.deps.messages.get("default", waiting.message_id)
        meta.decide("conferma_ordine", "APPROVED")
        world.clock.advance(timedelta(seconds=5))

        approved.sync()
        world.deps.lanes.sweep("default", now=world.clock.now())
        drain(world)

        after = world.deps.messages.get("default", waiting.message_id)
        assert (before.state, before.route["rule"]) == ("deferred", "template_pending")
        assert after.state == "submitted"
        assert after.attempts[0]["route"]["template_version"] == 2


class TestDelete:
    def test_it_is_deleted_at_meta_too(self, approved, meta):
        assert approved.ask("DELETE").status_code == 204

        assert meta.world.template(ACCOUNT, "conferma_ordine", "it") is None
        assert approved.ask("GET").status_code == 404

    def test_what_is_queued_with_it_is_refused(self, approved, world):
        sender = world.deps.sender("shop")
        world.deps.contacts.set_consent(sender, ANNA, opt_in(), [Category.UTILITY], now=NOW)
        queued = Stores(world.client).accept(sender, content=None, templates=(call("conferma_ordine"),))

        approved.ask("DELETE")
        drain(world)

        record = world.deps.messages.get("default", queued.message_id)
        assert (record.state, record.route["rule"]) == ("refused", "template_not_approved")

    def test_what_is_disabled_cannot_be_deleted(self, approved, meta, world):
        meta.decide("conferma_ordine", "DISABLED")
        world.clock.advance(timedelta(seconds=5))
        approved.sync()

        assert approved.ask("DELETE").json["code"] == "template_locked"

    def test_a_new_one_of_the_name_goes_on_with_the_numbers(self, desk):
        desk.register()
        desk.ask("DELETE")

        assert desk.register().json["version"] == 2


class TestResume:
    def test_what_pacing_paused_goes_on_at_meta(self, approved, meta, world):
        meta.decide("conferma_ordine", "PAUSED")
        world.clock.advance(timedelta(seconds=5))
        approved.sync()
        assert approved.status() == "paused"

        answer = approved.ask("POST", "/resume")

        assert answer.json["status"] == "approved"
        assert meta.has("conferma_ordine").status == "APPROVED"
        assert approved.history()[0] == ("desk", "unpaused")

    def test_a_category_that_whatsapp_changed_is_taken_by_a_hand(self, approved, meta, world):
        meta.decide("conferma_ordine", "APPROVED", category="MARKETING")
        world.clock.advance(timedelta(seconds=5))
        approved.sync()
        assert approved.ask("GET").json["is_category_changed"] is True

        answer = approved.ask("POST", "/resume").json

        assert (answer["category"], answer["is_category_changed"]) == ("marketing", False)


class TestSync:
    def test_all_pages_are_read_and_a_bad_one_costs_only_itself(self, desk, meta, world):
        for number in range(205):
            meta.put(f"modello_{number:03}")
        broken = meta.has("modello_150")
        meta.world.registry.note(broken, components=[{"type": "CAROUSEL"}])

        report = desk.sync().json

        assert (report["listed"], report["imported"], report["failed_with"]) == (205, 204, None)
        assert report["unread"] == [
            {"name": "modello_150", "language": "it", "reason": "unsupported_component: carousel"}
        ]
        assert len(desk.client.get("/v1/templates?sender=shop", headers=DESK).json["items"]) == 204

    def test_what_is_imported_can_be_used_and_the_next_reading_tells_nobody(self, meta, world, client):
        meta.put("ordine_pronto")
        desk = Desk(client, name="ordine_pronto")

        desk.sync()
        before = world.client.xlen("events:{default}")
        second = desk.sync().json

        assert (desk.status(), desk.ask("GET").json["source"]) == ("approved", "own")
        assert (second["imported"], second["changed"]) == (0, 0)
        assert world.client.xlen("events:{default}") == before

    def test_a_webhook_newer_than_the_reading_is_not_undone(self, approved, meta, world):
        listed = meta.has("conferma_ordine")
        told = _status(TemplateStatus.PAUSED, at=world.clock.now())
        world.deps.recorder.record([(world.deps.sender("shop"), told)], now=world.clock.now())

        approved.sync()

        assert listed.status == "APPROVED"
        assert approved.status() == "paused"

    def test_what_the_list_does_not_name_stays(self, approved, meta, world):
        meta.world.drop_template(meta.has("conferma_ordine"))
        world.clock.advance(timedelta(seconds=5))

        approved.sync()

        assert approved.status() == "approved"

    def test_what_was_deleted_since_the_list_was_asked_for_stays_deleted(self, approved, meta, world):
        sender, asked_at = world.deps.sender("shop"), world.clock.now()
        page = world.deps.meta_templates["shop"].page()
        world.clock.advance(timedelta(seconds=1))
        approved.ask("DELETE")

        report = SyncReport(started_at=asked_at, ended_at=asked_at)
        word = adopt(world.deps, sender, page.templates[0], None, report)

        assert word == "gone"
        assert approved.ask("GET").status_code == 404

    def test_a_list_that_cannot_be_read_says_why(self, desk, client, meta):
        meta.world.put_accounts([])
        meta.world._accounts.clear()

        report = desk.sync().json
        (shown,) = client.get("/v1/templates/sync", headers=DESK).json["items"]

        assert report["failed_with"] == "190"
        assert "token" in report["advice"]
        assert (shown["failed_with"], shown["complete_at"]) == ("190", None)

    def test_at_cm_there_is_no_list(self, client):
        answer = client.post("/v1/templates/sync?sender=negozio", headers=DESK)

        assert (answer.status_code, answer.json["code"]) == (422, "unsupported_by_provider")


class TestSchedule:
    def test_one_worker_rings_for_an_account_once_in_a_quarter_of_an_hour(self, world):
        rung = []
        workers = [Upkeep(world.deps, ring_for_templates=rung.append) for _ in range(3)]

        for _ in range(10):
            for worker in workers:
                worker.beat("default")
            world.clock.advance(timedelta(minutes=1))

        assert [sender.alias for sender in rung] == ["shop"]


class TestAlerts:
    @pytest.fixture
    def told(self, world, submitted):
        """Records what a webhook says, twice, and answers what on-call hears."""
        world.deps.recorder.record([(world.deps.sender("shop"), _approved())], now=NOW)
        door = create_receiver(world.deps).test_client()

        def tell(field: str, **value: object) -> list[dict]:
            named = {"message_template_name": "conferma_ordine", "message_template_language": "it"}
            change = {"field": field, "value": {**named, **value}}
            entry = {"id": ACCOUNT, "time": int(NOW.timestamp()) + 2, "changes": [change]}
            body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
            with structlog.testing.capture_logs() as logs:
                for _ in range(2):
                    assert post_meta(door, body).status_code == 200
            return [line for line in logs if line["log_level"] == "error"]

        return tell

    def test_a_template_that_stops_is_told_once(self, told, submitted):
        title = {"title": "SECOND_PAUSE", "description": "6 hours"}

        (line,) = told("message_template_status_update", event="PAUSED", reason="NONE", other_info=title)

        stop = submitted.ask("GET").json["stop"]
        assert (line["event"], line["template"]) == (LogEvent.TEMPLATE_STOPPED, "conferma_ordine/it")
        assert (line["status"], line["reason"]) == ("paused", "SECOND_PAUSE")
        assert stop == {"reason": "SECOND_PAUSE", "by": "whatsapp", "until": "2086-11-22T18:00:02.000Z"}

    def test_another_category_is_told_once_and_counted(self, told, world):
        (line,) = told("template_category_update", previous_category="UTILITY", new_category="MARKETING")

        assert (line["event"], line["category"]) == (LogEvent.TEMPLATE_RELABELLED, "marketing")
        assert world.client.hget("counters:{default}", "templates_relabelled_total:marketing") == "1"

    @pytest.mark.parametrize(
        ("field", "name", "is_soon"),
        [
            ("message_template_components_update", "conferma_ordine", True),
            ("message_template_status_update", "mai_visto", True),
            ("message_template_status_update", "conferma_ordine", False),
        ],
    )
    def test_the_list_is_read_soon_after_what_is_half_told(self, told, world, field, name, is_soon):
        rung = []
        worker = Upkeep(world.deps, ring_for_templates=rung.append)
        worker.beat("default")

        told(field, event="APPROVED", message_template_name=name, message_template_element="Ciao.")
        world.clock.advance(timedelta(minutes=1))
        worker.beat("default")

        assert len(rung) == (2 if is_soon else 1)


class TestCategory:
    @pytest.mark.parametrize(("policy", "status"), [("stop", "refused"), ("continue", "submitted")])
    def test_policy_says_whether_a_re_labelled_template_goes_on(self, any_redis, meta, policy, status):
        allowed = {"promotional_content": PromotionalContent.ALLOW}
        chosen = meta.configuration(stop_on_category_change=policy == "stop", **allowed)
        world = World(any_redis, configuration=chosen)
        desk = Desk(create_api(world.deps).test_client(), name="ordine_pronto")
        desk.register(name="ordine_pronto", body="Ciao {1}, il tuo ordine {2} è pronto.")
        desk.ask("POST", "/submit")
        meta.decide("ordine_pronto", "APPROVED", category="MARKETING")
        world.clock.advance(timedelta(seconds=5))
        desk.sync()
        sender = world.deps.sender("shop")
        world.deps.contacts.set_consent(sender, ANNA, opt_in(), [Category.MARKETING], now=NOW)
        accepted = Stores(any_redis).accept(sender, content=None, templates=(call(),))

        drain(world)

        record = world.deps.messages.get("default", accepted.message_id)
        assert record.state == status


def _approved():
    return replace(_status(None, at=NOW + timedelta(seconds=1)), approval=Approval.APPROVED, until=None)


def _status(stopped: TemplateStatus | None, at=NOW):
    return TemplateStatusChanged(
        account=ACCOUNT,
        name="conferma_ordine",
        language="it",
        approval=None,
        stopped=stopped,
        reason="FIRST_PAUSE",
        until=at + timedelta(hours=3),
        at=at,
    )
