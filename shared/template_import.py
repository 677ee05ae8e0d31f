"""Brings one template by its name from the provider's account, before the whole list is read again."""

from dataclasses import dataclass

from shared.configuration import MetaSender
from shared.deps import Deps
from shared.domain.templates import Source
from shared.providers.base import Rejected
from shared.providers.meta.template_list import ListedTemplate, TemplatePage, UnreadableTemplate
from shared.store.template_sync import SyncReport
from shared.template_hindrance import Hindered, hindered_by
from shared.template_sync import adopt


@dataclass(frozen=True, slots=True)
class NotThere:
    """The account has none that could be brought, and why."""

    #: Of what was asked for: `name` or `language`.
    field: str
    mend: str


def bring(deps: Deps, sender: MetaSender, name: str, language: str) -> Hindered | NotThere | None:
    """None: it is here, with what the provider says of it."""
    now = deps.clock.now()
    page = deps.meta_templates[sender.alias].page(name=name)
    if isinstance(page, Rejected):
        return hindered_by(page)
    found = _find(page, name, language)
    if isinstance(found, NotThere):
        return found
    adopt(deps, sender, found, None, SyncReport(started_at=now, ended_at=now), source=Source.PROVIDER)
    return None


def _find(page: TemplatePage, name: str, language: str) -> ListedTemplate | NotThere:
    """The filter of the list finds parts of names, too."""
    named = {one.language: one for one in page.templates if one.name == name and not _is_gone(one)}
    if not named:
        return NotThere("name", "the sender's account at Meta has none of this name")
    match named.get(language):
        case None:
            return NotThere("language", f"the sender's account at Meta has it in {', '.join(sorted(named))}")
        case UnreadableTemplate(reason=reason):
            return NotThere("name", f"it cannot be used here: {reason}")
        case found:
            return found


def _is_gone(one: ListedTemplate | UnreadableTemplate) -> bool:
    return isinstance(one, ListedTemplate) and one.is_gone
