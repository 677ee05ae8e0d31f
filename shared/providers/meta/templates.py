"""Meta's template API for one account: create, list, edit, delete, un-pause. One call each, nothing kept.

Meta, "Template management" and "Template pacing" (reference meta 6.6, 6.7), read 2025-12 and 2026-09.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from shared.configuration import MetaSender
from shared.domain.consent import Category
from shared.domain.provider_errors import ErrorRow
from shared.domain.templates import Template
from shared.http.client import Answer, Doubt, HttpClient, NotSent
from shared.providers.base import UNLISTED, Rejected
from shared.providers.meta.errors import detail_of, row_of
from shared.providers.meta.graph import Graph, success_of
from shared.providers.meta.template_components import components_of, parameter_format
from shared.providers.meta.template_list import FIELDS, TemplatePage, read_page
from shared.providers.meta.template_words import category_of
from shared.providers.outcomes import without_answer, without_code
from shared.providers.reading import number_text, object_at, text_at
from shared.providers.rows import ErrorTable

TABLE = ErrorTable.load("shared.providers.meta", "template_errors.toml")
#: Third parties report it for a name that is taken; UNCONFIRMED, so the words count as well.
ALREADY_EXISTS = "2388024"
_PAGE_SIZE = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateCreated:
    """Meta took it for review."""

    provider_id: str
    #: Meta's word for how it stands, PENDING most often.
    status: str
    #: What Meta files it under, which may not be what was asked for.
    category: Category | None


@dataclass(frozen=True, slots=True)
class TemplateChanged:
    """Meta did what was asked."""


class MetaTemplates:
    """The templates of one sender's account. Safe to call from many threads."""

    def __init__(self, sender: MetaSender, http: HttpClient) -> None:
        self._graph = Graph(sender, http)
        self._edge = f"{quote(sender.business_account_id, safe='')}/message_templates"

    def create(self, template: Template) -> TemplateCreated | Rejected:
        outcome = self._graph.post(self._edge, creation_of(template))
        body = success_of(outcome) or {}
        provider_id = number_text(body.get("id"))
        if provider_id is None:
            return read_refusal(outcome)
        return TemplateCreated(
            provider_id=provider_id,
            status=(text_at(body, "status") or "PENDING").upper(),
            category=category_of(body.get("category")),
        )

    def edit(self, provider_id: str, template: Template) -> TemplateChanged | Rejected:
        """Replace the content: all components, or Meta would keep what is left out."""
        return self._change(self._graph.post(quote(provider_id, safe=""), edit_of(template)))

    def delete(self, provider_id: str, name: str) -> TemplateChanged | Rejected:
        """Of this language alone; an approved one's name is blocked for 30 days."""
        return self._change(self._graph.delete(self._edge, {"hsm_id": provider_id, "name": name}))

    def unpause(self, provider_id: str) -> TemplateChanged | Rejected:
        """What pacing has paused goes on; a pause for its quality ends by itself."""
        return self._change(self._graph.post(f"{quote(provider_id, safe='')}/unpause", {}))

    def page(self, after: str | None = None, *, name: str | None = None) -> TemplatePage | Rejected:
        """One page of the list; `after` is what the page before gave as `next`."""
        query = {"fields": FIELDS, "limit": str(_PAGE_SIZE)}
        query |= {"after": after} if after else {}
        query |= {"name": name} if name else {}
        outcome = self._graph.get(self._edge, query)
        body = success_of(outcome)
        return read_refusal(outcome) if body is None else read_page(body)

    def _change(self, outcome: Answer | NotSent | Doubt) -> TemplateChanged | Rejected:
        body = success_of(outcome)
        if body is not None and body.get("success") is True:
            return TemplateChanged()
        if body is not None and text_at(body, "reason"):
            row = ErrorRow(error_class=UNLISTED.error_class, advice="Meta did not do it; its words say why.")
            return Rejected(code="not_done", row=row, detail=text_at(body, "reason") or "")
        return read_refusal(outcome)


def creation_of(template: Template) -> dict[str, Any]:
    return {
        "name": template.id.name,
        "language": template.id.language,
        "parameter_format": parameter_format(template),
        **edit_of(template),
    }


def edit_of(template: Template) -> dict[str, Any]:
    category = template.original_category or template.category
    body: dict[str, Any] = {
        "category": category.upper(),
        "components": components_of(template, template.category),
    }
    return body | ({"message_send_ttl_seconds": template.ttl_seconds} if template.ttl_seconds else {})


def read_refusal(outcome: Answer | NotSent | Doubt) -> Rejected:
    """A code of template management stands in `error_subcode` or `code`, and its words beside it."""
    if not isinstance(outcome, Answer):
        return without_answer(outcome)
    error = object_at(outcome.body if isinstance(outcome.body, dict) else {}, "error")
    subcode, code = number_text(error.get("error_subcode")), number_text(error.get("code"))
    known = next((each for each in (subcode, code) if each and TABLE.row(each) is not UNLISTED), code)
    if known is None:
        return without_code(outcome)
    row = TABLE.row(known)
    return Rejected(
        code=known,
        row=row_of(known) if row is UNLISTED else row,
        detail=_words_of(error),
        retry_after=outcome.retry_after,
    )


def is_existing(refused: Rejected) -> bool:
    """The name is taken in this language."""
    return refused.code == ALREADY_EXISTS or "already exists" in refused.detail.casefold()


def _words_of(error: Mapping[str, Any]) -> str:
    """What Meta wrote for people, where it did."""
    words = (text_at(error, "error_user_title"), text_at(error, "error_user_msg"))
    return ": ".join(word for word in words if word) or detail_of(error)
