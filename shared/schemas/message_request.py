"""A message as an app asks for it: JSON to domain values, with a mend for every mistake.

What depends on the sender and the time waits in a `Draft` until both are known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from shared.configuration import AnySender
from shared.domain.consent import Category
from shared.domain.identifiers import ContactId
from shared.domain.message import InDoubt, MessageRequest, Priority, WhenClosed, WhenOpen
from shared.domain.session_content import Cards, SessionContent, Text
from shared.domain.template_call import TemplateCall
from shared.schemas.cards import MAX_CARDS, CardSchema
from shared.schemas.content import LocationSchema, MediaSchema, ReactionSchema, WhatsAppId
from shared.schemas.interactive import InteractiveSchema
from shared.schemas.strict import Contact, Moment, RequestSchema, Words
from shared.schemas.template_call import TemplateWithAlternatesSchema

MAX_TEXT_LENGTH = 4096
MAX_EXPIRY = timedelta(days=30)
DEFAULT_EXPIRY = timedelta(hours=24)
#: At most one of them goes into a message.
_CONTENTS = ("text", "media", "interactive", "location", "contacts", "reaction")
_PRIORITIES = tuple(priority.name.lower() for priority in Priority)

EXAMPLE: Mapping[str, Any] = {
    "to": "+393331234567",
    "sender": "shop",
    "text": "Ciao Anna, il tuo ordine 991 è pronto.",
    "template": {
        "name": "ordine_pronto",
        "language": "it",
        "variables": ["Anna", "991", "https://ex.it/991"],
    },
    "category": "utility",
    "when_open": "session",
    "when_closed": "template",
    "priority": "normal",
    "expires_in": 3600,
    "in_doubt": "hold",
    "reference": "order-991",
}


#: Of content, by its field; a message holds one of them.
EXAMPLES: Mapping[str, Any] = {
    "media": {"kind": "document", "link": "https://ex.it/991.pdf", "filename": "Fattura 991.pdf"},
    "interactive": {
        "kind": "buttons",
        "body": "Confermi l'appuntamento di domani alle 9?",
        "footer": "Esempio srl",
        "buttons": [{"id": "yes", "title": "Sì"}, {"id": "no", "title": "No"}],
    },
    "location": {"latitude": 39.2238, "longitude": 9.1217, "name": "Negozio", "address": "Via Roma 1"},
    "contacts": [{"name": {"formatted_name": "Ada Rossi"}, "phones": [{"phone": "+39 333 1234568"}]}],
    "reaction": {"message_id": "wamid.HBgMMzkzMzMxMjM0NTY3FQIAEhg=", "emoji": "👍"},
}


def _example(name: str) -> dict[str, Any]:
    return {"examples": [EXAMPLES[name]]}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What was asked for, before its sender and the time of acceptance are known."""

    to: ContactId
    sender: str | None
    content: SessionContent | None
    #: WhatsApp's id of the message that `content` quotes.
    reply_to: str | None
    templates: tuple[TemplateCall, ...]
    category: Category
    #: None: as the sender is configured.
    when_open: WhenOpen | None
    when_closed: WhenClosed
    priority: Priority
    expires_in: timedelta | None
    expires_at: datetime | None
    in_doubt: InDoubt
    reference: str | None

    def expiry(self, accepted_at: datetime) -> datetime:
        return self.expires_at or accepted_at + (self.expires_in or DEFAULT_EXPIRY)

    def mistakes(self, now: datetime) -> dict[str, list[str]]:
        """What is wrong with it by this clock, by field."""
        if self.expiry(now) <= now:
            return {"expires_at": ["must be in the future"]}
        if self.expiry(now) > now + MAX_EXPIRY:
            return {"expires_at": [f"at most {MAX_EXPIRY.days} days from now"]}
        return {}

    def request(self, sender: AnySender, accepted_at: datetime) -> MessageRequest:
        # A sender that prefers templates still sends the text of a request that has none.
        default = sender.when_open if self.templates else WhenOpen.SESSION
        return MessageRequest(
            to=self.to,
            sender=sender.alias,
            content=self.content,
            reply_to=self.reply_to,
            templates=self.templates,
            category=self.category,
            when_open=self.when_open or default,
            when_closed=self.when_closed,
            priority=self.priority,
            in_doubt=self.in_doubt,
            reference=self.reference,
            expires_at=self.expiry(accepted_at),
        )


class MessageRequestSchema(RequestSchema):
    to = Contact(required=True, metadata={"description": "A number or a business-scoped user id."})
    sender = fields.String(
        load_default=None, metadata={"description": "May be left out when the key may use exactly one."}
    )
    text = Words(MAX_TEXT_LENGTH, load_default=None)
    media = fields.Nested(MediaSchema(), load_default=None, metadata=_example("media"))
    interactive = fields.Nested(InteractiveSchema(), load_default=None, metadata=_example("interactive"))
    location = fields.Nested(LocationSchema(), load_default=None, metadata=_example("location"))
    contacts = fields.List(
        fields.Nested(CardSchema()),
        load_default=None,
        validate=validate.Length(min=1, max=MAX_CARDS),
        metadata=_example("contacts"),
    )
    reaction = fields.Nested(ReactionSchema(), load_default=None, metadata=_example("reaction"))
    reply_to = WhatsAppId(
        load_default=None, metadata={"description": "Quotes the message of this id, wamid.…"}
    )
    template = fields.Nested(TemplateWithAlternatesSchema(), load_default=None)
    category = fields.Enum(Category, by_value=True, load_default=Category.UTILITY)
    when_open = fields.Enum(WhenOpen, by_value=True, load_default=None)
    when_closed = fields.Enum(WhenClosed, by_value=True, load_default=WhenClosed.TEMPLATE)
    priority = fields.String(load_default="normal", validate=validate.OneOf(_PRIORITIES))
    expires_in = fields.Integer(
        strict=True,
        load_default=None,
        validate=validate.Range(min=1, max=int(MAX_EXPIRY.total_seconds())),
        metadata={"description": "Seconds; without it and expires_at: 24 hours."},
    )
    expires_at = Moment(load_default=None)
    in_doubt = fields.Enum(InDoubt, by_value=True, load_default=InDoubt.HOLD)
    reference = fields.String(load_default=None, validate=validate.Length(min=1, max=256))

    @validates_schema(skip_on_field_errors=True)
    def _check_together(self, values: dict[str, Any], **kwargs: Any) -> None:
        given = [name for name in _CONTENTS if values[name] is not None]
        mistakes = {name: [f"give one of {', '.join(given)}; each is a message"] for name in given[1:]}
        if not given and not values["template"]:
            mistakes["text"] = [f"give one of {', '.join(_CONTENTS)}, or a template, or both"]
        if values["reply_to"] is not None and given[:1] in ([], ["reaction"]):
            mistakes["reply_to"] = ["only a message with content quotes: no reaction, no template"]
        if values["when_open"] is WhenOpen.TEMPLATE and not values["template"]:
            mistakes["when_open"] = ["template needs a template"]
        if values["expires_in"] is not None and values["expires_at"] is not None:
            mistakes["expires_at"] = ["give expires_in or expires_at, not both"]
        if values["when_closed"] is WhenClosed.NUDGE and not (values["text"] and values["template"]):
            mistakes["when_closed"] = ["nudge needs content and a template"]
        if mistakes:
            raise ValidationError(mistakes)

    @post_load
    def _make(self, values: dict[str, Any], **kwargs: Any) -> Draft:
        seconds = values.pop("expires_in")
        contents = {name: values.pop(name) for name in _CONTENTS}
        return Draft(
            content=_content(contents),
            templates=values.pop("template") or (),
            priority=Priority[values.pop("priority").upper()],
            expires_in=None if seconds is None else timedelta(seconds=seconds),
            **values,
        )


def _content(contents: Mapping[str, Any]) -> SessionContent | None:
    """The one that was given; text and cards come as what JSON has, the others as values."""
    if contents["text"] is not None:
        return Text(contents["text"])
    if contents["contacts"] is not None:
        return Cards(tuple(contents["contacts"]))
    return next((each for each in contents.values() if each is not None), None)


class AcceptQuerySchema(Schema):
    dry_run = fields.Boolean(
        load_default=False,
        metadata={"description": "Only say what would happen; nothing is stored or sent."},
    )


def idempotency_key(name: str | None = None) -> fields.String:
    """A key, under the name that its place gives it."""
    return fields.String(
        load_default=None,
        data_key=name,
        validate=validate.Length(min=1, max=255),
        metadata={"description": "The same key and body get the same answer for 24 hours."},
    )


class AcceptHeadersSchema(Schema):
    idempotency_key = idempotency_key("Idempotency-Key")
