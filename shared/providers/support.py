"""What a provider is not known to take, as one table: asked at every door, before anything is accepted.

reference: Meta, "Send messages", read 2025-11; CM.com, "WhatsApp", "WhatsApp interactive messages" and its
SDKs, read 2026-11. What those leave open is refused: nobody would know why it never came.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum

from shared.configuration import AnySender, CmSender, MetaSender
from shared.domain.identifiers import ContactId
from shared.domain.session_content import (
    Buttons,
    Choice,
    EmojiReaction,
    Header,
    LinkButton,
    MediaKind,
    MediaLink,
    SessionContent,
)
from shared.domain.template_call import TemplateCall
from shared.domain.template_parts import ButtonFill
from shared.providers.cm.session import media_object


class Trait(StrEnum):
    """Something of a request that not every provider takes."""

    USER_ID = "user_id"
    STICKER = "sticker"
    CAPTION = "caption"
    #: A file name for what shows none.
    NAMED_FILE = "named_file"
    #: Neither its name nor its address tells a type that CM.com lists.
    UNTYPED_FILE = "untyped_file"
    LINK_BUTTON = "link_button"
    LIST_FOOTER = "list_footer"
    LONG_LIST_BODY = "long_list_body"
    REACTION = "reaction"
    BUTTON_CODE = "button_code"


_MAX_CM_BODY = 1024
#: By provider: why, and what to do instead.
_UNSUPPORTED: Mapping[type[AnySender], Mapping[Trait, str]] = {
    MetaSender: {
        Trait.NAMED_FILE: "Meta shows a file name for documents only; leave it out",
    },
    CmSender: {
        Trait.USER_ID: "CM.com sends to phone numbers only; give the contact's number or another sender",
        Trait.STICKER: "CM.com is not known to take stickers; send an image, or use another sender",
        Trait.CAPTION: "CM.com is not known to show captions; send a text before or after the file",
        Trait.UNTYPED_FILE: (
            "CM.com wants the type of a file: let link or filename end in one that it takes for this kind, "
            "such as .jpg, .png, .mp4, .mp3, .ogg, .pdf or .docx"
        ),
        Trait.LINK_BUTTON: "CM.com's form of it is not known; write the address into a text",
        Trait.LIST_FOOTER: "CM.com is not known to take one below a list; write it into the body",
        Trait.LONG_LIST_BODY: f"CM.com takes {_MAX_CM_BODY} characters",
        Trait.REACTION: "CM.com is not known to take reactions; answer with a text that quotes: reply_to",
        Trait.BUTTON_CODE: "CM.com's form of codes in buttons is not known; use another sender",
    },
}


def unsupported(
    sender: AnySender, to: ContactId, content: SessionContent | None, templates: Sequence[TemplateCall]
) -> dict[str, list[str]]:
    """What this sender's provider is not known to take, by the request's field, with the mend."""
    texts = _UNSUPPORTED[type(sender)]
    found = [("to", Trait.USER_ID)] if to.phone_number is None else []
    found += [*_of_content(content), *_of_templates(templates)]
    return {field: [texts[trait]] for field, trait in found if trait in texts}


def _of_content(content: SessionContent | None) -> Iterator[tuple[str, Trait]]:
    match content:
        case MediaLink():
            yield from _of_media("media", content)
        case Buttons() | Choice() | LinkButton():
            yield from _of_interactive(content)
        case EmojiReaction():
            yield "reaction", Trait.REACTION
        case _:
            return


def _of_interactive(content: Buttons | Choice | LinkButton) -> Iterator[tuple[str, Trait]]:
    if content.header is not None:
        yield from _of_header("interactive.header", content.header)
    if isinstance(content, LinkButton):
        yield "interactive.kind", Trait.LINK_BUTTON
    if isinstance(content, Choice) and content.footer is not None:
        yield "interactive.footer", Trait.LIST_FOOTER
    if isinstance(content, Choice) and len(content.body) > _MAX_CM_BODY:
        yield "interactive.body", Trait.LONG_LIST_BODY


def _of_templates(templates: Sequence[TemplateCall]) -> Iterator[tuple[str, Trait]]:
    for index, call in enumerate(templates):
        field = "template" if index == 0 else f"template.alternates.{index - 1}"
        if call.header is not None:
            yield from _of_header(f"{field}.header", call.header)
        for place, button in enumerate(call.buttons):
            if button.fill is ButtonFill.CODE:
                yield f"{field}.buttons.{place}.code", Trait.BUTTON_CODE


def _of_header(field: str, header: Header) -> Iterator[tuple[str, Trait]]:
    if isinstance(header, MediaLink):
        yield from _of_media(field, header)


def _of_media(field: str, media: MediaLink) -> Iterator[tuple[str, Trait]]:
    if media.caption is not None:
        yield f"{field}.caption", Trait.CAPTION
    if media.filename is not None and media.kind is not MediaKind.DOCUMENT:
        yield f"{field}.filename", Trait.NAMED_FILE
    if media.kind is MediaKind.STICKER:
        yield f"{field}.kind", Trait.STICKER
    elif media_object(media) is None:
        yield f"{field}.link", Trait.UNTYPED_FILE
