"""What WhatsApp demands of content other than text, as far as both providers pass it on in the same form.

Pure; raises `ContentError` for the first thing that is wrong. A function that reads something returns what
the customer would read of it.
reference: Meta "Interactive messages" and "Contacts", read 2025-10; CM.com "WhatsApp interactive messages"
and its SDKs, read 2026-11.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from sandbox.shapes import is_text

MAX_BODY = 1024
MAX_LIST_BODY = 4096
_MAX_HEADER = 60
_MAX_FOOTER = 60
_MAX_BUTTONS = 3
_MAX_SECTIONS = 10
_MAX_ROWS = 10
_CARD_PARTS = {
    "phones": ({"phone"}, {"type", "wa_id"}),
    "emails": ({"email"}, {"type"}),
    "addresses": (set(), {"street", "city", "state", "zip", "country", "country_code", "type"}),
    "urls": ({"url"}, {"type"}),
}


class ContentError(Exception):
    """Some content is not as it must be; which code that means is the provider's own business."""


def members(value: object, where: str, needs: set[str], may: Iterable[str] = ()) -> dict[str, object]:
    """`value` as an object that has all of `needs`, and nothing beyond them but what it `may`."""
    if not isinstance(value, dict):
        raise ContentError(f"{where} must be an object")
    if missing := needs - set(value):
        raise ContentError(f"{where}: missing {', '.join(sorted(missing))}")
    if odd := set(value) - needs - set(may):
        raise ContentError(f"{where}: unexpected {', '.join(sorted(map(str, odd)))}")
    return value


def entries(value: object, where: str, most: int) -> list[object]:
    if not isinstance(value, list) or not 1 <= len(value) <= most:
        raise ContentError(f"{where} must hold 1 to {most} entries")
    return value


def words(value: object, where: str, most: int) -> str:
    if not is_text(value) or len(value) > most:
        raise ContentError(f"{where} must be a string of 1 to {most} characters")
    return value


def https_link(value: object, where: str) -> str:
    if not isinstance(value, str) or " " in value or not value.startswith("https://"):
        raise ContentError(f"{where} must be an https address")
    if not urlsplit(value).hostname:
        raise ContentError(f"{where} must name a host")
    return value


def read_body(interactive: dict[str, object], most: int) -> str:
    body = members(interactive["body"], "interactive.body", {"text"})
    if "footer" in interactive:
        footer = members(interactive["footer"], "interactive.footer", {"text"})
        words(footer["text"], "interactive.footer.text", _MAX_FOOTER)
    return words(body["text"], "interactive.body.text", most)


def check_text_header(header: object) -> None:
    text = members(header, "interactive.header", {"type", "text"})
    words(text["text"], "interactive.header.text", _MAX_HEADER)


def read_buttons(action: object) -> list[str]:
    """The titles of up to three reply buttons."""
    buttons = entries(members(action, "action", {"buttons"})["buttons"], "action.buttons", _MAX_BUTTONS)
    titles = []
    for each in buttons:
        button = members(each, "action.buttons", {"type", "reply"})
        if button["type"] != "reply":
            raise ContentError("action.buttons: type must be reply")
        reply = members(button["reply"], "action.buttons.reply", {"id", "title"})
        words(reply["id"], "action.buttons.reply.id", 256)
        titles.append(words(reply["title"], "action.buttons.reply.title", 20))
    if len(set(titles)) < len(titles):
        raise ContentError("action.buttons: titles must be unique")
    return titles


def read_list(action: object) -> list[str]:
    """The titles of up to ten rows."""
    asked = members(action, "action", {"button", "sections"})
    words(asked["button"], "action.button", 20)
    sections = entries(asked["sections"], "action.sections", _MAX_SECTIONS)
    titles = [title for section in sections for title in _read_section(section, is_only=len(sections) == 1)]
    if len(titles) > _MAX_ROWS:
        raise ContentError(f"action.sections: more than {_MAX_ROWS} rows")
    return titles


def _read_section(value: object, *, is_only: bool) -> list[str]:
    section = members(value, "action.sections", {"rows"} if is_only else {"rows", "title"}, {"title"})
    if "title" in section:
        words(section["title"], "action.sections.title", 24)
    titles = []
    for each in entries(section["rows"], "action.sections.rows", _MAX_ROWS):
        row = members(each, "action.sections.rows", {"id", "title"}, {"description"})
        words(row["id"], "action.sections.rows.id", 200)
        titles.append(words(row["title"], "action.sections.rows.title", 24))
        if "description" in row:
            words(row["description"], "action.sections.rows.description", 72)
    return titles


def read_cards(value: object) -> str:
    """The names on the cards."""
    return ", ".join(_read_card(each) for each in entries(value, "contacts", 257))


def _read_card(value: object) -> str:
    card = members(value, "contacts", {"name"}, {*_CARD_PARTS, "org", "birthday"})
    names = {"first_name", "last_name", "middle_name", "prefix", "suffix"}
    name = members(card["name"], "contacts.name", {"formatted_name"}, names)
    if len(name) == 1:
        # Every example of both providers has one; that it is demanded is our choice.
        raise ContentError("contacts.name needs a first or last name beside formatted_name")
    for part, (needs, may) in _CARD_PARTS.items():
        for each in entries(card[part], f"contacts.{part}", 100) if part in card else ():
            for key, text in members(each, f"contacts.{part}", needs, may).items():
                words(text, f"contacts.{part}.{key}", 1000)
    if "org" in card:
        members(card["org"], "contacts.org", set(), {"company", "department", "title"})
    return words(name["formatted_name"], "contacts.name.formatted_name", 1000)
