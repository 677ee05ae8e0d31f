"""What a template is made of besides its body: header, buttons, and what of them a request has to fill.

Meta, "Template components", read 2025-12; CM.com takes the same components (reference cm 2.6).
"""

from dataclasses import dataclass
from enum import StrEnum

from shared.domain.template_text import variables_of


class HeaderKind(StrEnum):
    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeaderPart:
    """Above the body: a line of text with at most one variable, or a file that each request names."""

    kind: HeaderKind
    #: Of a text, with its variable in the provider's form.
    text: str | None = None
    #: A value for its variable, or the address of an example file.
    sample: str | None = None

    @property
    def variables(self) -> tuple[str, ...]:
        return variables_of(self.text or "")

    @property
    def is_filled(self) -> bool:
        """Whether a request has to bring something for it."""
        return self.kind is not HeaderKind.TEXT or bool(self.variables)


class ButtonKind(StrEnum):
    QUICK_REPLY = "quick_reply"
    URL = "url"
    PHONE = "phone"
    COPY_CODE = "copy_code"
    #: Copies the one-time code; WhatsApp's preset of authentication templates.
    ONE_TIME_CODE = "one_time_code"


class ButtonFill(StrEnum):
    """What of a template's button a request fills."""

    #: The variable end of its address.
    URL_SUFFIX = "url_suffix"
    #: What comes back when it is pressed.
    PAYLOAD = "payload"
    #: What is copied when it is pressed.
    CODE = "code"


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonPart:
    kind: ButtonKind
    #: What stands on it.
    label: str
    #: Of a url, its variable at the end in the provider's form.
    url: str | None = None
    #: Of a phone, E.164.
    phone: str | None = None
    #: The end of the address, or a code to copy.
    sample: str | None = None

    @property
    def needs(self) -> ButtonFill | None:
        """What every request must give for it."""
        if self.kind is ButtonKind.URL and variables_of(self.url or ""):
            return ButtonFill.URL_SUFFIX
        return ButtonFill.CODE if self.kind is ButtonKind.COPY_CODE else None

    @property
    def may_take(self) -> ButtonFill | None:
        """What a request may give for it; the code of a one-time code fills its button by itself."""
        match self.kind:
            case ButtonKind.QUICK_REPLY:
                return ButtonFill.PAYLOAD
            case ButtonKind.ONE_TIME_CODE:
                return ButtonFill.CODE
            case _:
                return self.needs


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateContent:
    """What the contact reads of a template, with variables in the provider's form, `{{1}}` or `{{name}}`."""

    header: HeaderPart | None = None
    body: str
    footer: str | None = None
    #: In the order in which they are shown and counted, from 0.
    buttons: tuple[ButtonPart, ...] = ()
    #: One for each variable of the body, in order of first appearance.
    samples: tuple[str, ...] = ()
    #: For how long the provider tries to deliver it; None: its default for the category.
    ttl_seconds: int | None = None

    @property
    def variables(self) -> tuple[str, ...]:
        return variables_of(self.body)
