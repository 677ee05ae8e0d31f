"""Why a provider says no: Meta's codes with their HTTP status and title.

CM.com answers with numbers of its own but hands Meta's texts on, so both doors speak of a `Refusal`.
reference: Meta "Error codes", read 2026-09; HTTP numbers from the copy of 2025-11, the newer one prints none.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A message the provider will not take, or took and could not send."""

    #: Of Meta's table, or of CM.com's own (1xx to 3xx) inside the CM.com door.
    code: int
    #: What exactly was wrong; never a secret.
    details: str


@dataclass(frozen=True, slots=True)
class MetaError:
    """One row of Meta's table."""

    http_status: int
    title: str


META_ERRORS = {
    1: MetaError(400, "API Unknown"),
    2: MetaError(503, "API Service"),
    3: MetaError(500, "API Method"),
    4: MetaError(400, "API Too Many Calls"),
    10: MetaError(403, "Permission Denied"),
    33: MetaError(400, "Parameter value is not valid"),
    100: MetaError(400, "Invalid parameter"),
    190: MetaError(401, "Access token has expired"),
    200: MetaError(403, "API Permission"),
    368: MetaError(403, "Temporarily blocked for policies violations"),
    80007: MetaError(400, "Rate limit issues"),
    130429: MetaError(400, "Rate limit hit"),
    130472: MetaError(400, "User's number is part of an experiment"),
    130497: MetaError(403, "Business account is restricted from messaging users in this country"),
    131000: MetaError(500, "Something went wrong"),
    131005: MetaError(403, "Access denied"),
    131008: MetaError(400, "Required parameter is missing"),
    131009: MetaError(400, "Parameter value is not valid"),
    131016: MetaError(500, "Service unavailable"),
    131021: MetaError(400, "Recipient cannot be sender"),
    131026: MetaError(400, "Message undeliverable"),
    131031: MetaError(403, "Account has been locked"),
    131037: MetaError(400, "WhatsApp provided number needs display name approval before message can be sent"),
    131042: MetaError(400, "Business eligibility payment issue"),
    131045: MetaError(500, "Incorrect certificate"),
    131047: MetaError(400, "Re-engagement message"),
    131048: MetaError(400, "Spam rate limit hit"),
    131049: MetaError(400, "This message was not delivered to maintain healthy ecosystem engagement"),
    131050: MetaError(400, "User has stopped receipt of marketing messages from this business"),
    131051: MetaError(400, "Unsupported message type"),
    131053: MetaError(400, "Media upload error"),
    131056: MetaError(400, "(Business Account, Consumer Account) pair rate limit hit"),
    131057: MetaError(500, "Account in maintenance mode"),
    132000: MetaError(400, "Template parameter count mismatch"),
    132001: MetaError(404, "Template does not exist"),
    132005: MetaError(400, "Template hydrated text too long"),
    132007: MetaError(400, "Template format character policy violated"),
    132012: MetaError(400, "Template parameter format mismatch"),
    132015: MetaError(400, "Template is paused"),
    132016: MetaError(400, "Template is disabled"),
    132018: MetaError(400, "Template parameter validation failed"),
    133004: MetaError(503, "Server temporarily unavailable"),
    133010: MetaError(400, "Phone number not registered"),
}

WINDOW_CLOSED = Refusal(
    code=131047,
    details="Message failed to send because more than 24 hours have passed since the customer last replied"
    " to this number.",
)


def meta_error(code: int) -> MetaError:
    """The row of `code`; a script may name codes that are not in the table."""
    return META_ERRORS.get(code, MetaError(400, "Unknown error"))
