"""Templates as this process last saw them: what a request asks for is held against them without a round trip.

`accept` compares the versions and hands over what has changed since, so nothing here has to be fresh.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.domain.template_call import Misfit, TemplateCall, misfits
from shared.domain.templates import Template, TemplateId
from shared.store.codec import pairs
from shared.store.template_codec import readable_template

#: Far more than a business has; then all are forgotten and seen again.
_MOST = 10_000


_UNREADABLE = Misfit(
    "name", "what is stored of the template cannot be read: delete it, then register it anew"
)


@dataclass(frozen=True, slots=True)
class _Unreadable:
    version: str


@dataclass(slots=True)
class SeenTemplates:
    _seen: dict[tuple[str, str], Template | _Unreadable] = field(default_factory=dict)

    def words(self, business: str, ids: Sequence[TemplateId], calls: Sequence[TemplateCall]) -> str:
        """A word a call, as `accept` takes it: the version it was held against, and whether it fits."""
        pairs_of = zip(ids, calls, strict=True)
        return " ".join(self._word(business, template_id, call) for template_id, call in pairs_of)

    def learn(self, business: str, template_id: str, stored: Sequence[str]) -> None:
        """What `accept` says of a template that is not as we saw it."""
        found = pairs(stored)
        if found:
            if len(self._seen) >= _MOST:
                self._seen.clear()
            template = readable_template(found) or _Unreadable(found.get("content_version", ""))
            self._seen[business, template_id] = template

    def misfits(self, business: str, template_id: str, call: TemplateCall) -> tuple[Misfit, ...]:
        """Where the call does not fit; if it does by now, another request has seen an edit in between."""
        template = self._seen.get((business, template_id))
        if isinstance(template, _Unreadable):
            return (_UNREADABLE,)
        found = () if template is None else tuple(misfits(call, template))
        return found or (Misfit("variables", "the template has just been edited: send it again"),)

    def _word(self, business: str, template_id: TemplateId, call: TemplateCall) -> str:
        template = self._seen.get((business, str(template_id)))
        if template is None:
            return "0+"
        if isinstance(template, _Unreadable):
            return f"{template.version}-"
        return f"{template.version}{'+' if call.fits(template) else '-'}"
