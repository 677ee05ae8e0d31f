"""Reads an account's list of templates at the provider and records it; a bad one costs only itself.

The provider's word counts from before the list was asked for, so no newer webhook is undone. What the list
does not name stays as it is. A template that we do not know is imported, so that apps can use it.
"""

from dataclasses import replace

from shared.configuration import MetaSender
from shared.deps import Deps
from shared.domain.events import TemplateCategoryChanged, TemplateStatusChanged
from shared.domain.template_parts import TemplateContent
from shared.domain.templates import Approval, Gate, Source, Template, TemplateId
from shared.observability import LogEvent, get_logger
from shared.providers.base import Rejected
from shared.providers.meta.template_list import ListedTemplate, UnreadableTemplate
from shared.store.template_sync import Synced, SyncReport, Unread
from shared.store.template_words import Word, category_words, status_words

#: Of a hundred each: far more than an account may have (6,000).
_MOST_PAGES = 100


def sync_templates(deps: Deps, sender: MetaSender) -> SyncReport:
    """Raises StoreUnavailableError; what the provider refuses stands in the report."""
    report = _read_all(deps, sender)
    deps.template_sync.finish(sender.business, sender.account, report)
    log = get_logger()
    (log.warning if report.failed_with else log.info)(
        LogEvent.TEMPLATES_SYNCED,
        sender=sender.alias,
        listed=report.listed,
        imported=report.imported,
        changed=report.changed,
        unread=len(report.unread),
        failed_with=report.failed_with,
    )
    return report


def _read_all(deps: Deps, sender: MetaSender) -> SyncReport:
    started_at = deps.clock.now()
    held = {one.id: one for one in deps.templates.list(sender.business, sender.account)}
    report, after = SyncReport(started_at=started_at, ended_at=started_at), None
    for _ in range(_MOST_PAGES):
        page = deps.meta_templates[sender.alias].page(after)
        if isinstance(page, Rejected):
            return replace(report, failed_with=page.code, advice=page.row.advice, ended_at=deps.clock.now())
        for one in page.templates:
            report = _take(deps, sender, one, held, report)
        after = page.next
        if after is None:
            break
    return replace(report, ended_at=deps.clock.now())


def _take(
    deps: Deps,
    sender: MetaSender,
    one: ListedTemplate | UnreadableTemplate,
    held: dict[TemplateId, Template],
    report: SyncReport,
) -> SyncReport:
    if isinstance(one, UnreadableTemplate):
        unread = Unread(name=one.name, language=one.language, reason=one.reason)
        return replace(report, listed=report.listed + 1, unread=(*report.unread, unread))
    template_id = TemplateId(sender.account, one.name, one.language)
    word = adopt(deps, sender, one, held.get(template_id), report)
    return replace(
        report,
        listed=report.listed + 1,
        imported=report.imported + (word is Synced.IMPORTED),
        changed=report.changed + (word in {Synced.CHANGED, Synced.STOPPED}),
    )


def adopt(
    deps: Deps,
    sender: MetaSender,
    one: ListedTemplate,
    held: Template | None,
    report: SyncReport,
    *,
    source: Source = Source.OWN,
) -> Synced:
    """Take the provider's word about one template, as of when the list was asked for.

    `source`: of one that is not held yet.
    """
    if held is None and one.is_gone:
        return Synced.GONE
    word = deps.template_sync.record(
        sender.business,
        replace(_as_template(sender, one, held), source=source),
        held,
        _words(sender, one, held),
        is_content_other=held is not None and not is_same(held, one.content),
        started_at=report.started_at,
        now=deps.clock.now(),
    )
    if held is not None:
        _alert(sender, one, held, word)
    return word


def _alert(sender: MetaSender, one: ListedTemplate, held: Template, word: Synced) -> None:
    named = {"sender": sender.alias, "template": f"{one.name}/{one.language}"}
    if word is Synced.STOPPED:
        status, reason = one.stopped or one.approval, one.rejected_reason
        get_logger().error(LogEvent.TEMPLATE_STOPPED, **named, status=status, reason=reason)
    if word in {Synced.CHANGED, Synced.STOPPED} and one.category is not held.category:
        announced = one.correct_category
        get_logger().error(LogEvent.TEMPLATE_RELABELLED, **named, category=one.category, announced=announced)


def is_same(held: TemplateContent, listed: TemplateContent) -> bool:
    """What the contact reads. Samples are not always listed, and a file's address never."""
    return _shown(held) == _shown(listed)


def _shown(content: TemplateContent) -> TemplateContent:
    return TemplateContent(
        header=content.header and replace(content.header, sample=None),
        body=content.body.strip(),
        footer=content.footer,
        buttons=tuple(replace(button, sample=None) for button in content.buttons),
    )


def _as_template(sender: MetaSender, one: ListedTemplate, held: Template | None) -> Template:
    """As it would be registered; the samples that we hold stay where the list has none."""
    samples, content = one.content.samples, one.content
    if held is not None and not samples and held.variables == content.variables:
        samples = held.samples
    return Template(
        id=TemplateId(sender.account, one.name, one.language),
        category=one.category,
        original_category=one.category,
        tag=one.category.upper(),
        header=content.header,
        body=content.body,
        footer=content.footer,
        buttons=content.buttons,
        samples=samples,
        ttl_seconds=None if held is None else held.ttl_seconds,
        gates={Gate.PROVIDER: Approval.APPROVED, Gate.WHATSAPP: Approval.PENDING},
        reasons={},
        provider_id=one.provider_id,
    )


def _words(sender: MetaSender, one: ListedTemplate, held: Template | None) -> list[Word]:
    """Less what a webhook knows better: why it is paused and until when, and from when a category changes."""
    status = TemplateStatusChanged(
        account=sender.account,
        name=one.name,
        language=one.language,
        approval=one.approval,
        stopped=one.stopped,
        reason=one.rejected_reason,
    )
    category = TemplateCategoryChanged(
        account=sender.account,
        name=one.name,
        language=one.language,
        category=one.category,
        announced=one.correct_category,
    )
    words = [*status_words(status), *category_words(category)]
    words += [("quality", one.quality, len(one.quality))] if one.quality else []
    words += [("provider_id", one.provider_id, 0)] if one.provider_id else []
    known = set()
    if held is not None and held.stopped is not None and held.stopped is one.stopped:
        known |= {"stopped_reason", "stopped_until"}
    if held is not None and held.announced and held.announced.category is one.correct_category:
        known.add("announced_category_at")
    return [word for word in words if word[0] not in known]
