"""As what a message is billed: the provider's words, or `other` for one that we do not know.

Source: Meta, "Messages webhook: status", read 2026-09; `type` is missing in webhooks older than v24.
"""

from collections.abc import Mapping

CATEGORIES = frozenset(
    {
        "marketing",
        "marketing_lite",
        "utility",
        "authentication",
        "authentication_international",
        "service",
        "referral_conversion",
        "general_purpose_ai",
        "group_marketing",
        "group_utility",
        "group_service",
    }
)
TYPES = frozenset({"regular", "free_customer_service", "free_entry_point", "free_group_customer_service"})
OTHER = "other"


def billed_as(pricing: Mapping[str, object]) -> tuple[str, str] | None:
    """Category and type, each one of a few words; None: the report does not say what it costs."""
    category = pricing.get("category")
    if not isinstance(category, str):
        return None
    # One page spells it with a hyphen.
    word = category.replace("-", "_")
    return (word if word in CATEGORIES else OTHER, _type_of(pricing))


def _type_of(pricing: Mapping[str, object]) -> str:
    given = pricing.get("type")
    if given is None and pricing.get("billable") is True:
        return "regular"
    return given if isinstance(given, str) and given in TYPES else OTHER
