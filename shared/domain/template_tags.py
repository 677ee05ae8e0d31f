"""The tags that a template may be registered under, and the category that each proposes."""

from collections.abc import Mapping

from shared.domain.consent import Category

#: Today's, which are the categories themselves.
TODAYS_TAGS: Mapping[str, Category] = {category.name: category for category in Category}

#: Of 2021 and 2022, kept for imports. No official mapping is known: each is a proposal to look at.
OLD_TAGS: Mapping[str, Category] = {
    "OTP": Category.AUTHENTICATION,
    "TRANSACTIONAL": Category.UTILITY,
    "ACCOUNT_UPDATE": Category.UTILITY,
    "ALERT_UPDATE": Category.UTILITY,
    "APPOINTMENT_UPDATE": Category.UTILITY,
    "AUTO_REPLY": Category.UTILITY,
    "ISSUE_RESOLUTION": Category.UTILITY,
    "PAYMENT_UPDATE": Category.UTILITY,
    "PERSONAL_FINANCE_UPDATE": Category.UTILITY,
    "RESERVATION_UPDATE": Category.UTILITY,
    "SHIPPING_UPDATE": Category.UTILITY,
    "TICKET_UPDATE": Category.UTILITY,
    "TRANSPORTATION_UPDATE": Category.UTILITY,
}

#: Meta's own SDK facebook_business 12.0.1 to 21.0.0, `WhatsAppBusinessAccount.Category`, read 2026-11.
TAGS: Mapping[str, Category] = {**TODAYS_TAGS, **OLD_TAGS}
