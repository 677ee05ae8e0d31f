"""What a decision can be: send freely, send a template, hold, defer or refuse; each names its rule.

The words only; which of them it is, `routing` decides.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.domain.session_content import SessionContent
from shared.domain.template_call import TemplateCall
from shared.domain.templates import Template


class Rule(StrEnum):
    """Why a route was taken; the name goes into the message, the log and the metric."""

    EXPIRED = "expired"
    OPTED_OUT = "opted_out"
    OPT_OUT_CONFIRMATION = "opt_out_confirmation"
    CONFIRMATION_NOT_NEEDED = "confirmation_not_needed"
    WINDOW_OPEN = "window_open"
    WAITING_FOR_WINDOW = "waiting_for_window"
    NUDGED = "nudged"
    NUDGE_FAILED = "nudge_failed"
    NUDGE_NOT_NEEDED = "nudge_not_needed"
    WINDOW_CLOSED = "window_closed"
    WINDOW_CLOSED_NO_TEMPLATE = "window_closed_no_template"
    TEMPLATE_NOT_APPROVED = "template_not_approved"
    TEMPLATE_MISMATCH = "template_mismatch"
    TEMPLATE_CATEGORY_REFUSED = "template_category_refused"
    NO_OPT_IN = "no_opt_in"
    PHONE_NUMBER_REQUIRED = "phone_number_required"
    RECIPIENT_CAPPED = "recipient_capped"
    TEMPLATE_PENDING = "template_pending"
    TEMPLATE_PAUSED = "template_paused"
    WINDOW_CLOSING = "window_closing"
    TEMPLATE_PREFERRED = "template_preferred"
    SENDER_HALTED = "sender_halted"
    MESSAGING_LIMIT = "messaging_limit"
    PAIR_LIMIT = "pair_limit"
    SENDER_LIMIT = "sender_limit"


class RouteKind(StrEnum):
    SESSION = "session"
    TEMPLATE = "template"
    HOLD = "hold"
    DEFER = "defer"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRoute:
    """Send `content` freely. Only `decide` builds one, and only while the window is open."""

    rule: Rule
    content: SessionContent
    #: WhatsApp's id of the message that `content` quotes.
    reply_to: str | None = None
    #: The last instant at which the request may begin: the window's end less the margin.
    begin_before: datetime
    kind: RouteKind = RouteKind.SESSION


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateRoute:
    rule: Rule
    call: TemplateCall
    template: Template
    kind: RouteKind = RouteKind.TEMPLATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Wait until the contact writes."""

    rule: Rule
    kind: RouteKind = RouteKind.HOLD


@dataclass(frozen=True, slots=True, kw_only=True)
class Defer:
    """Wait until a time, or until what is named changes."""

    rule: Rule
    #: None: no time is known; what it waits for wakes it.
    until: datetime | None = None
    #: The template whose change wakes it.
    template: Template | None = None
    #: The rule of the route that has to wait.
    of: Rule | None = None
    kind: RouteKind = RouteKind.DEFER


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse:
    rule: Rule
    kind: RouteKind = RouteKind.REFUSE


Route = SessionRoute | TemplateRoute | Hold | Defer | Refuse
