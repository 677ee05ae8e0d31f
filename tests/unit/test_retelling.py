"""A message's life in sentences: every state and every reason says where it stands and what can be done."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from shared.clock import to_ms
from shared.decision import describe
from shared.domain.identifiers import MessageId
from shared.domain.message import InDoubt, MessageState
from shared.domain.retry import ErrorClass
from shared.domain.routes import Rule
from shared.domain.routing import Facts, decide
from shared.domain.window import CLOSED, Window
from shared.retelling import ADVICE, REASONS, retell
from shared.store.claims import Outcome
from shared.store.message_record import MessageRecord
from tests.builders import ANNA, NOW, request

ROOT = Path(__file__).resolve().parents[2]
MINUTE = timedelta(minutes=1)
ASKED = request()
SEEN = Facts(now=NOW, window=Window(last_inbound_at=NOW), margin=MINUTE, templates=(None,))
SESSION = describe(decide(ASKED, SEEN), ASKED, SEEN)
SEEN_CLOSED = Facts(now=NOW + MINUTE, window=CLOSED, margin=MINUTE, templates=(None,))
REFUSED = describe(decide(ASKED, SEEN_CLOSED), ASKED, SEEN_CLOSED)
THROTTLED = {"code": "130429", "class": "throttle", "detail": "SEGRETO", "advice": "Slow down."}

#: Where it stands, and what of it must be said.
STANDINGS = {
    MessageState.QUEUED: "waits for its turn",
    MessageState.SENDING: "under way to the provider since 2086-11-22T12:01:00.000Z",
    MessageState.SUBMITTED: "has had it since 2086-11-22T12:01:00.000Z",
    MessageState.SENT: "WhatsApp has sent it",
    MessageState.DELIVERED: "It reached the contact",
    MessageState.READ: "The contact has read it",
    MessageState.PLAYED: "The contact has played it",
    MessageState.HELD: "held until the contact writes to shop, or else expires at 2086-11-23T12:00:00.000Z",
    MessageState.DEFERRED: "deferred until 2086-11-22T12:05:00.000Z",
    MessageState.UNKNOWN: "never repeated by itself",
    MessageState.FAILED: "It failed at 2086-11-22T12:01:00.000Z",
    MessageState.REFUSED: "It was refused at 2086-11-22T12:01:00.000Z",
    MessageState.EXPIRED: "It expired at 2086-11-22T12:01:00.000Z",
    MessageState.CANCELLED: "It was cancelled at 2086-11-22T12:01:00.000Z",
}


def record(**changes: object) -> MessageRecord:
    values = {
        "id": MessageId.from_ulid("0" * 26),
        "app": "orders",
        "state": MessageState.QUEUED,
        "state_at": NOW + MINUTE,
        "request": ASKED,
        "accepted_at": NOW,
        "reason": None,
        "route": None,
        "attempts": (),
        "timeline": (),
        "pricing": None,
        "provider_message_id": None,
        "not_before": None,
    }
    return MessageRecord(**{**values, **changes})


def attempt(number: int = 1, **changes: object) -> dict[str, object]:
    return {"number": number, "started_at": to_ms(NOW), "route": SESSION, **changes}


def test_every_state_has_its_case():
    assert set(STANDINGS) == set(MessageState)


@pytest.mark.parametrize("state", MessageState)
def test_every_state_says_where_it_stands(state):
    told = retell(record(state=state, not_before=NOW + 5 * MINUTE))

    assert told[0].startswith("Accepted at 2086-11-22T12:00:00.000Z from the app orders for the sender shop")
    assert STANDINGS[state] in told[-1]


@pytest.mark.parametrize("rule", Rule)
@pytest.mark.parametrize("state", [MessageState.REFUSED, MessageState.DEFERRED, MessageState.HELD])
def test_every_rule_says_what_can_be_done(state, rule):
    assert retell(record(state=state, reason=rule.value))[-1] == ADVICE[rule]


def written_reasons() -> set[str]:
    """The reasons that code of ours gives to messages, beside rules."""
    sources = [ROOT / "shared/domain/retry.py", *(ROOT / "workers").glob("*.py")]
    python = "".join(path.read_text() for path in sources if path.stem != "callbacks")
    scripts = [path for path in (ROOT / "shared/store/lua").rglob("*.lua") if "callback" not in path.stem]
    lua = "".join(path.read_text() for path in scripts)
    found = re.findall(r'(?:reason[:=] ?(?:str = )?|GiveUp\()"([a-z_]+)"', python)
    set_here = "".join(line for line in lua.splitlines() if "HDEL" not in line)
    found += re.findall(r"'reason', '([a-z_]+)'", set_here)
    found += re.findall(r"fail\(id, sender, contact, '([a-z_]+)'", lua)
    return set(found)


def test_the_reasons_are_found():
    assert {"worker_lost", "internal_error", "tries_exhausted", "provider_error"} <= written_reasons()


@pytest.mark.parametrize("reason", sorted(written_reasons() - {rule.value for rule in Rule}))
def test_every_reason_says_what_can_be_done(reason):
    assert retell(record(state=MessageState.FAILED, reason=reason))[-1] == REASONS[reason]


def test_a_reason_that_nobody_foresaw_is_told_by_its_name():
    assert "moon_phase" in retell(record(state=MessageState.FAILED, reason="moon_phase"))[-1]


def test_an_attempt_says_why_it_went_that_way_and_what_the_provider_said():
    ended = attempt(outcome="deferred", ended_at=to_ms(NOW + MINUTE), error=THROTTLED)
    told = retell(record(state=MessageState.DEFERRED, attempts=(ended,), route=SESSION))

    assert told[1] == f"Attempt 1 began at 2086-11-22T12:00:00.000Z as session: {SESSION['explanation']}"
    assert told[2] == (
        "It did not go through, but may at a later try: 2086-11-22T12:01:00.000Z "
        "(throttle, code 130429). Slow down."
    )


@pytest.mark.parametrize(
    "outcome", [o for o in Outcome if o in ("submitted", "failed", "deferred", "unknown", "window_refused")]
)
def test_every_end_of_an_attempt_has_its_words(outcome):
    told = retell(record(attempts=(attempt(outcome=outcome.value),)))

    assert "It ended as" not in told[2]
    assert told[2].endswith(".")


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (MessageState.SENDING, "How it ended is not recorded yet."),
        (MessageState.DELIVERED, "The provider took it, as its report shows; its answer was not recorded."),
        (MessageState.READ, "The provider took it, as its report shows; its answer was not recorded."),
        (MessageState.FAILED, "The provider reported that it failed; its answer was not recorded."),
    ],
)
def test_an_attempt_whose_worker_died_ended_as_the_provider_says(state, words):
    assert retell(record(state=state, attempts=(attempt(),)))[2] == words


def test_a_late_failure_is_told_as_the_providers_refusal():
    """A status brings an error and no outcome."""
    told = retell(record(state=MessageState.FAILED, attempts=(attempt(error=THROTTLED),)))

    assert told[2].startswith("The provider refused it (throttle, code 130429).")


def test_what_was_decided_after_the_last_attempt_is_told():
    """The window was refused; the second decision sends nothing."""
    refused = attempt(outcome="window_refused", ended_at=to_ms(NOW))
    told = retell(
        record(state=MessageState.REFUSED, attempts=(refused,), route=REFUSED, reason="template_not_approved")
    )

    assert "decided anew" in told[2]
    assert told[3].startswith("Decided at 2086-11-22T12:01:00.000Z: refuse (template_not_approved).")
    assert told[-1] == ADVICE[Rule.TEMPLATE_NOT_APPROVED]


def test_a_decision_that_became_an_attempt_is_told_once():
    told = retell(
        record(state=MessageState.SUBMITTED, attempts=(attempt(outcome="submitted"),), route=SESSION)
    )

    assert sum(SESSION["explanation"] in sentence for sentence in told) == 1


def test_behind_a_halted_sender_it_says_why_the_sender_is_halted():
    told = retell(record(), halted_why="meta error 190: New token.")

    assert told[-2:] == [
        "It waits behind its sender, which is halted: meta error 190: New token.",
        ADVICE[Rule.SENDER_HALTED],
    ]


def test_what_waits_for_a_change_is_given_no_time_that_has_passed():
    told = retell(record(state=MessageState.DEFERRED, reason=Rule.TEMPLATE_PAUSED, not_before=NOW + MINUTE))

    assert "deferred until what it waits for has changed" in told[-2]


@pytest.mark.parametrize("state", [MessageState.QUEUED, MessageState.DEFERRED])
def test_while_the_provider_is_away_it_says_so_and_since_when(state):
    told = retell(record(state=state), away_why="http_503 since 2086-11-22T12:01:00.000Z")

    assert "does not answer (http_503 since 2086-11-22T12:01:00.000Z)" in told[-2]
    assert "goes by itself" in told[-1]


def test_a_doubt_that_may_be_resent_says_when():
    asked = request(in_doubt=InDoubt.RESEND)
    told = retell(record(state=MessageState.UNKNOWN, request=asked, not_before=NOW + MINUTE))

    assert "sent again after 2086-11-22T12:01:00.000Z, as asked for" in told[-1]


@pytest.mark.parametrize("state", MessageState)
def test_no_sentence_holds_a_text_a_number_or_the_providers_words(state):
    ended = attempt(outcome="failed", ended_at=to_ms(NOW), error={**THROTTLED, "class": ErrorClass.PERMANENT})
    told = " ".join(retell(record(state=state, attempts=(ended,), reason="provider_error", route=REFUSED)))

    assert ASKED.content.body not in told
    assert ANNA.value.strip("+") not in told
    assert "SEGRETO" not in told
