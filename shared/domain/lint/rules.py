"""Every rule of the lint: its code, how sure it is, and who says so. The checks beside it look for them.

What is certain is an error; what rests on a guess, a judgement or an unconfirmed figure is a warning.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class LintRule:
    level: Level
    source: str


_TPL = 'Meta, "Templates", read 2025-12'
_COMPONENTS = 'Meta, "Template components", read 2025-12'
_REVIEW = 'Meta, "Template review", read 2025-12'
_CATEGORIES = 'Meta, "Template categories", read 2025-12'
_LANGUAGES = 'Meta, "Supported languages", read 2025-12'
_AUTHENTICATION = 'Meta, "Authentication templates", read 2025-12'
_TTL = 'Meta, "Time-to-live", read 2025-12'
_ERRORS = 'Meta, "Error codes", read 2026-09'
_CM_CENTER = "CM.com, knowledgecenter.cm.com/kc/whatsapp-template-rejection, read 2026-11"
_CM_BLOG = "CM.com's blog on message templates and the 24-hour window, 2022: promotion is forbidden"
_OURS = "ours"


def _error(source: str) -> LintRule:
    return LintRule(Level.ERROR, source)


def _warning(source: str) -> LintRule:
    return LintRule(Level.WARNING, source)


RULES: Mapping[str, LintRule] = {
    # Identity
    "name_format": _error(_TPL),
    "language_unknown": _error(_LANGUAGES),
    "language_without_keywords": _warning(f"{_OURS}: who cannot say stop in the language cannot opt out"),
    "tag_unknown": _error(_TPL),
    "tag_old": _warning("facebook_business 12.0.1 to 16.0.2; no official mapping of the old tags is known"),
    "category_refused": _warning(f"{_OURS}: policy.promotional_content is refuse"),
    "unsupported_by_provider": _error("CM.com: its form of authentication templates is not documented"),
    # Time to live
    "ttl_range": _error(_TTL),
    "ttl_ignored": _warning(f"{_TTL}: marketing only by the Marketing Messages API; CM.com names none"),
    # Texts
    "body_empty": _error(_COMPONENTS),
    "body_too_long": _error(_COMPONENTS),
    "body_only_variables": _error(f"{_CATEGORIES}: such a body is unclear"),
    "worst_case_length": _warning(f"{_ERRORS}, 132005; how long values get is our guess"),
    "emoji_many": _warning(f'{_REVIEW}: emoji "may be limited"; the figure is unconfirmed'),
    "footer_too_long": _error(_COMPONENTS),
    "footer_variable": _error(_COMPONENTS),
    "header_too_long": _error(_COMPONENTS),
    "header_markup": _error(_COMPONENTS),
    "header_variables": _error(_COMPONENTS),
    "header_sample_missing": _error(f"{_COMPONENTS}; CM.com adds one of its own"),
    "link_to_whatsapp": _error(f"{_CM_CENTER}: links to wa.me"),
    "duplicate_text": _warning(f"{_REVIEW}: same body and footer; whether WhatsApp has it we do not know"),
    # Variables
    "variables_mixed": _error(_TPL),
    "variables_not_sequential": _error(_REVIEW),
    "variable_name": _error(_TPL),
    "variable_name_digits": _warning(f"{_TPL}; digits in names are unconfirmed"),
    "variable_braces": _error(_REVIEW),
    "variable_sign": _error(_REVIEW),
    "variable_at_edge": _error(f"{_REVIEW}; 2388299"),
    "variables_touch": _error('Meta, "message_template_status_update", INVALID_FORMAT, read 2026-09'),
    "variables_many": _warning(f"{_REVIEW}; 2388293; the formula of 2x + 1 words is unconfirmed"),
    "samples_missing": _error(f"{_TPL}; {_REVIEW}"),
    "sample_empty": _error("netflie/whatsapp-cloud-api issue 201, frappe_whatsapp issue 169"),
    "sample_spaces": _warning(f"{_ERRORS}, 132018: line breaks and runs of spaces are collapsed when sent"),
    # Buttons
    "buttons_too_many": _error(_COMPONENTS),
    "buttons_too_many_of_kind": _error(_COMPONENTS),
    "buttons_mixed_order": _error(f"{_COMPONENTS}: quick replies stand together"),
    "buttons_desktop": _warning(f"{_COMPONENTS}: not shown on desktop clients"),
    "button_label_empty": _error(_COMPONENTS),
    "button_label_too_long": _error(_COMPONENTS),
    "button_url_too_long": _error(_COMPONENTS),
    "button_url_form": _error(f"{_OURS}: what is no address opens nothing"),
    "button_url_variable": _error(_COMPONENTS),
    "button_phone_too_long": _error(_COMPONENTS),
    "button_phone_form": _warning(f"{_OURS}: what is no number calls nobody"),
    "button_code_too_long": _error(_COMPONENTS),
    "button_sample_missing": _error(_COMPONENTS),
    # Authentication
    "authentication_preset": _error(f"{_AUTHENTICATION}; {_CATEGORIES}"),
    # Wording
    "wrong_tag": _error(_CATEGORIES),
    "promotional_wording": _error(_CM_BLOG),
    "language_mismatch": _warning(_CM_CENTER),
    "languages_mixed": _warning(f"{_CM_CENTER}: mixed languages"),
}
