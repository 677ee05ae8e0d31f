"""What the Cloud API demands of a request to send, stricter than the real one where that costs nothing.

Pure: a payload in, a `Message` or a `Refusal` out. Windows are not asked about here.
reference: Meta "Send messages", "Message API" and "Error codes", read 2025-11 to 2026-09.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from sandbox.accounts import MetaAccount
from sandbox.contents import ContentError, members
from sandbox.meta_contents import READERS, check_file
from sandbox.refusals import Refusal
from sandbox.shapes import is_e164, is_text, is_user_id
from sandbox.templates import Template, fill
from sandbox.world import Sketch

_ENVELOPE = {
    "messaging_product",
    "recipient_type",
    "to",
    "recipient",
    "type",
    "context",
    "biz_opaque_callback_data",
    "recipient_identity_key_hash",
}
_TYPES = ("text", "template", *READERS)
_MAX_TEXT = 4096
_MAX_CALLBACK_DATA = 512

#: (name, language) -> the account's template.
FindTemplate = Callable[[str, str], Template | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A request in which nothing was wrong."""

    #: As given: +E164, or a business-scoped user id.
    recipient: str
    sketch: Sketch
    #: For the price: "service" for free-form, else the template's in lower case.
    category: str


def sketch(payload: object) -> Sketch:
    """What a payload seems to ask for, however wrong it is: for the record of refused requests."""
    if not isinstance(payload, dict):
        return Sketch()
    kind = payload.get("type")
    return Sketch(
        to=_text(payload.get("to")) or _text(payload.get("recipient")),
        kind=("template" if kind == "template" else "session") if is_text(kind) else None,
        template=_text(_inside(payload, "template", "name")),
        text=_text(_inside(payload, "text", "body")),
        reference=_text(payload.get("biz_opaque_callback_data")),
        quotes=_text(_inside(payload, "context", "message_id")),
    )


def read(payload: object, account: MetaAccount, find_template: FindTemplate) -> Message | Refusal:
    """The message of a payload, or the first thing wrong with it. Meta's own order may change any day."""
    if not isinstance(payload, dict):
        return _invalid("the body must be a JSON object")
    for check in (_check_required, _check_type, _check_recipient, _check_envelope):
        if refusal := check(payload):
            return refusal
    if payload.get("to") == account.number:
        return Refusal(code=131021, details="Sender and recipient phone number must not be the same")
    if payload["type"] == "template":
        return _read_template(payload, find_template)
    return _read_text(payload) if payload["type"] == "text" else _read_other(payload)


def check_read_receipt(payload: dict[str, object]) -> Refusal | None:
    """{"messaging_product", "status": "read", "message_id", "typing_indicator"?}.

    reference: Meta "Mark messages as read" and "Typing indicators", read 2025-11.
    """
    if payload.get("messaging_product") != "whatsapp":
        return _invalid("Param messaging_product must be one of {whatsapp}")
    if odd := set(payload) - {"messaging_product", "status", "message_id", "typing_indicator"}:
        return _unknown_keys(odd)
    if payload["status"] != "read":
        return _invalid("Param status must be one of {read}")
    if not is_text(payload.get("message_id")):
        return _missing("message_id")
    if payload.get("typing_indicator", {"type": "text"}) != {"type": "text"}:
        return _invalid("Param typing_indicator must be {type: text}")
    return None


def _check_required(payload: dict[str, object]) -> Refusal | None:
    for name in ("messaging_product", "type"):
        if name not in payload:
            return _missing(name)
    if "to" not in payload and "recipient" not in payload:
        return _missing("to")
    if payload["messaging_product"] != "whatsapp":
        return _invalid("Param messaging_product must be one of {whatsapp}")
    return None


def _check_type(payload: dict[str, object]) -> Refusal | None:
    kind = str(payload["type"])
    if kind not in _TYPES:
        return _invalid(f"Param type must be one of {', '.join(_TYPES)}")
    if odd := set(payload) - _ENVELOPE - {kind}:
        return _unknown_keys(odd)
    if not isinstance(payload.get(kind), list if kind == "contacts" else dict):
        return _invalid(f"Param {kind} must be a JSON {'array' if kind == 'contacts' else 'object'}")
    return None


def _check_recipient(payload: dict[str, object]) -> Refusal | None:
    if "to" in payload and not is_e164(payload["to"]):
        # The real API takes more forms and may prepend the business's own country: never what we want.
        return _invalid("Param to must be a phone number with + and country code")
    if "recipient" in payload and not is_user_id(payload["recipient"]):
        return _invalid("Param recipient must be a business-scoped user id")
    if payload.get("recipient_type", "individual") != "individual":
        return _invalid("Param recipient_type must be one of {individual}")
    return None


def _check_envelope(payload: dict[str, object]) -> Refusal | None:
    if "context" in payload and not is_text(_inside(payload, "context", "message_id")):
        return _invalid("Param context must be an object with message_id")
    if "context" in payload and payload["type"] == "reaction":
        return _invalid("Param context must not be given for a reaction")
    echoed = payload.get("biz_opaque_callback_data", "")
    if not isinstance(echoed, str) or len(echoed) > _MAX_CALLBACK_DATA:
        return _invalid(f"Param biz_opaque_callback_data must be a string of {_MAX_CALLBACK_DATA} or fewer")
    if not isinstance(payload.get("recipient_identity_key_hash", ""), str):
        return _invalid("Param recipient_identity_key_hash must be a string")
    return None


def _read_text(payload: dict[str, object]) -> Message | Refusal:
    text = payload["text"]
    if not isinstance(text, dict) or "body" not in text:
        return _missing("text.body")
    if odd := set(text) - {"body", "preview_url"}:
        return _unknown_keys(odd, inside="text")
    if not isinstance(text.get("preview_url", False), bool):
        return _invalid("Param text['preview_url'] must be a boolean")
    if not is_text(text["body"]) or len(text["body"]) > _MAX_TEXT:
        return _invalid(f"Param text['body'] must be a string of 1 to {_MAX_TEXT} characters")
    return Message(recipient=_recipient(payload), sketch=sketch(payload), category="service")


def _read_other(payload: dict[str, object]) -> Message | Refusal:
    kind = str(payload["type"])
    try:
        text = READERS[kind](payload[kind])
    except ContentError as error:
        return _invalid(f"Param {error}")
    read = replace(sketch(payload), text=text, content=kind)
    return Message(recipient=_recipient(payload), sketch=read, category="service")


def _check_file(kind: str, parameter: dict[str, object]) -> None:
    file = members(parameter, "header.parameters", {"type", kind})[kind]
    check_file(kind, file, f"header.parameters.{kind}", is_header=True)


def _with_code(template: Template | None) -> Template | None:
    """A one-time code stands in the body and once more in the button."""
    if template is None or template.category != "AUTHENTICATION" or template.buttons:
        return template
    return replace(template, buttons=("url",))


def _read_template(payload: dict[str, object], find_template: FindTemplate) -> Message | Refusal:
    asked = payload["template"]
    if not isinstance(asked, dict) or not is_text(asked.get("name")):
        return _missing("template.name")
    if odd := set(asked) - {"name", "language", "components"}:
        return _unknown_keys(odd, inside="template")
    language = _inside(asked, "language", "code")
    if not is_text(language):
        return _missing("template.language.code")
    template = _with_code(find_template(asked["name"], language))
    text = fill(template, asked.get("components"), _check_file)
    if isinstance(text, Refusal):
        return text
    filled = replace(sketch(payload), text=text)
    category = template.category.lower() if template else ""
    return Message(recipient=_recipient(payload), sketch=filled, category=category)


def _recipient(payload: dict[str, object]) -> str:
    """`to` wins over `recipient` if both are given."""
    return str(payload.get("to") or payload["recipient"])


def _inside(payload: dict[str, object], outer: str, inner: str) -> object:
    value = payload.get(outer)
    return value.get(inner) if isinstance(value, dict) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _invalid(details: str) -> Refusal:
    return Refusal(code=100, details=details)


def _missing(name: str) -> Refusal:
    return Refusal(code=131008, details=f"The parameter {name} is required.")


def _unknown_keys(names: set[str], inside: str = "the request") -> Refusal:
    return _invalid(f"Unexpected key in {inside}: {', '.join(sorted(map(str, names)))}")
