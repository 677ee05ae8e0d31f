"""Opt-in and opt-out: what stands, and which of two records wins.

A business may send templates only to people who opted in, and must stop when told (Meta, "Get opt-in",
read 2025-11). Nothing but an explicit record counts as opt-in.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Category(StrEnum):
    """What a message is for; WhatsApp's three template categories since 2023."""

    UTILITY = "utility"
    MARKETING = "marketing"
    AUTHENTICATION = "authentication"


class ConsentStatus(StrEnum):
    OPTED_IN = "opted_in"
    OPTED_OUT = "opted_out"


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecord:
    """One decision of a contact about one category, with its evidence."""

    status: ConsentStatus
    #: Whole seconds: the order of decisions is that of event times in seconds.
    at: datetime
    source: str
    evidence: str | None = None

    def outranks(self, standing: "ConsentRecord | None") -> bool:
        """Newer wins; on a tie of seconds an opt-out wins."""
        if standing is None:
            return True
        mine, theirs = int(self.at.timestamp()), int(standing.at.timestamp())
        if mine != theirs:
            return mine > theirs
        return self.status is ConsentStatus.OPTED_OUT


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentWord:
    """One word about a contact's consent as it was heard, whether it changed anything or not."""

    #: A ConsentStatus, or `resumed`: WhatsApp's own stop was lifted.
    status: str
    at: datetime
    recorded_at: datetime
    categories: tuple[Category, ...]
    #: Those that it changed; the others had something newer.
    changed: tuple[Category, ...]
    source: str
    evidence: str | None
    #: Who said so: `api`, `import`, `keyword`, `user_preferences`, `provider_error`.
    by: str
    #: Whose key it was.
    app: str | None
    #: The sender that it came by; it counts for the whole business.
    sender: str


@dataclass(frozen=True, slots=True)
class Consent:
    """What stands for one (business, contact)."""

    records: Mapping[Category, ConsentRecord] = field(default_factory=dict)

    def is_opted_in(self, category: Category) -> bool:
        record = self.records.get(category)
        return record is not None and record.status is ConsentStatus.OPTED_IN

    def opted_out_at(self, category: Category) -> datetime | None:
        record = self.records.get(category)
        if record is None or record.status is not ConsentStatus.OPTED_OUT:
            return None
        return record.at

    def with_record(self, category: Category, record: ConsentRecord) -> "Consent":
        if not record.outranks(self.records.get(category)):
            return self
        return Consent({**self.records, category: record})


#: Without named categories an opt-in covers what a customer expects; an opt-out covers all.
DEFAULT_CATEGORIES: Mapping[ConsentStatus, tuple[Category, ...]] = {
    ConsentStatus.OPTED_IN: (Category.UTILITY, Category.AUTHENTICATION),
    ConsentStatus.OPTED_OUT: tuple(Category),
}
