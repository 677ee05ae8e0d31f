"""What CM.com's gateway demands of a request, and what WhatsApp later finds wrong with an accepted message.

Pure. Keys arrive folded to lower case, since CM.com reads them in any case.
reference: CM.com "Business Messaging Basics", "Responses and errors (JSON)", "WhatsApp" and "WhatsApp
standard errors", read 2026-11; limits and codes also from CM.com's own SDKs.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.accounts import CmAccount
from sandbox.cm_contents import BUBBLE_KINDS, check_file, read_bubble
from sandbox.contents import ContentError, members
from sandbox.refusals import Refusal
from sandbox.shapes import is_text
from sandbox.templates import Template, fill
from sandbox.world import Sketch

MAX_BATCH = 1000
_MAX_RECIPIENTS = 1000
_MAX_BUBBLES = 5
_MAX_TEXT = 4096
_MAX_GROUPING = 100
_REFERENCE = re.compile(r"[A-Za-z0-9]{1,32}")
_RELATIVE = re.compile(r"[1-9][0-9]*[hm]")
_ABSOLUTE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d( ?GMT|[+-]\d\d:\d\d)", re.ASCII)
_NUMBER = re.compile(r"00[1-9][0-9]{6,14}")

_EVENTS = {"MarkAsRead": "read", "Typing": "typing", "Block": "block"}

#: (name, language) -> the account's template.
FindTemplate = Callable[[str, str], Template | None]
#: number in 00 form -> the account that may send from it.
Senders = dict[str, CmAccount]


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One `msg` for one of its recipients: CM.com's unit of sending and of answering."""

    msg: dict[str, object]
    #: As given; None where there is none.
    number: object

    @property
    def reference(self) -> object:
        return self.msg.get("reference")

    @property
    def contact(self) -> str:
        return to_e164(str(self.number))


def fold_keys(value: object) -> object:
    """`value` with every key in lower case, all the way down."""
    if isinstance(value, dict):
        return {str(key).lower(): fold_keys(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [fold_keys(inner) for inner in value]
    return value


def to_e164(number: str) -> str:
    return "+" + number.removeprefix("00")


def from_e164(number: str) -> str:
    return "00" + number.removeprefix("+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What a business says about one message of a customer."""

    #: In 00 form, as it stands in the request.
    sender: str
    contact: str
    #: "read", "typing" or "block".
    kind: str
    message_id: str


def read_event(document: object, senders: Senders) -> Event | Refusal:
    """Codes are those of a message: CM.com shows none for events."""
    body = document if isinstance(document, dict) else {}
    sender, to = _text(_inside(body, "from", "number")), _text(_inside(body, "to", "number"))
    kind = _EVENTS.get(str(_inside(body, "event", "type")))
    custom = _inside(body, "event", "custom")
    message_id = _text(custom.get("message_id")) if isinstance(custom, dict) else None
    if sender not in senders:
        return Refusal(code=301, details="The sender is not a number of this account")
    if to is None or not _NUMBER.fullmatch(to):
        return Refusal(code=303, details="The recipient is not a number")
    if kind is None or message_id is None or body.get("channel") != "WhatsApp":
        return Refusal(code=305, details="channel, event.type and custom.message_id are needed")
    if kind == "typing" and custom != {"message_id": message_id, "typing_indicator": "text"}:
        return Refusal(code=305, details="Typing needs the typing_indicator text")
    return Event(sender=sender, contact=to_e164(to), kind=kind, message_id=message_id)


def read_batch(document: dict[str, object]) -> list[Item] | Refusal:
    """Every (msg, recipient) of a request. An empty or too long batch is 203: our choice, UNCONFIRMED."""
    batch = _inside(document, "messages", "msg")
    if not isinstance(batch, list) or not 1 <= len(batch) <= MAX_BATCH:
        return Refusal(code=203, details=f"The msg array must hold 1 to {MAX_BATCH} messages")
    if not all(isinstance(msg, dict) for msg in batch):
        return Refusal(code=203, details="The msg array holds something that is not a message")
    return [item for msg in batch for item in _expand(msg)]


def _expand(msg: dict[str, object]) -> list[Item]:
    recipients = msg.get("to")
    if not isinstance(recipients, list) or not 1 <= len(recipients) <= _MAX_RECIPIENTS:
        return [Item(msg=msg, number=None)]
    return [
        Item(msg=msg, number=each.get("number") if isinstance(each, dict) else None) for each in recipients
    ]


def sketch(item: Item) -> Sketch:
    """What an item seems to ask for, however wrong it is."""
    asked = _whatsapp_template(item.msg)
    body = _inside(item.msg, "body", "content")
    bubbles = [bubble for bubble in _conversation(item.msg) or [] if isinstance(bubble, dict)]
    texts = [bubble["text"] for bubble in bubbles if isinstance(bubble.get("text"), str)]
    return Sketch(
        to=item.contact if isinstance(item.number, str) else None,
        kind="session" if asked is None else "template",
        template=_text(asked.get("element_name")) if asked else None,
        text="\n".join(texts) or _text(body),
        reference=_text(item.reference),
        content=_content_of(bubbles),
        quotes=next((_text(_inside(bubble, "context", "message_id")) for bubble in bubbles), None),
    )


def _content_of(bubbles: list[dict[str, object]]) -> str | None:
    """What is there beside text, the first of it."""
    kinds = (kind for bubble in bubbles for kind in bubble if kind in BUBBLE_KINDS)
    return next(kinds, None)


def check(item: Item, senders: Senders) -> Refusal | None:
    """What the gateway refuses at once: 301 to 305, first fault found. Unknown keys are let pass."""
    if _text(item.msg.get("from")) not in senders:
        return Refusal(code=301, details="The sender is not a number of this account")
    for look in (
        _check_to,
        _check_body,
        _check_channels,
        _check_fields,
        _check_validity,
        _check_conversation,
    ):
        if refusal := look(item):
            return refusal
    return None


def _check_to(item: Item) -> Refusal | None:
    if item.number is None:
        return Refusal(code=302, details="A message without a recipient was found")
    if not isinstance(item.number, str) or not _NUMBER.fullmatch(item.number):
        # Whether the real gateway takes +39... as well is UNCONFIRMED; the documented form is 0039...
        return Refusal(code=303, details=f"Gsm '{item.number}' is not a number.")
    return None


def _check_body(item: Item) -> Refusal | None:
    content = _inside(item.msg, "body", "content")
    if not is_text(content):
        return Refusal(code=304, details="A body without content was found")
    if len(content) > _MAX_TEXT:
        return Refusal(code=304, details=f"A body of more than {_MAX_TEXT} characters was found")
    return None


def _check_channels(item: Item) -> Refusal | None:
    """Without `allowedChannels` CM.com would take any channel of the account: never what we want."""
    channels = item.msg.get("allowedchannels")
    names = [str(name).lower() for name in channels] if isinstance(channels, list) else []
    if "whatsapp" not in names:
        return _other("allowedChannels does not contain WhatsApp")
    return None


def _check_fields(item: Item) -> Refusal | None:
    """A reference that is too long is 305: our choice, UNCONFIRMED."""
    reference = item.reference
    if reference is not None and not (isinstance(reference, str) and _REFERENCE.fullmatch(reference)):
        return _other("reference must be 1 to 32 letters and digits")
    for name in ("customgrouping", "customgrouping2", "customgrouping3"):
        grouping = item.msg.get(name, "")
        if not isinstance(grouping, str) or len(grouping) > _MAX_GROUPING:
            return _other(f"{name} must be a string of {_MAX_GROUPING} or fewer")
    return None


def _check_conversation(item: Item) -> Refusal | None:
    if "richcontent" not in item.msg:
        return None
    bubbles = _conversation(item.msg)
    if not bubbles or len(bubbles) > _MAX_BUBBLES:
        return _other(f"richContent.conversation must hold 1 to {_MAX_BUBBLES} items")
    if _whatsapp_template(item.msg) is not None:
        return None if len(bubbles) == 1 else _other("a template must be the only item of a conversation")
    try:
        for bubble in bubbles:
            read_bubble(bubble)
    except ContentError as error:
        return _other(f"richContent.conversation: {error}")
    has_file = [isinstance(bubble, dict) and "media" in bubble for bubble in bubbles]
    return _other("one file in one message") if sum(has_file) > 1 else None


def _check_validity(item: Item) -> Refusal | None:
    """Relative in hours or minutes, or a time; a time without a zone would be Dutch: never what we want."""
    validity = item.msg.get("validity", "1h")
    if isinstance(validity, str) and (_RELATIVE.fullmatch(validity) or _ABSOLUTE.fullmatch(validity)):
        return None
    return _other("validity must be like 2h, 30m or 2026-01-31 11:50:05+01:00")


def render(item: Item, account: CmAccount, find_template: FindTemplate) -> str | Refusal:
    """The text the customer reads, or Meta's objection, which CM.com learns only after it accepted."""
    asked = _whatsapp_template(item.msg)
    if asked is None:
        bubbles = _conversation(item.msg) or []
        return "\n".join(map(read_bubble, bubbles)) or sketch(item).text or ""
    name, language = asked.get("element_name"), _inside(asked, "language", "code")
    if not is_text(name) or not is_text(language):
        return Refusal(code=131008, details="element_name and language.code are required")
    # Whether CM.com still looks at the namespace is UNCONFIRMED; a wrong one finds no template here.
    known = asked.get("namespace") == account.template_namespace
    return fill(find_template(name, language) if known else None, asked.get("components"), _check_file)


def _check_file(kind: str, parameter: dict[str, object]) -> None:
    check_file(members(parameter, "header.parameters", {"type", "media"})["media"], (kind,))


def _conversation(msg: dict[str, object]) -> list[object] | None:
    bubbles = _inside(msg, "richcontent", "conversation")
    return bubbles if isinstance(bubbles, list) else None


def _whatsapp_template(msg: dict[str, object]) -> dict[str, object] | None:
    for bubble in _conversation(msg) or []:
        asked = _inside(bubble, "template", "whatsapp") if isinstance(bubble, dict) else None
        if isinstance(asked, dict):
            return asked
    return None


def _inside(value: dict[str, object], outer: str, inner: str) -> object:
    found = value.get(outer)
    return found.get(inner) if isinstance(found, dict) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _other(details: str) -> Refusal:
    return Refusal(code=305, details=details)
