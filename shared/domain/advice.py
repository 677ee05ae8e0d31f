"""What to do about a message that did not go: a sentence for people, by the reason it carries.

Where the provider said why, the advice of its error's row (shared/providers) comes first.
"""

from collections.abc import Mapping

from shared.domain.routing import Rule

_OF_THE_PROVIDER = "See the error of the last attempt; retry once its cause is mended."

ADVICE: Mapping[str, str] = {
    Rule.EXPIRED: "Retry with a new expires_in if it is still worth saying.",
    Rule.OPTED_OUT: "Leave it: the contact opted out. A new opt-in, or a message of theirs, allows it again.",
    Rule.WINDOW_CLOSED: "Retry after the contact has written, or send it with when_closed wait or template.",
    Rule.WINDOW_CLOSED_NO_TEMPLATE: "Send it again with a template, or with when_closed wait.",
    Rule.TEMPLATE_NOT_APPROVED: "Have the template approved by both gates, then retry.",
    Rule.TEMPLATE_MISMATCH: "Send it again with the variables that the template has today.",
    Rule.TEMPLATE_CATEGORY_REFUSED: "Its category has changed or is refused: mend that or the policy, retry.",
    Rule.NO_OPT_IN: "Record the contact's opt-in for the template's category if there is one, then retry.",
    Rule.PHONE_NUMBER_REQUIRED: "Send it to a phone number.",
    Rule.RECIPIENT_CAPPED: "Wait until the provider takes such messages for this contact again, then retry.",
    "provider_error": _OF_THE_PROVIDER,
    "provider_window_closed": "Retry after the contact has written, or send it with a template.",
    "tries_exhausted": "The provider's trouble lasted; retry when it is over.",
    "expires_before_retry": "Retry with a new expires_in: the next try would have come too late.",
    "internal_error": "A fault of ours ended it unsent; look at the log of the workers, then retry.",
    "worker_lost": "Ask the contact or the provider whether it arrived, then resolve it, or retry with "
    "accept_duplicate.",
    "resolved_by_hand": "Somebody said that it did not go; retry if it is still worth saying.",
    "cancelled": "Somebody stopped it; send a new one if it shall go after all.",
}


def advice_for(reason: str | None, of_error: str | None) -> str | None:
    """`of_error`: what the provider's error advises, if there was one."""
    return of_error or ADVICE.get(reason or "", None)
