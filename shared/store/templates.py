"""Templates as registered here, and what was decided about them."""

import redis

from shared.domain.templates import Approval, Gate, Template, TemplateId
from shared.store.connection import read_hash, translated
from shared.store.keys import Keys
from shared.store.scripts import Call, Scripts
from shared.store.template_codec import dump_template, load_template


class Templates:
    def __init__(self, client: redis.Redis, scripts: Scripts) -> None:
        self._client = client
        self._scripts = scripts

    def create(self, business: str, template: Template, *, nonce: str) -> bool:
        """Register it; False when (account, name, language) exists. `nonce` makes the call safe to repeat."""
        return self._save(business, template.id, "create", nonce, dump_template(template))

    def decide(
        self, business: str, template_id: TemplateId, gate: Gate, decision: Approval, reason: str | None
    ) -> bool:
        """Record a decision at a gate; False when there is no such template. Wakes what waits for it."""
        fields = {f"gate:{gate}": str(decision), f"reason:{gate}": reason or "", "draft": ""}
        return self._save(business, template_id, "change", "", fields)

    def resume(self, business: str, template_id: TemplateId) -> bool:
        """By hand: what an error stopped goes on; False when none has."""
        return bool(self._scripts.run(Call.of("resume_template", business, str(template_id))))

    def get(self, business: str, template_id: TemplateId) -> Template | None:
        return load_template(read_hash(self._client, Keys(business).template(template_id)))

    def list(self, business: str, account: str) -> list[Template]:
        """All of an account, by name and language."""
        keys = Keys(business)
        with translated(self._client):
            ids = sorted(self._client.smembers(keys.templates(account)))
            pipeline = self._client.pipeline(transaction=False)
            for template_id in ids:
                pipeline.hgetall(keys.template(template_id))
            stored = pipeline.execute()
        return [template for hash_ in stored if (template := load_template(hash_)) is not None]

    def _save(
        self, business: str, template_id: TemplateId, mode: str, nonce: str, fields: dict[str, str]
    ) -> bool:
        flat = [text for pair in fields.items() for text in pair]
        arguments = (str(template_id), template_id.account, mode, nonce, *flat)
        return bool(self._scripts.run(Call.of("save_template", business, *arguments)))
