"""Templates as registered here, and what was decided about them."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

import redis

from shared.clock import to_ms
from shared.domain.templates import Approval, Gate, Template, TemplateId
from shared.errors import UnreadableTemplateError
from shared.store.connection import read_hash, translated
from shared.store.keys import Keys
from shared.store.scripts import Call, Scripts
from shared.store.template_codec import dump_content, dump_template, readable_template
from shared.store.template_history import TemplateEntry, dump_entry, dump_replaced


class Edited(StrEnum):
    """How an edit, or the beginning of one, ended."""

    EDITED = "edited"
    #: Another was faster, or is under way.
    RACED = "raced"
    MISSING = "missing"


class Decided(StrEnum):
    """How a decision by hand ended."""

    DECIDED = "decided"
    #: It was edited since: the decision is about a content that it has no more.
    RACED = "raced"
    MISSING = "missing"


class Templates:
    def __init__(self, client: redis.Redis, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def create(
        self, business: str, template: Template, *, nonce: str, entry: TemplateEntry | None = None
    ) -> bool:
        """Register it; False when (account, name, language) exists. `nonce` makes the call safe to repeat."""
        return self._save(business, template.id, "create", nonce, dump_template(template), entry)

    def decide(
        self,
        business: str,
        template_id: TemplateId,
        gate: Gate,
        decision: Approval,
        reason: str | None,
        *,
        version: int | None = None,
        entry: TemplateEntry | None = None,
    ) -> Decided:
        """Record a decision at a gate about one content of it; None: whichever it has. Wakes what waits."""
        told = (to_ms(entry.at) if entry else "", dump_entry(entry))
        arguments = (str(template_id), version or "", gate, decision, reason or "", *told)
        return Decided(self._scripts.run(Call.of("decide_template", business, *arguments))[0])

    def change(
        self,
        business: str,
        template_id: TemplateId,
        fields: Mapping[str, str],
        *,
        entry: TemplateEntry | None = None,
    ) -> bool:
        """Set fields of it, '' deletes one; False when there is no such template. Wakes what waits for it."""
        return self._save(business, template_id, "change", "", fields, entry)

    def begin_edit(
        self, business: str, old: Template, *, until: datetime, nonce: str, now: datetime
    ) -> Edited:
        """Nothing is sent with it, and no other edit begins, until the provider's answer is recorded.

        `until`: when the call is over whatever comes of it; a list that was asked for later tells what did.
        """
        arguments = (str(old.id), old.version, to_ms(until), nonce, to_ms(now))
        return Edited(self._scripts.run(Call.of("begin_template_edit", business, *arguments))[0])

    def edit(
        self,
        business: str,
        old: Template,
        new: Template,
        fields: Mapping[str, str],
        *,
        nonce: str,
        entry: TemplateEntry,
        is_at_whatsapp: bool = False,
    ) -> Edited:
        """Put the content of `new` in the place of `old`, which stays readable; `fields` change with it.

        `is_at_whatsapp`: it has just been edited there, too.
        """
        changed = {**dump_content(new), "content_at": str(to_ms(entry.at)), **fields}
        flat = [text for pair in changed.items() for text in pair]
        told = (nonce, to_ms(entry.at), dump_entry(entry), int(is_at_whatsapp))
        replaced = (str(old.id), old.version, dump_replaced(old, entry.at))
        return Edited(self._scripts.run(Call.of("edit_template", business, *replaced, *told, *flat))[0])

    def delete(self, business: str, template_id: TemplateId, *, entry: TemplateEntry) -> bool:
        """Forget it; False when there was none. What is queued with it is decided anew."""
        arguments = (str(template_id), template_id.account, to_ms(entry.at), dump_entry(entry))
        return bool(self._scripts.run(Call.of("delete_template", business, *arguments)))

    def resume(
        self,
        business: str,
        template_id: TemplateId,
        *,
        now: datetime | None = None,
        entry: TemplateEntry | None = None,
    ) -> bool:
        """By hand: what an error stopped goes on; False when none has."""
        arguments = (to_ms(now) if now else "", str(template_id), dump_entry(entry))
        return bool(self._scripts.run(Call.of("resume_template", business, *arguments)))

    def get(self, business: str, template_id: TemplateId) -> Template | None:
        """None: there is none. Raises UnreadableTemplateError."""
        stored = read_hash(self._client, Keys(business).template(template_id))
        template = readable_template(stored)
        if stored and template is None:
            raise UnreadableTemplateError(str(template_id))
        return template

    def list(self, business: str, account: str) -> list[Template]:
        """All of an account that can be read, by name and language."""
        keys = Keys(business)
        with translated(self._client):
            ids = sorted(self._client.smembers(keys.templates(account)))
            pipeline = self._client.pipeline(transaction=False)
            for template_id in ids:
                pipeline.hgetall(keys.template(template_id))
            stored = pipeline.execute()
        found = map(readable_template, stored)
        return [template for template in found if template is not None]

    def _save(
        self,
        business: str,
        template_id: TemplateId,
        mode: str,
        nonce: str,
        fields: Mapping[str, str],
        entry: TemplateEntry | None,
    ) -> bool:
        flat = [text for pair in fields.items() for text in pair]
        told = (to_ms(entry.at) if entry else "", dump_entry(entry))
        arguments = (str(template_id), template_id.account, mode, nonce, *told, *flat)
        return bool(self._scripts.run(Call.of("save_template", business, *arguments)))
