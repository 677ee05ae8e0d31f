"""Templates: identity, content, the two approvals, and whether one is usable.

Knows what a template is and what makes one usable; not where it is stored nor how a provider spells it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.consent import Category
from shared.domain.template_call import TemplateCall
from shared.domain.template_parts import HeaderKind, TemplateContent
from shared.domain.template_text import clean_value, render


class TemplateStatus(StrEnum):
    """Where a template stands; every status of a provider maps onto one."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    APPROVED = "approved"
    REJECTED = "rejected"
    PAUSED = "paused"
    DISABLED = "disabled"
    ARCHIVED = "archived"


class Gate(StrEnum):
    """Who has to approve."""

    PROVIDER = "provider"
    WHATSAPP = "whatsapp"


class Approval(StrEnum):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class TemplateId:
    """`account`: Meta's business account id, or CM.com's template namespace; shared by its senders."""

    account: str
    name: str
    language: str

    def __str__(self) -> str:
        return f"{self.account}:{self.name}:{self.language}"


class Source(StrEnum):
    """Where a template comes from; all need approval."""

    OWN = "own"
    #: Ready-made by the provider, imported by name.
    PROVIDER = "provider"
    #: Comes with Finestra.
    LIBRARY = "library"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """What stops a template beside its gates."""

    status: TemplateStatus
    #: The provider's word, or the code of the error.
    reason: str | None = None
    #: Met by a message of ours; else the provider said so.
    is_by_error: bool = False
    #: When it is expected to end by itself; None: somebody has to end it, or nobody said.
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """A change of category that WhatsApp has announced."""

    category: Category
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Template(TemplateContent):
    id: TemplateId
    category: Category
    gates: Mapping[Gate, Approval]
    #: Reasons of rejections, by gate.
    reasons: Mapping[Gate, str]
    #: Set by the provider beside the gates: paused, disabled, archived.
    stopped: TemplateStatus | None = None
    #: The category at registration, when the provider has moved it since.
    original_category: Category | None = None
    #: As registered, for imports of older sets of categories; what counts is `category`.
    tag: str | None = None
    source: Source = Source.OWN
    #: Of its content, from 1; each edit is one more, and a message says which it used.
    version: int = 1
    #: Registered here, and submitted to nobody yet.
    is_draft: bool = False
    #: At the provider, once it was submitted or listed.
    provider_id: str | None = None
    #: Of the content that WhatsApp is known to have: its approval is about that one. None: nobody compared.
    whatsapp_version: int | None = None
    #: Why `stopped`.
    stop: Stop | None = None
    #: An edit is on its way to the provider, or nobody knows whether it was taken.
    is_being_edited: bool = False
    #: When the provider took edits while it was approved; the latest ten, oldest first.
    edits: tuple[datetime, ...] = ()
    #: As WhatsApp last said: green, yellow, red or unknown.
    quality: str | None = None
    announced: Announcement | None = None

    @property
    def status(self) -> TemplateStatus:
        decisions = {self.gates.get(gate, Approval.PENDING) for gate in Gate}
        if Approval.REJECTED in decisions:
            return TemplateStatus.REJECTED
        if self.is_being_edited:
            return TemplateStatus.SUBMITTED
        if self.stopped is not None:
            return self.stopped
        if decisions == {Approval.APPROVED}:
            return TemplateStatus.APPROVED
        return TemplateStatus.DRAFT if self.is_draft else TemplateStatus.SUBMITTED

    @property
    def is_category_changed(self) -> bool:
        return self.original_category is not None and self.original_category is not self.category

    @property
    def is_text_only(self) -> bool:
        return not self.buttons and (self.header is None or self.header.kind is HeaderKind.TEXT)

    def as_session_text(self, call: TemplateCall) -> str | None:
        """What the contact would read, as one text; None unless it is approved, utility and text only."""
        is_usable = self.status is TemplateStatus.APPROVED and self.category is Category.UTILITY
        if not is_usable or not self.is_text_only or not call.fits(self):
            return None
        body = render(self.body, {name: clean_value(value) for name, value in call.values.items()})
        return "\n\n".join(text for text in (self._header_text(call), body, self.footer) if text)

    def _header_text(self, call: TemplateCall) -> str | None:
        if self.header is None or self.header.text is None:
            return None
        value = call.header if isinstance(call.header, str) else ""
        return render(self.header.text, dict.fromkeys(self.header.variables, clean_value(value)))
