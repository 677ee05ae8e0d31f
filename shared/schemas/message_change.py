"""What people ask to be done with messages: one by one, or with all that fits a filter."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from marshmallow import ValidationError, fields, post_load, validate, validates_schema

from shared.domain.message import BY_HAND, MessageState
from shared.schemas.message_list import MAX_REFERENCE_LENGTH
from shared.schemas.message_request import MAX_EXPIRY
from shared.schemas.strict import AnswerSchema, RequestSchema

MOST_AT_ONCE = 1_000
_FILTERS = ("app", "state", "reason", "reference", "sender", "code")
CANCELLED_FROM = frozenset(s for s, targets in BY_HAND.items() if MessageState.CANCELLED in targets)
RETRIED_FROM = frozenset(s for s, targets in BY_HAND.items() if MessageState.QUEUED in targets)

RETRY_EXAMPLE: Mapping[str, Any] = {"expires_in": 3600, "accept_duplicate": False}
RESOLVE_EXAMPLE: Mapping[str, Any] = {"outcome": "failed"}
BULK_CANCEL_EXAMPLE: Mapping[str, Any] = {"reference": "campaign-7", "dry_run": True}
BULK_RETRY_EXAMPLE: Mapping[str, Any] = {"state": ["failed"], "reason": "tries_exhausted"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkChange:
    """What to do it with: all that fits, a part a call."""

    app: str | None
    states: frozenset[MessageState]
    reason: str | None
    reference: str | None
    sender: str | None
    code: str | None
    limit: int
    after: str | None
    dry_run: bool
    expires_in: timedelta | None = None
    accept_duplicate: bool = False

    def named(self) -> dict[str, Any]:
        """The filter as it is kept in the audit: what was named, and no person."""
        words = {name: getattr(self, name) for name in ("app", "reason", "reference", "sender", "code")}
        named = {name: word for name, word in words.items() if word is not None}
        return {"state": sorted(state.value for state in self.states), **named}


def _expires_in() -> fields.Integer:
    return fields.Integer(
        strict=True,
        load_default=None,
        validate=validate.Range(min=1, max=int(MAX_EXPIRY.total_seconds())),
        metadata={"description": "Seconds from now: a new time; needed where the old one has passed."},
    )


def _accept_duplicate() -> fields.Boolean:
    return fields.Boolean(
        load_default=False,
        metadata={"description": "One in doubt may have arrived: send it again even so."},
    )


class RetrySchema(RequestSchema):
    expires_in = _expires_in()
    accept_duplicate = _accept_duplicate()

    @post_load
    def _make(self, values: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
        seconds = values["expires_in"]
        return {**values, "expires_in": None if seconds is None else timedelta(seconds=seconds)}


class ResolveSchema(RequestSchema):
    outcome = fields.String(
        required=True,
        validate=validate.OneOf(["submitted", "delivered", "failed"]),
        metadata={"description": "The provider took it, the contact has it, or it never went."},
    )


class _BulkSchema(RequestSchema):
    app = fields.String(load_default=None, metadata={"description": "For an admin: only this app's."})
    state = fields.List(fields.Enum(MessageState, by_value=True), load_default=list)
    reason = fields.String(load_default=None)
    reference = fields.String(load_default=None, validate=validate.Length(min=1, max=MAX_REFERENCE_LENGTH))
    sender = fields.String(load_default=None)
    code = fields.String(load_default=None)
    limit = fields.Integer(
        strict=True,
        load_default=500,
        validate=validate.Range(min=1, max=MOST_AT_ONCE),
        metadata={"description": "At most so many in this call."},
    )
    after = fields.String(load_default=None, metadata={"description": "`next` of the call before."})
    dry_run = fields.Boolean(load_default=False, metadata={"description": "Only count."})

    @validates_schema(skip_on_field_errors=True)
    def _check_filter(self, values: dict[str, Any], **kwargs: Any) -> None:
        if not any(values[name] for name in _FILTERS):
            raise ValidationError(f"say which: at least one of {', '.join(_FILTERS)}")


class BulkCancelSchema(_BulkSchema):
    @post_load
    def _make(self, values: dict[str, Any], **kwargs: Any) -> BulkChange:
        asked = frozenset(values.pop("state"))
        _refuse_others(asked, CANCELLED_FROM)
        return BulkChange(states=asked or CANCELLED_FROM, **values)


class BulkRetrySchema(_BulkSchema):
    expires_in = _expires_in()
    accept_duplicate = _accept_duplicate()

    @post_load
    def _make(self, values: dict[str, Any], **kwargs: Any) -> BulkChange:
        """Without states: all that the body allows to be sent again."""
        asked, seconds = frozenset(values.pop("state")), values.pop("expires_in")
        _refuse_others(asked, RETRIED_FROM)
        if MessageState.UNKNOWN in asked and not values["accept_duplicate"]:
            raise ValidationError({"accept_duplicate": ["needed for what is unknown: it may arrive twice"]})
        if MessageState.EXPIRED in asked and seconds is None:
            raise ValidationError({"expires_in": ["needed for what has expired"]})
        needless = set() if values["accept_duplicate"] else {MessageState.UNKNOWN}
        needless |= {MessageState.EXPIRED} if seconds is None else set()
        expires_in = None if seconds is None else timedelta(seconds=seconds)
        return BulkChange(states=asked or RETRIED_FROM - needless, expires_in=expires_in, **values)


def _refuse_others(asked: frozenset[MessageState], allowed: frozenset[MessageState]) -> None:
    if asked - allowed:
        raise ValidationError({"state": [f"only {', '.join(sorted(allowed))}"]})


class BulkAnswerSchema(AnswerSchema):
    matched = fields.Integer(required=True, metadata={"description": "Looked at in this call and fitting."})
    done = fields.Integer(required=True, metadata={"description": "Of these; 0 in a dry run."})
    refused = fields.Dict(
        required=True,
        metadata={
            "description": "How many were not done, by why.",
            "additionalProperties": {"type": "integer"},
        },
    )
    next = fields.String(
        required=True, allow_none=True, metadata={"description": "For `after`: there is more to look at."}
    )
