"""The body, the header and the footer: how long they may be, and what may stand in them."""

import re
from collections.abc import Iterator

from shared.domain.lint.findings import Candidate, Finding, found
from shared.domain.lint.rules import Level
from shared.domain.template_call import MAX_BODY_LENGTH, MAX_HEADER_LENGTH
from shared.domain.template_parts import HeaderKind, HeaderPart, TemplateContent
from shared.domain.template_text import VARIABLE, clean_value

MAX_FOOTER_LENGTH = 60
#: Meta says that emoji "may be limited", and no figure; ten is hearsay.
_MANY_EMOJI = 10
#: A value may well be twice as long as its sample. Ours.
_LONGER_THAN_SAMPLE = 2

#: Pictures, flags, signs that are shown as pictures. What is joined, coloured or framed counts as one.
_EMOJI = re.compile(
    "(?:[\U0001f1e6-\U0001f1ff]{2}|[\U0001f300-\U0001faff\u2600-\u27bf\u2b00-\u2bff\u2300-\u23ff])"
    "[\ufe0f\U0001f3fb-\U0001f3ff]*(?:\u200d[\U0001f300-\U0001faff\u2600-\u27bf]\ufe0f?)*"
)
#: `*bold*`, `_italic_`, `~struck~`, "`code`"; a sign inside a word is none.
_MARKUP = re.compile(r"(?<!\w)([*_~`])(?=\S)[^*_~`\n]+(?<=\S)\1(?!\w)")
#: Also with www and without https.
_WHATSAPP_LINK = re.compile(r"(?<![\w.-])(?:www\.)?wa\.me(?![\w-]|\.\w)", re.IGNORECASE)


def check_texts(candidate: Candidate) -> Iterator[Finding]:
    content = candidate.content
    yield from _check_body(candidate)
    yield from _check_footer(content.footer)
    if content.header is not None:
        yield from _check_header(content.header, candidate.policy.provider)
    for field, text in texts_of(content):
        if _WHATSAPP_LINK.search(text):
            yield found("link_to_whatsapp", field, "leave out the link to wa.me")


def texts_of(content: TemplateContent) -> Iterator[tuple[str, str]]:
    """Every text that a contact reads or opens, by its field."""
    yield "body", content.body
    if content.header is not None and content.header.text:
        yield "header.text", content.header.text
    if content.footer:
        yield "footer", content.footer
    for index, button in enumerate(content.buttons):
        yield f"buttons.{index}.label", button.label
        if button.url:
            yield f"buttons.{index}.url", button.url


def has_emoji(text: str) -> bool:
    return _EMOJI.search(text) is not None


def _check_body(candidate: Candidate) -> Iterator[Finding]:
    body = candidate.content.body
    fixed = VARIABLE.sub("", body)
    if not body.strip():
        yield found("body_empty", "body", "write a text")
    elif fixed != body and not re.search(r"\w", fixed) and not candidate.is_authentication:
        yield found("body_only_variables", "body", "say in words what the values are")
    if len(body) > MAX_BODY_LENGTH:
        yield found("body_too_long", "body", f"shorten {len(body)} characters to {MAX_BODY_LENGTH}")
    else:
        yield from _check_worst_case(candidate.content)
    yield from _check_duplicate(candidate)
    emoji = len(_EMOJI.findall(body))
    if emoji > _MANY_EMOJI:
        yield found("emoji_many", "body", f"{emoji} emoji may be too many: leave some out")


def _check_duplicate(candidate: Candidate) -> Iterator[Finding]:
    """One-time codes all have WhatsApp's own text."""
    asked = candidate.content.body.strip(), (candidate.content.footer or "").strip()
    for name, other in candidate.others.items():
        if asked == (other.body.strip(), (other.footer or "").strip()) and not candidate.is_authentication:
            yield found("duplicate_text", "body", f"{name} says the same: use that one, or say it otherwise")
            return


def _check_worst_case(content: TemplateContent) -> Iterator[Finding]:
    """Meta refuses what is too long once filled, and the message with it."""
    length = longest_filled(content)
    if length > MAX_BODY_LENGTH:
        room = MAX_BODY_LENGTH - len(VARIABLE.sub("", content.body))
        mend = (
            f"with values twice as long as the samples it has {length} characters: shorten it, "
            f"or keep all values within {room}"
        )
        yield found("worst_case_length", "body", mend)


def longest_filled(content: TemplateContent) -> int:
    """Characters of the body when each value is twice as long as its sample."""
    samples = dict(zip(content.variables, content.samples, strict=False))
    lengths = {name: _LONGER_THAN_SAMPLE * len(clean_value(sample)) for name, sample in samples.items()}
    places = (match[1] or match[2] for match in VARIABLE.finditer(content.body))
    return len(VARIABLE.sub("", content.body)) + sum(lengths.get(name, 0) for name in places)


def _check_footer(footer: str | None) -> Iterator[Finding]:
    if footer is None:
        return
    if len(footer) > MAX_FOOTER_LENGTH:
        yield found("footer_too_long", "footer", f"at most {MAX_FOOTER_LENGTH} characters")
    if VARIABLE.search(footer):
        yield found("footer_variable", "footer", "a footer takes no variables")


def _check_header(header: HeaderPart, provider: str) -> Iterator[Finding]:
    if header.kind is not HeaderKind.TEXT:
        if not (header.sample or "").strip():
            # CM.com's Knowledge Center: it adds a generic example where one is missing.
            level = Level.WARNING if provider == "cm" else Level.ERROR
            mend = f"give the address of an example {header.kind}"
            yield found("header_sample_missing", "header.sample", mend, level)
        return
    text = header.text or ""
    if len(text) > MAX_HEADER_LENGTH:
        yield found("header_too_long", "header.text", f"at most {MAX_HEADER_LENGTH} characters")
    if _MARKUP.search(VARIABLE.sub("x", text)):
        yield found("header_markup", "header.text", "leave out *, _, ~ and `: a header is bold by itself")
    if len(VARIABLE.findall(text)) > 1:
        yield found("header_variables", "header.text", "at most one variable")
    if header.variables and not clean_value(header.sample or ""):
        yield found("header_sample_missing", "header.sample", "give a value for the variable")
