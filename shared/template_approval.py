"""Submitting, editing, un-pausing and deleting a template: the provider is asked first, then it is recorded.

Where nobody knows whether the provider did it, nothing is made up: the next reading of its list tells.
CM.com has no template API that is known (reference cm 7): there the decisions are recorded by hand.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, assert_never

from shared.clock import to_ms
from shared.configuration import AnySender, CmSender, MetaSender
from shared.deps import Deps
from shared.domain.consent import Category
from shared.domain.retry import ErrorClass
from shared.domain.template_edits import MOST_EDITS, delete_refusal, edit_refusal
from shared.domain.templates import Approval, Gate, Template, TemplateId, TemplateStatus
from shared.providers.base import Rejected
from shared.providers.meta.template_list import ListedTemplate
from shared.providers.meta.template_words import STATUSES
from shared.providers.meta.templates import MetaTemplates, TemplateCreated, is_existing
from shared.settings import LEASE
from shared.store.template_history import TemplateEntry
from shared.store.template_sync import SyncReport
from shared.store.templates import Decided, Edited
from shared.template_hindrance import Hindered, Hindrance, example_needed, hindered_by, not_now
from shared.template_sync import adopt

#: What Meta answers about an object that is not there, among much else ("Error codes", read 2026-09).
_NO_SUCH_OBJECT = "100"


@dataclass(frozen=True, slots=True)
class TemplateDesk:
    """Does it for one app with one sender's account. None: it is done."""

    deps: Deps
    sender: AnySender
    #: The app whose key it was.
    by: str

    def submit(self, template: Template) -> Hindered | None:
        if template.status not in {TemplateStatus.DRAFT, TemplateStatus.REJECTED}:
            return Hindered(code=Hindrance.TEMPLATE_BUSY, detail=f"It is {template.status} already.")
        if isinstance(self.sender, CmSender):
            self._submit_by_hand(self.sender, template)
            return None
        if template.provider_id is None:
            return self._create(self.sender, template)
        return self.edit(template, template, template.category)

    def edit(self, template: Template, new: Template, category: Category) -> Hindered | None:
        """Put the content of `new` in place, in `category`; what WhatsApp has is edited there."""
        if isinstance(self.sender, MetaSender) and template.provider_id is not None:
            return self._edit_there(self.sender, template, new, category)
        gate = Approval.APPROVED if self._is_gate_open else Approval.PENDING
        fields = {
            "draft": "1",
            "error_stop": "",
            f"gate:{Gate.PROVIDER}": gate.value,
            f"gate:{Gate.WHATSAPP}": Approval.PENDING.value,
            **_WITHOUT_REASONS,
        }
        return self._replace(template, new, category, fields, is_there=False)

    def decide(
        self, template: Template, gate: Gate, decision: Approval, reason: str | None, version: int | None
    ) -> Hindered | None:
        """A decision by hand, about the content of that version; None: about the one in `template`."""
        seen = template.version if version is None else version
        entry = self._entry("decided", gate=gate, decision=decision, reason=reason, version=seen)
        decided = self.deps.templates.decide(
            self.sender.business, template.id, gate, decision, reason, version=seen, entry=entry
        )
        match decided:
            case Decided.DECIDED:
                return None
            case Decided.MISSING:
                return _GONE
            case Decided.RACED:
                detail = f"It has no version {seen} any more: look at the one in force, then decide on that."
                return Hindered(code=Hindrance.TEMPLATE_EDITED, detail=detail, errors={"version": [detail]})
            case _:
                assert_never(decided)

    def resume(self, template: Template) -> Hindered | None:
        """What an error stopped goes on, and there what pacing paused. Harmless otherwise."""
        now, id_ = self._now(), template.id
        self.deps.templates.resume(self.sender.business, id_, now=now, entry=self._entry("resumed", now))
        template = self.deps.templates.get(self.sender.business, id_) or template
        if template.is_category_changed:
            self._accept_category(template)
        is_paused = template.stopped is TemplateStatus.PAUSED and template.provider_id is not None
        if not isinstance(self.sender, MetaSender) or not is_paused:
            return None
        answer = self._meta(self.sender).unpause(template.provider_id or "")
        if isinstance(answer, Rejected):
            return hindered_by(answer)
        fields = {"stopped": "", "stopped_reason": "", "stopped_until": "", **self._told("stopped")}
        self.deps.templates.change(self.sender.business, id_, fields, entry=self._entry("unpaused"))
        return None

    def _accept_category(self, template: Template) -> None:
        """It goes on as what WhatsApp made of it."""
        fields = {"original_category": template.category.value}
        entry = self._entry("category_accepted", category=template.category)
        self.deps.templates.change(self.sender.business, template.id, fields, entry=entry)

    def delete(self, template: Template) -> Hindered | None:
        """Here, and at Meta where it was submitted; a repeat after a doubt looks whether it is gone there."""
        refusal = delete_refusal(template) if template.provider_id is not None else None
        if refusal is not None:
            return not_now(refusal)
        if isinstance(self.sender, MetaSender) and template.provider_id is not None:
            answer = self._meta(self.sender).delete(template.provider_id, template.id.name)
            if isinstance(answer, Rejected) and not self._is_gone(self.sender, template, answer):
                return hindered_by(answer)
        self.forget(template.id)
        return None

    def forget(self, template_id: TemplateId) -> None:
        """Here alone."""
        self.deps.templates.delete(self.sender.business, template_id, entry=self._entry("deleted"))

    @property
    def _is_gate_open(self) -> bool:
        """The provider's own: Meta has none beside WhatsApp's, CM.com's may be automatic."""
        return not isinstance(self.sender, CmSender) or self.sender.is_provider_approval_automatic

    def _submit_by_hand(self, sender: CmSender, template: Template) -> None:
        gate = Approval.APPROVED if sender.is_provider_approval_automatic else Approval.PENDING
        fields = {
            "draft": "",
            f"gate:{Gate.PROVIDER}": gate.value,
            f"gate:{Gate.WHATSAPP}": Approval.PENDING.value,
            **_WITHOUT_REASONS,
        }
        self.deps.templates.change(sender.business, template.id, fields, entry=self._entry("submitted"))

    def _create(self, sender: MetaSender, template: Template) -> Hindered | None:
        if needed := example_needed(template):
            return needed
        answer = self._meta(sender).create(template)
        if isinstance(answer, TemplateCreated):
            self._record_creation(template, answer)
            return None
        if is_existing(answer):
            return self._adopt(sender, template)
        if answer.row.error_class is ErrorClass.IN_DOUBT:
            self.deps.template_sync.hasten(sender.business, sender.account)
        return hindered_by(answer)

    def _record_creation(self, template: Template, created: TemplateCreated) -> None:
        approval, stopped = STATUSES.get(created.status, (Approval.PENDING, None))
        fields = {
            "draft": "",
            "provider_id": created.provider_id,
            "whatsapp_version": str(template.version),
            "category": created.category or template.category,
            f"gate:{Gate.WHATSAPP}": (approval or Approval.PENDING).value,
            "stopped": stopped or "",
            **_WITHOUT_REASONS,
            **self._told(f"gate:{Gate.WHATSAPP}", "stopped", "category"),
        }
        entry = self._entry("submitted", status=created.status.lower(), category=created.category)
        self.deps.templates.change(self.sender.business, template.id, fields, entry=entry)

    def _adopt(self, sender: MetaSender, template: Template) -> Hindered | None:
        """It exists at Meta, from a call whose answer was lost perhaps: what the list says of it counts."""
        now = self._now()
        listed = self._find(sender, template)
        if isinstance(listed, Rejected):
            return hindered_by(listed)
        if listed is None:
            return Hindered(
                code=Hindrance.PROVIDER_IN_DOUBT, detail="Meta says it exists and lists none yet."
            )
        adopt(self.deps, sender, listed, template, SyncReport(started_at=now, ended_at=now))
        return None

    def _edit_there(
        self, sender: MetaSender, template: Template, new: Template, category: Category
    ) -> Hindered | None:
        now = self._now()
        refusal = edit_refusal(template, category, now)
        hindered = example_needed(new) if refusal is None else not_now(refusal, now)
        if hindered is not None:
            return hindered
        # From here on nothing is sent with it: whether Meta has the old content or the new one is not known.
        begun = self.deps.templates.begin_edit(
            sender.business, template, until=now + LEASE, nonce=self.deps.new_nonce(), now=now
        )
        if begun is not Edited.EDITED:
            return _not_edited(begun)
        asked = replace(new, category=category, original_category=category)
        answer = self._meta(sender).edit(template.provider_id or "", asked)
        if isinstance(answer, Rejected):
            self._end_edit(template, answer)
            return hindered_by(answer)
        is_counted = template.status is TemplateStatus.APPROVED
        edits = (*template.edits, *((now,) if is_counted else ()))[-MOST_EDITS:]
        fields = {
            "editing": "",
            "draft": "",
            "edits": " ".join(str(to_ms(at)) for at in edits),
            f"gate:{Gate.WHATSAPP}": Approval.PENDING.value,
            "stopped": "",
            "stopped_reason": "",
            "stopped_until": "",
            "error_stop": "",
            **_WITHOUT_REASONS,
            **self._told(f"gate:{Gate.WHATSAPP}", "stopped"),
        }
        return self._replace(template, new, category, fields, is_there=True)

    def _end_edit(self, template: Template, answer: Rejected) -> None:
        """Meta did not do it, or nobody knows: then a list tells that was asked for from now on."""
        is_in_doubt = answer.row.error_class is ErrorClass.IN_DOUBT
        fields = {"editing": str(to_ms(self._now())) if is_in_doubt else ""}
        self.deps.templates.change(self.sender.business, template.id, fields)
        if is_in_doubt:
            self.deps.template_sync.hasten(self.sender.business, self.sender.account)

    def _replace(
        self,
        template: Template,
        new: Template,
        category: Category,
        fields: dict[str, str],
        *,
        is_there: bool,
    ) -> Hindered | None:
        if category is not template.category:
            fields |= {"category": category, "original_category": category, "tag": new.tag or ""}
        edited = self.deps.templates.edit(
            self.sender.business,
            template,
            new,
            fields,
            nonce=self.deps.new_nonce(),
            entry=self._entry("edited", replaced=template.version),
            is_at_whatsapp=is_there,
        )
        return None if edited is Edited.EDITED else _not_edited(edited)

    def _is_gone(self, sender: MetaSender, template: Template, answer: Rejected) -> bool:
        if answer.code != _NO_SUCH_OBJECT:
            return False
        return self._find(sender, template) is None

    def _find(self, sender: MetaSender, template: Template) -> ListedTemplate | Rejected | None:
        """As Meta lists it; None where it does not, or is deleting it."""
        page = self._meta(sender).page(name=template.id.name)
        if isinstance(page, Rejected):
            return page
        name = (template.id.name, template.id.language)
        found = [one for one in page.templates if (one.name, one.language) == name]
        return next((one for one in found if isinstance(one, ListedTemplate) and not one.is_gone), None)

    def _meta(self, sender: MetaSender) -> MetaTemplates:
        return self.deps.meta_templates[sender.alias]

    def _told(self, *fields: str) -> dict[str, str]:
        """What was said just now; a webhook of the very second is newer."""
        seconds = int(self._now().timestamp())
        return {f"told:{name}": f"{seconds}|0" for name in fields}

    def _entry(self, event: str, at: datetime | None = None, **details: Any) -> TemplateEntry:  # noqa: ANN401
        return TemplateEntry(at=at or self._now(), by=self.by, event=event, details=details)

    def _now(self) -> datetime:
        return self.deps.clock.now()


_GONE = Hindered(code=Hindrance.UNKNOWN_TEMPLATE, detail="It has just been deleted.")


def _not_edited(edited: Edited) -> Hindered:
    if edited is Edited.MISSING:
        return _GONE
    detail = "Another edit was faster, or is under way: look at the template again, then edit what it has."
    return Hindered(code=Hindrance.TEMPLATE_BUSY, detail=detail)


_WITHOUT_REASONS = {f"reason:{gate}": "" for gate in Gate}
