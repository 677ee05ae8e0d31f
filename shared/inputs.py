"""What a decision looked at, as it is stored, and back: the stored inputs give the same route again.

Times, statuses and yes or no only: no text, no number, no name of a person. Of the content stands its kind,
of a template's variables whether they fit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared.clock import rfc3339
from shared.domain.consent import Category, Consent, ConsentRecord, ConsentStatus
from shared.domain.identifiers import ContactId
from shared.domain.message import MessageRequest, WhenClosed, WhenOpen
from shared.domain.routes import Route, RouteKind
from shared.domain.routing import Facts, TemplatePolicy, decide
from shared.domain.session_content import Text
from shared.domain.template_call import TemplateCall
from shared.domain.template_parts import TemplateContent
from shared.domain.templates import Approval, Gate, Template, TemplateId, TemplateStatus
from shared.domain.window import Window
from shared.store.contents import kind_of

#: Stand for what is not stored; `decide` asks only whether there is one, and how it is named.
_SOME_CONTENT = Text("…")
_SOME_MESSAGE = "msg_0"
_SOME_NUMBER = ContactId("+10000000000")
_SOME_ID = ContactId("XX.0")


def inputs_of(request: MessageRequest, facts: Facts) -> dict[str, Any]:
    """All that `decide` looks at; a test holds that nothing is left out."""
    return {
        "window": _window(facts),
        "consent": {
            category: {"status": record.status, "at": rfc3339(record.at)}
            for category, record in facts.consent.records.items()
        },
        "last_inbound_at": _time(facts.last_inbound_at),
        "templates": [
            _template(call, template)
            for call, template in zip(request.templates, facts.templates, strict=True)
        ],
        "template_policy": {
            "refused": sorted(facts.template_policy.refused),
            "stop_on_change": facts.template_policy.stop_on_change,
        },
        "sender": {"halted": sorted(facts.halted_kinds)},
        "contact": {
            "addressed_by": "id" if request.to.phone_number is None else "number",
            "is_number_known": facts.is_number_known,
            "is_number_given_up": facts.is_number_given_up,
            "capped_until": {c: rfc3339(until) for c, until in facts.capped_until.items()},
        },
        "limits": {
            "messaging_until": _time(facts.messaging_limit_until),
            "pair_until": _time(facts.pair_limit_until),
            "sender_until": _time(facts.sender_limit_until),
        },
        "is_nudge": request.nudge_for is not None,
        "confirms_opt_out_at": _time(request.confirms_opt_out_at),
        "has_nudge_failed": facts.has_nudge_failed,
        "content": None if request.content is None else kind_of(request.content),
        "expires_at": rfc3339(request.expires_at),
        "category": request.category,
        "when_open": request.when_open,
        "when_closed": request.when_closed,
    }


def replay(route: Mapping[str, Any]) -> Route:
    """Decide again on a stored route's own inputs: the same kind, rule, template and time must come out."""
    inputs = route["inputs"]
    return decide(_load_request(inputs), _load_facts(inputs, _moment(route["decided_at"])))


def _window(facts: Facts) -> dict[str, Any]:
    window = facts.window
    return {
        "open": window.is_open(facts.now),
        "last_inbound_at": _time(window.last_inbound_at),
        "expires_at": _time(window.expires_at),
        "refused_at": _time(window.refused_at),
        "margin_seconds": facts.margin.total_seconds(),
    }


def _template(call: TemplateCall, template: Template | None) -> dict[str, Any] | None:
    if template is None:
        return None
    return {
        "name": template.id.name,
        "language": template.id.language,
        "status": template.status,
        "category": template.category,
        "is_category_changed": template.is_category_changed,
        "gates": dict(template.gates),
        "variables_fit": call.fits(template),
        "goes_as_text": template.as_session_text(call) is not None,
    }


def _time(moment: datetime | None) -> str | None:
    return rfc3339(moment) if moment else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _SeenTemplate(Template):
    """A template of which only the verdicts were stored."""

    seen: Mapping[str, Any]

    @property
    def status(self) -> TemplateStatus:
        return TemplateStatus(self.seen["status"])

    @property
    def is_category_changed(self) -> bool:
        return bool(self.seen["is_category_changed"])

    def as_session_text(self, call: TemplateCall) -> str | None:  # noqa: ARG002 - what it said is not stored
        return "…" if self.seen["goes_as_text"] else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _SeenCall(TemplateCall):
    is_fitting: bool

    def fits(self, content: TemplateContent) -> bool:  # noqa: ARG002 - the values are not stored
        return self.is_fitting


def _load_request(inputs: Mapping[str, Any]) -> MessageRequest:
    by_number = inputs["contact"]["addressed_by"] == "number"
    return MessageRequest(
        to=_SOME_NUMBER if by_number else _SOME_ID,
        sender="",
        content=None if inputs["content"] is None else _SOME_CONTENT,
        templates=tuple(_load_call(seen) for seen in inputs["templates"]),
        category=Category(inputs["category"]),
        when_open=WhenOpen(inputs["when_open"]),
        when_closed=WhenClosed(inputs["when_closed"]),
        nudge_for=_SOME_MESSAGE if inputs["is_nudge"] else None,
        confirms_opt_out_at=_load_time(inputs.get("confirms_opt_out_at")),
        expires_at=_moment(inputs["expires_at"]),
    )


def _load_facts(inputs: Mapping[str, Any], now: datetime) -> Facts:
    contact, limits, policy = inputs["contact"], inputs["limits"], inputs["template_policy"]
    return Facts(
        now=now,
        window=_load_window(inputs["window"]),
        margin=timedelta(seconds=inputs["window"]["margin_seconds"]),
        consent=_load_consent(inputs["consent"]),
        last_inbound_at=_load_time(inputs["last_inbound_at"]),
        templates=tuple(_load_template(seen) for seen in inputs["templates"]),
        template_policy=TemplatePolicy(
            refused=frozenset(map(Category, policy["refused"])), stop_on_change=policy["stop_on_change"]
        ),
        capped_until={Category(c): _moment(until) for c, until in contact["capped_until"].items()},
        halted_kinds=frozenset(map(RouteKind, inputs["sender"]["halted"])),
        messaging_limit_until=_load_time(limits["messaging_until"]),
        pair_limit_until=_load_time(limits["pair_until"]),
        sender_limit_until=_load_time(limits["sender_until"]),
        is_number_known=contact["is_number_known"],
        is_number_given_up=contact["is_number_given_up"],
        has_nudge_failed=inputs["has_nudge_failed"],
    )


def _load_window(seen: Mapping[str, Any]) -> Window:
    last, expires_at = _load_time(seen["last_inbound_at"]), _load_time(seen["expires_at"])
    if last is None or expires_at is None:
        return Window(refused_at=_load_time(seen["refused_at"]))
    return Window(last_inbound_at=last, refused_at=_load_time(seen["refused_at"]), length=expires_at - last)


def _load_consent(seen: Mapping[str, Any]) -> Consent:
    return Consent(
        {
            Category(category): ConsentRecord(
                status=ConsentStatus(record["status"]), at=_moment(record["at"]), source="stored"
            )
            for category, record in seen.items()
        }
    )


def _load_call(seen: Mapping[str, Any] | None) -> TemplateCall:
    name, language = (seen["name"], seen["language"]) if seen else ("", "")
    is_fitting = bool(seen and seen["variables_fit"])
    return _SeenCall(name=name, language=language, values={}, is_fitting=is_fitting)


def _load_template(seen: Mapping[str, Any] | None) -> Template | None:
    if seen is None:
        return None
    return _SeenTemplate(
        id=TemplateId("", seen["name"], seen["language"]),
        category=Category(seen["category"]),
        body="",
        gates={Gate(gate): Approval(decision) for gate, decision in seen["gates"].items()},
        reasons={},
        seen=seen,
    )


def _load_time(text: str | None) -> datetime | None:
    return None if text is None else _moment(text)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
