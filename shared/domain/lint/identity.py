"""A template's name, language, tag and time to live."""

import re
from collections.abc import Iterator, Mapping

from shared.domain.consent import Category
from shared.domain.lint.findings import Candidate, Finding, PromotionalContent, found
from shared.domain.template_tags import OLD_TAGS, TAGS, TODAYS_TAGS

_NAME = re.compile(r"[a-z0-9_]{1,512}", re.ASCII)

#: Meta, "Supported languages", read 2025-12; CM.com takes WhatsApp's codes.
_CODES = """
af sq ar ar_EG ar_AE ar_LB ar_MA ar_QA az be_BY bn bn_IN bg ca zh_CN zh_HK zh_TW hr cs da prs_AF nl
nl_BE en en_GB en_US en_AE en_AU en_CA en_GH en_IE en_IN en_JM en_MY en_NZ en_QA en_SG en_UG en_ZA
et fil fi fr fr_BE fr_CA fr_CH fr_CI fr_MA ka de de_AT de_CH el gu ha he hi hu id ga it ja kn kk
rw_RW ko ky_KG lo lv lt mk ms ml mr nb ps_AF fa pl pt_BR pt_PT pa ro ru sr si_LK sk sl es es_AR
es_CL es_CO es_CR es_DO es_EC es_HN es_MX es_PA es_PE es_ES es_UY sw sv ta te th tr uk ur uz vi zu
"""
LANGUAGES = frozenset(_CODES.split())

#: Seconds, shortest and longest; Meta, "Time-to-live", read 2025-12.
_TTL_RANGES: Mapping[Category, tuple[int, int]] = {
    Category.AUTHENTICATION: (30, 900),
    Category.UTILITY: (30, 43_200),
    Category.MARKETING: (43_200, 2_592_000),
}
#: Thirty days, for authentication and utility.
_TTL_LONGEST = -1


def check_identity(candidate: Candidate) -> Iterator[Finding]:
    if not _NAME.fullmatch(candidate.name):
        yield found("name_format", "name", "use 1 to 512 lower-case letters, digits and underscores")
    yield from _check_language(candidate)
    yield from _check_tag(candidate)
    yield from _check_ttl(candidate)


def _check_language(candidate: Candidate) -> Iterator[Finding]:
    language, known = candidate.language, candidate.policy.keyword_languages
    if language not in LANGUAGES:
        near = sorted(code for code in LANGUAGES if code.lower()[:2] == language.lower()[:2])
        meant = f"one of {', '.join(near)}" if near else "a code that WhatsApp has, like it or pt_BR"
        yield found("language_unknown", "language", f"write {meant}: there is no fallback to a near one")
    elif known and candidate.base not in known:
        mend = f"contacts opt out by keyword in {', '.join(known)} only: see policy.languages"
        yield found("language_without_keywords", "language", mend)


def _check_tag(candidate: Candidate) -> Iterator[Finding]:
    tag = candidate.tag
    if tag not in TAGS:
        yield found("tag_unknown", "tag", f"write one of {', '.join(TODAYS_TAGS)}")
    elif tag in OLD_TAGS:
        mend = f"a tag of 2022: {OLD_TAGS[tag].name} is what we propose; look whether it fits"
        yield found("tag_old", "tag", mend)
    if candidate.category is Category.MARKETING and candidate.policy.promotional is PromotionalContent.REFUSE:
        mend = "it will not be sent while policy.promotional_content is refuse"
        yield found("category_refused", "tag", mend)


def _check_ttl(candidate: Candidate) -> Iterator[Finding]:
    seconds = candidate.content.ttl_seconds
    if seconds is None:
        return
    shortest, longest = _TTL_RANGES[candidate.category]
    is_marketing = candidate.category is Category.MARKETING
    if not shortest <= seconds <= longest and (is_marketing or seconds != _TTL_LONGEST):
        mend = f"between {shortest} and {longest} seconds for {candidate.category}"
        yield found("ttl_range", "ttl_seconds", mend if is_marketing else f"{mend}, or -1 for 30 days")
    elif is_marketing or candidate.policy.provider == "cm":
        yield found("ttl_ignored", "ttl_seconds", "leave it out: it has no effect on what we send")
