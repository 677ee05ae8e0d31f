"""Whose an update is. The address of a POST picks the secrets; an update belongs to the sender it names.

What CM.com's address lets in never speaks for a number whose updates Meta signs, nor the other way round.
"""

from collections.abc import Iterator

from shared.configuration import AnySender, Configuration
from shared.domain.events import (
    AccountChanged,
    MessageReceived,
    PreferenceChanged,
    ProviderEvent,
    StatusReported,
    TemplateEvent,
    UpdateNoted,
    UpdateSetAside,
)
from shared.domain.identifiers import InvalidIdentifierError, PhoneNumber

Owned = tuple[AnySender, ProviderEvent]

UNKNOWN_NUMBER, UNKNOWN_ACCOUNT = "unknown_number", "unknown_account"


def owners(
    configuration: Configuration, addressed: AnySender, event: ProviderEvent, body: bytes
) -> Iterator[Owned]:
    """The senders that an update concerns; nobody's is set aside with its whole body where it came to."""
    match event:
        case MessageReceived() | PreferenceChanged():
            yield _owner(configuration, addressed, event.recipient, event, body)
        case StatusReported() | AccountChanged() if event.recipient is not None:
            yield _owner(configuration, addressed, event.recipient, event, body)
        case StatusReported() | UpdateNoted() | UpdateSetAside():
            yield addressed, event
        case _:
            yield from _of_account(configuration, addressed, event, body)


def _owner(
    configuration: Configuration, addressed: AnySender, recipient: str, event: ProviderEvent, body: bytes
) -> Owned:
    sender = _sender_named(configuration, recipient)
    if sender is None or sender.provider != addressed.provider:
        return addressed, _nobodys(UNKNOWN_NUMBER, body)
    return sender, event


def _of_account(
    configuration: Configuration, addressed: AnySender, event: TemplateEvent | AccountChanged, body: bytes
) -> Iterator[Owned]:
    """News of an account concern each of its senders; a template, once, each business they speak for."""
    senders = [
        sender
        for sender in (configuration.senders_of_account(event.account) if event.account else ())
        if sender.provider == addressed.provider
    ]
    if not senders:
        yield addressed, _nobodys(UNKNOWN_ACCOUNT, body)
    elif isinstance(event, AccountChanged):
        for sender in senders:
            yield sender, event
    else:
        for sender in {sender.business: sender for sender in senders}.values():
            yield sender, event


def _nobodys(reason: str, body: bytes) -> UpdateSetAside:
    return UpdateSetAside(reason=reason, raw=body.decode("utf-8", "replace"))


def _sender_named(configuration: Configuration, recipient: str) -> AnySender | None:
    """By Meta's phone number id, or by our number's digits as CM.com writes it."""
    return configuration.sender_by_recipient.get(recipient) or configuration.sender_by_recipient.get(
        _digits(recipient)
    )


def _digits(recipient: str) -> str:
    try:
        return PhoneNumber.parse(recipient if recipient.startswith(("+", "00")) else f"+{recipient}").digits
    except InvalidIdentifierError:
        return recipient
