"""Templates as this process last saw them: what a request asks for is held against them without a round trip.

`accept` compares the versions and hands over what has changed since, so nothing here has to be fresh.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.domain.template_call import Misfit, TemplateCall, misfits
from shared.domain.templates import Template, TemplateId
from shared.store.codec import pairs
from shared.store.template_codec import load_template

#: Far more than a business has; then all are forgotten and seen again.
_MOST = 10_000


@dataclass(slots=True)
class SeenTemplates:
    _seen: dict[tuple[str, str], Template] = field(default_factory=dict)

    def words(self, business: str, ids: Sequence[TemplateId], calls: Sequence[TemplateCall]) -> str:
        """A word a call, as `accept` takes it: the version it was held against, and whether it fits."""
        pairs_of = zip(ids, calls, strict=True)
        return " ".join(self._word(business, template_id, call) for template_id, call in pairs_of)

    def learn(self, business: str, template_id: str, stored: Sequence[str]) -> None:
        """What `accept` says of a template that is not as we saw it."""
        template = load_template(pairs(stored))
        if template is not None:
            if len(self._seen) >= _MOST:
                self._seen.clear()
            self._seen[business, template_id] = template

    def misfits(self, business: str, template_id: str, call: TemplateCall) -> tuple[Misfit, ...]:
        """Where the call does not fit; if it does by now, another request has seen an edit in between."""
        template = self._seen.get((business, template_id))
        found = () if template is None else tuple(misfits(call, template))
        return found or (Misfit("variables", "the template has just been edited: send it again"),)

    def _word(self, business: str, template_id: TemplateId, call: TemplateCall) -> str:
        template = self._seen.get((business, str(template_id)))
        if template is None:
            return "0+"
        return f"{template.version}{'+' if call.fits(template) else '-'}"
