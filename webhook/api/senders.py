"""`/v1/senders`: how each of our numbers stands, and how a hand halts one or lets it go on."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

from shared.clock import rfc3339
from shared.configuration import AnySender
from shared.domain.halts import Halt
from shared.observability import LogEvent, get_logger
from shared.problems import Code
from shared.schemas.sender import HaltSchema, SenderListSchema, SenderSchema
from shared.store.senders import SenderState
from webhook.api.auth import own_senders, sender_of_address
from webhook.api.blueprint import Blueprint
from webhook.api.context import caller, deps
from webhook.api.deeds import note_deed

blueprint = Blueprint("senders", __name__, description="Our WhatsApp Business numbers.")
_PROBLEMS = (Code.UNKNOWN_SENDER, Code.SENDER_NOT_ALLOWED)


@blueprint.route("/v1/senders")
@blueprint.guarded()
@blueprint.response(HTTPStatus.OK, SenderListSchema())
def list_senders() -> dict[str, Any]:
    """List the senders that the key may use."""
    return {"items": [_view(sender) for sender in own_senders()], "next": None}


@blueprint.route("/v1/senders/<alias>/halt", methods=["POST"])
@blueprint.guarded("admin", problems=_PROBLEMS)
@blueprint.body(HaltSchema(), example={"why": "The number is being moved."})
@blueprint.response(HTTPStatus.OK, SenderSchema())
def halt_sender(values: dict[str, Any], alias: str) -> dict[str, Any]:
    """Stop sending from a number, all or one kind; what is queued stays and waits."""
    sender = sender_of_address(alias)
    deps().senders.halt(
        sender, values["why"], now=deps().clock.now(), kind=values["kind"], until=values["until"]
    )
    until = _time(values["until"])
    note_deed(
        sender.business,
        "sender.halt",
        details={"sender": sender.alias, "kind": values["kind"], "until": until},
    )
    get_logger().warning(
        LogEvent.SENDER_HALTED, sender=sender.alias, kind=values["kind"], app=caller().name, by="hand"
    )
    return _view(sender)


@blueprint.route("/v1/senders/<alias>/resume", methods=["POST"])
@blueprint.guarded("admin", problems=_PROBLEMS)
@blueprint.response(HTTPStatus.OK, SenderSchema())
def resume_sender(alias: str) -> dict[str, Any]:
    """Let a number go on with what is queued, whoever halted it; a provider that was down is tried."""
    sender = sender_of_address(alias)
    deps().senders.resume(sender, now=deps().clock.now())
    note_deed(sender.business, "sender.resume", details={"sender": sender.alias})
    get_logger().warning(LogEvent.SENDER_RESUMED, sender=sender.alias, app=caller().name, by="hand")
    deps().ring(sender)
    return _view(sender)


def _view(sender: AnySender) -> dict[str, Any]:
    state, now = deps().senders.get(sender), deps().clock.now()
    return {
        "alias": sender.alias,
        "provider": sender.provider,
        "number": sender.number.value,
        "business": sender.business,
        "account": sender.account,
        **_standing(state, now),
        "halts": [_halt(halt) for halt in state.live_halts(now)],
        "paused_until": _time(state.paused_until) if state.is_paused(now) else None,
        "circuit": {
            "state": "open" if state.circuit.is_open else "closed",
            "failures": state.circuit.failures,
            "why": state.circuit.why,
            "since": _time(state.circuit.since),
            "next_try_at": _time(state.circuit.next_try_at),
        },
        "limits": _limits(sender),
    }


def _limits(sender: AnySender) -> dict[str, Any]:
    used = deps().limits.used(sender, now=deps().clock.now())
    return {
        "throughput_per_second": sender.throughput_per_second,
        "window_margin_seconds": sender.window_margin.total_seconds(),
        "pair_interval_seconds": sender.pair_interval.total_seconds(),
        "pair_burst": sender.pair_burst,
        "messaging_limit_per_day": sender.messaging_limit_per_day,
        "portfolio": sender.portfolio,
        "used": {
            "throughput": round(used.throughput, 3),
            "messaging": used.messaging,
            "messaging_until": rfc3339(used.messaging_until) if used.messaging_until else None,
        },
    }


def _standing(state: SenderState, now: datetime) -> dict[str, Any]:
    """In one word: what stops everything first, a halt or a provider that is down."""
    halt = state.whole_halt(now)
    if halt is not None:
        return {
            "state": "halted",
            "why": halt.why,
            "since": _time(halt.since),
            "until": _time(halt.until),
        }
    circuit = state.circuit
    if circuit.is_open:
        why = f"The provider does not answer ({circuit.why}); one message tries now and then."
        return {"state": "away", "why": why, "since": _time(circuit.since), "until": None}
    return {"state": "active", "why": None, "since": None, "until": None}


def _halt(halt: Halt) -> dict[str, Any]:
    return {
        "kind": halt.kind,
        "by": halt.source,
        "code": halt.code or None,
        "scope": halt.scope,
        "why": halt.why,
        "since": _time(halt.since),
        "until": _time(halt.until),
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else rfc3339(moment)
