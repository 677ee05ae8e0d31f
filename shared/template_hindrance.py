"""Why something could not be done with a template, in the caller's words, and what they can do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from shared.clock import rfc3339
from shared.domain.retry import ErrorClass
from shared.domain.template_edits import NotNow
from shared.domain.template_parts import HeaderKind, TemplateContent
from shared.providers.base import Rejected


class Hindrance(StrEnum):
    """Stable: programs match on it. `shared/problems.py` has each of them with its HTTP status."""

    TEMPLATE_BUSY = "template_busy"
    TEMPLATE_EDITED = "template_edited"
    TEMPLATE_LOCKED = "template_locked"
    EXAMPLE_NEEDED = "example_needed"
    UNKNOWN_TEMPLATE = "unknown_template"
    PROVIDER_REFUSED = "provider_refused"
    PROVIDER_IN_DOUBT = "provider_in_doubt"
    PROVIDER_UNAVAILABLE = "provider_unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hindered:
    """Why it was not done, for the caller."""

    code: Hindrance
    detail: str
    errors: Mapping[str, list[str]] = field(default_factory=dict)
    retry_after: timedelta | None = None


def example_needed(content: TemplateContent) -> Hindered | None:
    """A file in the header is submitted by a handle of Meta's Resumable Upload, which we do not speak."""
    if content.header is None or content.header.kind is HeaderKind.TEXT:
        return None
    mend = "make a template with a file in its header in WhatsApp Manager, then sync"
    return Hindered(code=Hindrance.EXAMPLE_NEEDED, detail="See errors.", errors={"header": [mend]})


def not_now(refusal: NotNow, now: datetime | None = None) -> Hindered:
    until = refusal.until
    detail = refusal.why if until is None else f"{refusal.why} The next may be made at {rfc3339(until)}."
    wait = until - now if until is not None and now is not None else None
    return Hindered(code=Hindrance.TEMPLATE_LOCKED, detail=detail, retry_after=wait)


def hindered_by(answer: Rejected) -> Hindered:
    errors = {"provider": [text for text in (answer.code, answer.detail) if text]}
    match answer.row.error_class:
        case ErrorClass.IN_DOUBT:
            detail = "Nobody knows whether the provider did it: the next sync of its templates tells."
            return Hindered(code=Hindrance.PROVIDER_IN_DOUBT, detail=detail, errors=errors)
        case ErrorClass.RETRY | ErrorClass.THROTTLE:
            wait = max(answer.retry_after or timedelta(0), answer.row.minimum_wait, timedelta(seconds=1))
            return Hindered(
                code=Hindrance.PROVIDER_UNAVAILABLE,
                detail=answer.row.advice,
                errors=errors,
                retry_after=wait,
            )
        case _:
            return Hindered(code=Hindrance.PROVIDER_REFUSED, detail=answer.row.advice, errors=errors)
