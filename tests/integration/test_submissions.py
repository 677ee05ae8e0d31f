"""The Celery door: it accepts what HTTP would, lists what it refuses, and loses nothing meanwhile."""

import json
import threading

import pytest
import structlog
from celery.exceptions import Reject
from kombu import Connection, Exchange, Queue

from shared.configuration import Configuration
from shared.domain.identifiers import MessageId
from shared.errors import StoreUnavailableError
from shared.queues import SUBMIT, make_celery, make_door_celery
from tests.builders import ANNA, NOW, World, app, cm_sender, meta_sender, settings, template
from tests.door import DESK, ORDERS
from webhook.api.app import create_api
from workers.door import is_submission, text_of
from workers.submissions import Handed, Submissions
from workers.tasks import register_submit

SUBMISSIONS = "/v1/submissions"
REQUEST = {"to": ANNA.value, "sender": "shop", "text": "Ciao Anna, il tuo ordine 991 è pronto."}


def handed(task_id="task-1", *arguments, **named) -> Handed:
    return Handed(task_id=task_id, arguments=arguments, named={"app": "orders", "request": REQUEST, **named})


def take(world, submission: Handed) -> str:
    return Submissions(world.deps).take(submission)


def listed(client, **query):
    return client.get(SUBMISSIONS, query_string=query, headers=DESK).json["items"]


def shown(client, entry_id):
    return client.get(f"{SUBMISSIONS}/{entry_id}", headers=DESK).json


def test_a_submission_becomes_a_message_of_its_app(world, client):
    message_id = take(world, handed())

    record = world.deps.messages.get("default", MessageId(message_id))
    assert (record.app, record.request.to, record.state) == ("orders", ANNA, "queued")
    assert world.rung == ["shop"]
    assert listed(client) == []
    assert client.get(f"/v1/messages/{message_id}", headers=ORDERS).status_code == 200


def test_an_app_whose_name_comes_as_a_number_is_that_app_and_its_message_is_not_listed_as_refused(any_redis):
    shop = meta_sender()
    world = World(any_redis, configuration=Configuration(senders={"shop": shop}, apps={"7": app("7")}))

    task_of(Submissions(world.deps))(app=7, request=REQUEST)

    assert world.rung == ["shop"]
    assert world.deps.refused_submissions.count("default") == 0


def test_a_task_that_comes_twice_is_one_message(world):
    assert take(world, handed()) == take(world, handed())
    assert take(world, handed()) != take(world, handed("task-2"))


def test_an_idempotency_key_counts_instead_of_the_tasks_id_and_is_the_same_as_at_http(world, client):
    by_task = take(world, handed(idempotency_key="order-991"))
    by_http = client.post("/v1/messages", json=REQUEST, headers=ORDERS | {"Idempotency-Key": "order-991"})

    assert by_http.json["id"] == by_task == take(world, handed("task-2", idempotency_key="order-991"))


REFUSED = {
    "an unknown app": ({"app": "nobody"}, "unknown_app", "app"),
    "no app": ({"app": None}, "unknown_app", "app"),
    "an app that may not send": ({"app": "reader"}, "scope_missing", "app"),
    "a sender of others": ({"app": "narrow"}, "sender_not_allowed", "request"),
    "no request": ({"request": None}, "invalid_request", "body"),
    "a mistake in the request": ({"request": {**REQUEST, "to": "anna"}}, "invalid_request", "to"),
    "a time that has passed": (
        {"request": {**REQUEST, "expires_at": "2020-01-01T00:00:00Z"}},
        "invalid_request",
        "expires_at",
    ),
    "what the provider cannot": (
        {"request": {**REQUEST, "sender": "negozio", "to": "NL.90011223344"}},
        "unsupported_by_provider",
        "to",
    ),
    "variables that do not fit": (
        {"request": {**REQUEST, "template": {"name": "ordine_pronto", "language": "it", "variables": []}}},
        "template_mismatch",
        "template.variables.1",
    ),
    "no finite number": (
        {"request": {**REQUEST, "expires_in": float("nan")}},
        "invalid_request",
        "expires_in",
    ),
    "half a character": ({"request": {**REQUEST, "text": "\ud800"}}, "not_json", "request"),
    "a key that is none": ({"idempotency_key": 7}, "invalid_request", "idempotency_key"),
    "an argument too many": ({"requests": 1}, "invalid_request", "requests"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused_is_listed_with_what_is_wrong(any_redis, case):
    named, reason, field = REFUSED[case]
    configuration = Configuration(
        senders={"shop": meta_sender(), "negozio": cm_sender()},
        apps={
            "orders": app("orders"),
            "reader": app("reader", ("contacts:read",)),
            "narrow": app("narrow", senders=("negozio",)),
            "desk": app("desk", ("admin",)),
        },
    )
    world = World(any_redis, configuration=configuration)
    world.deps.templates.create("default", template(), nonce="n")
    client = create_api(world.deps).test_client()

    answer = take(world, handed(**named))

    (entry,) = listed(client)
    whole = shown(client, entry["id"])
    assert answer == f"refused: {reason}"
    assert (entry["reason"], entry["at"], entry["cut"]) == (reason, "2086-11-22T12:00:00.000Z", False)
    assert field in whole["errors"]
    assert "raw" not in entry
    assert world.rung == []


def test_positional_arguments_are_refused_and_kept(world, client):
    take(world, Handed(task_id="t", arguments=[REQUEST, "orders"], named={}))

    (entry,) = listed(client)
    assert json.loads(shown(client, entry["id"])["raw"])["args"] == [REQUEST, "orders"]


def test_a_key_of_another_body_is_refused(world, client):
    take(world, handed())
    take(world, handed(request={**REQUEST, "text": "altro"}))

    assert [entry["reason"] for entry in listed(client)] == ["idempotency_key_reused"]


def test_a_refusal_that_comes_twice_is_listed_once(world, client):
    for _ in range(2):
        take(world, handed(app="nobody"))

    assert len(listed(client)) == 1


def test_no_log_line_and_no_list_holds_a_person(world, client):
    with structlog.testing.capture_logs() as lines:
        take(world, handed(app=ANNA.value))
        take(world, handed("task-2", request={**REQUEST, "nome di Anna": 1}))

    told = json.dumps(lines) + json.dumps(listed(client))
    assert [line["event"] for line in lines] == ["submission_refused"] * 2
    assert ANNA.value.strip("+") not in told
    assert "Anna" not in told


def test_it_is_listed_where_its_sender_belongs_and_found_by_any_sender_of_that_business(any_redis):
    senders = {"shop": meta_sender(), "negozio": cm_sender(business="italia")}
    apps = {"desk": app("desk", ("admin",))}
    world = World(any_redis, configuration=Configuration(senders=senders, apps=apps))
    client = create_api(world.deps).test_client()

    take(world, handed(request={**REQUEST, "sender": "negozio"}))

    assert [entry["sender"] for entry in listed(client, sender="negozio")] == ["negozio"]
    assert listed(client, sender="shop") == []
    assert client.get(SUBMISSIONS, headers=DESK).status_code == 422


def test_one_is_removed_for_good(world, client):
    take(world, handed(app="nobody"))
    (entry,) = listed(client)

    assert client.delete(f"{SUBMISSIONS}/{entry['id']}", headers=DESK).json == entry
    assert client.delete(f"{SUBMISSIONS}/{entry['id']}", headers=DESK).status_code == 404
    assert listed(client) == []


def test_pages_and_reasons(world, client):
    for number in range(3):
        take(world, handed(f"task-{number}", app="nobody"))
    take(world, handed("task-9", request=None))

    first = client.get(SUBMISSIONS, query_string={"limit": 2}, headers=DESK).json
    rest = client.get(SUBMISSIONS, query_string={"before": first["next"]}, headers=DESK).json
    assert [e["reason"] for e in first["items"] + rest["items"]] == ["invalid_request"] + ["unknown_app"] * 3
    assert len(listed(client, reason="unknown_app")) == 3
    assert client.get(SUBMISSIONS, headers=ORDERS).status_code == 403


class Broken(Submissions):
    """Raises what it is told to, so many times."""

    def __init__(self, deps, error: Exception, times: int) -> None:
        super().__init__(deps)
        self._error = error
        self._times = times

    def take(self, submission: Handed) -> str:
        if self._times:
            self._times -= 1
            raise self._error
        return super().take(submission)


def task_of(submissions: Submissions):
    celery = make_celery(settings())
    stopping = threading.Event()
    stopping.set()  # it does not wait for a store that is away
    register_submit(celery, submissions, stopping)
    return celery.tasks[SUBMIT]


def test_while_the_store_is_away_a_task_goes_back_to_its_queue(world):
    task = task_of(Broken(world.deps, StoreUnavailableError("away"), times=1))

    with pytest.raises(Reject) as rejected:
        task(app="orders", request=REQUEST, idempotency_key="k")

    assert rejected.value.requeue
    assert task(app="orders", request=REQUEST, idempotency_key="k").startswith("msg_")


def test_what_a_bug_of_ours_cannot_take_is_listed_and_not_told(world, client):
    task = task_of(Broken(world.deps, ValueError(f"secret {ANNA.value}"), times=1))

    assert task(app="orders", request=REQUEST) == "refused: internal_error"
    assert [(e["reason"], e["app"], e["sender"]) for e in listed(client)] == [
        ("internal_error", "orders", "shop")
    ]


def delivered(body, *, serializer="json", **properties):
    """The message as a consumer gets it, over kombu's transport in memory."""
    with Connection("memory://") as connection, connection.channel() as channel:
        queue = Queue("q", Exchange(""), routing_key="q", channel=channel)
        queue.declare()
        queue.purge()
        connection.Producer(channel).publish(body, routing_key="q", serializer=serializer, **properties)
        return queue.get(no_ack=True, accept=["json"])


OURS = {"task": SUBMIT, "id": "task-1"}


@pytest.mark.parametrize(
    ("message", "is_ours"),
    [
        ({"body": [[], {"app": "orders"}, {}], "headers": OURS}, True),
        ({"body": {"task": SUBMIT, "id": "task-1", "args": [], "kwargs": {}}}, True),
        ({"body": [[], {}, {}], "headers": {"task": "outbound.drain", "id": "1"}}, False),
        ({"body": [[], {}, {}], "headers": {"task": SUBMIT}}, False),
        ({"body": REQUEST, "headers": OURS}, False),
        ({"body": [REQUEST], "headers": OURS}, False),
        ({"body": REQUEST}, False),
        ({"body": [[], {}, {}], "headers": OURS, "serializer": "pickle"}, False),
        ({"body": b"{", "headers": OURS, "serializer": None, "content_type": "application/json",
          "content_encoding": "utf-8"}, False),
        ({"body": b"\xff", "headers": OURS, "serializer": None, "content_type": "application/json",
          "content_encoding": "no-such"}, False),
    ],
)  # fmt: skip
def test_only_what_celery_can_read_and_is_our_task_is_a_submission(message, is_ours):
    assert is_submission(delivered(**message)) is is_ours


def test_what_is_none_is_kept_as_it_came():
    message = delivered(b"{", serializer=None, content_type="application/json", content_encoding="utf-8")

    assert text_of(message) == "{"


def test_the_doors_worker_acknowledges_shows_nothing_and_listens_to_its_queue_alone():
    conf = make_door_celery(settings()).conf

    assert conf.broker_transport_options["ack_emulation"] is True
    assert conf.task_acks_late is True
    assert conf.worker_send_task_events is False
    assert conf.worker_enable_remote_control is False
    assert [queue.name for queue in conf.task_queues] == [SUBMIT]
    assert SUBMIT not in [queue.name for queue in make_celery(settings()).conf.task_queues]


def test_the_clock_of_a_refusal_is_ours(world, client):
    take(world, handed(app="nobody"))

    assert listed(client)[0]["at"].startswith(NOW.date().isoformat())
