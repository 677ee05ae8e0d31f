"""What a contact would see of a template: its parts filled, with the samples where nothing is given."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.domain.session_content import Header, MediaKind, MediaLink
from shared.domain.template_call import Misfit, TemplateButton, TemplateCall, misfits
from shared.domain.template_parts import ButtonKind, ButtonPart, HeaderKind, HeaderPart, TemplateContent
from shared.domain.template_text import clean_value, render, variables_of

#: For a value that is neither given nor has a sample.
_NOTHING = "…"


@dataclass(frozen=True, slots=True, kw_only=True)
class BubbleButton:
    kind: ButtonKind
    label: str
    #: The address, number or code behind it, if it has one.
    target: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """A message as WhatsApp shows it, its texts still in WhatsApp's markup."""

    #: A file above the text.
    media: MediaKind | None = None
    filename: str | None = None
    header: str | None = None
    body: str
    footer: str | None = None
    buttons: tuple[BubbleButton, ...] = ()

    def as_text(self) -> str:
        file = self.media and f"[{self.filename or self.media}]"
        buttons = "\n".join(_line(button) for button in self.buttons)
        return "\n\n".join(part for part in (file, self.header, self.body, self.footer, buttons) if part)


@dataclass(frozen=True, slots=True)
class Preview:
    bubble: Bubble
    #: For which a message with these values would be refused.
    misfits: tuple[Misfit, ...]

    @property
    def length(self) -> int:
        """Of the body, which may have 1,024 characters."""
        return len(self.bubble.body)


def preview(call: TemplateCall, content: TemplateContent) -> Preview:
    filled = with_samples(call, content)
    return Preview(bubble_of(filled, content), tuple(misfits(filled, content)))


def with_samples(call: TemplateCall, content: TemplateContent) -> TemplateCall:
    """The call with the template's samples wherever it gives nothing."""
    samples = dict(zip(content.variables, content.samples, strict=False))
    given = {button.index for button in call.buttons}
    more = [
        TemplateButton(index=index, fill=part.needs, value=part.sample)
        for index, part in enumerate(content.buttons)
        if index not in given and part.needs is not None and part.sample
    ]
    return replace(
        call,
        values={**samples, **call.values},
        header=call.header if call.header is not None else _sample_of(content.header),
        buttons=(*call.buttons, *more),
    )


def bubble_of(call: TemplateCall, content: TemplateContent) -> Bubble:
    values = {name: clean_value(value) for name, value in call.values.items()}
    fills = {button.index: button.value for button in call.buttons}
    media = MediaKind(content.header.kind) if content.header and content.header.text is None else None
    return Bubble(
        media=media,
        filename=call.header.filename if isinstance(call.header, MediaLink) else None,
        header=_header_text(call.header, content.header),
        body=_filled(content.body, values),
        footer=content.footer,
        buttons=tuple(_button(part, fills.get(index)) for index, part in enumerate(content.buttons)),
    )


def _sample_of(part: HeaderPart | None) -> Header | None:
    if part is None or not part.is_filled or not part.sample:
        return None
    if part.kind is HeaderKind.TEXT:
        return part.sample
    return MediaLink(kind=MediaKind(part.kind), link=part.sample)


def _header_text(given: Header | None, part: HeaderPart | None) -> str | None:
    if part is None or part.text is None:
        return None
    value = clean_value(given) if isinstance(given, str) else _NOTHING
    return _filled(part.text, dict.fromkeys(part.variables, value))


def _filled(text: str, values: Mapping[str, str]) -> str:
    return render(text, {name: values.get(name, _NOTHING) for name in variables_of(text)})


def _button(part: ButtonPart, value: str | None) -> BubbleButton:
    match part.kind:
        case ButtonKind.URL:
            suffix = dict.fromkeys(variables_of(part.url or ""), value or _NOTHING)
            target: str | None = render(part.url or "", suffix)
        case ButtonKind.PHONE:
            target = part.phone
        case ButtonKind.COPY_CODE:
            target = value
        case _:
            target = None
    return BubbleButton(kind=part.kind, label=part.label, target=target)


def _line(button: BubbleButton) -> str:
    return f"[{button.label}]" + (f" {button.target}" if button.target else "")
