"""The confirmation of an opt-out as the row that writes it, in the same step as the opt-out itself."""

from collections.abc import Callable
from datetime import datetime

from shared.configuration import AnySender
from shared.domain.confirmation import CONFIRM_WITHIN, CONFIRMING_APP, confirmation_of
from shared.domain.consent import ConsentStatus
from shared.domain.identifiers import MessageId
from shared.domain.inbound import Inbound
from shared.store.codec import dump
from shared.store.messages import Acceptance, Messages


class Confirmations:
    def __init__(
        self, messages: Messages, *, default_language: str, new_message_id: Callable[[], MessageId]
    ) -> None:
        """`default_language`: of STOP, which is the same in all."""
        self._messages = messages
        self._default_language = default_language
        self._new_message_id = new_message_id

    def row(self, sender: AnySender, inbound: Inbound, now: datetime) -> str:
        """JSON for parts/confirming.lua; '' where there is nothing to confirm, or too late."""
        keyword, contact = inbound.keyword, inbound.event.contact
        is_out = keyword is not None and keyword.status is ConsentStatus.OPTED_OUT
        if keyword is None or not is_out or not inbound.opens_window or now >= inbound.at + CONFIRM_WITHIN:
            return ""
        request = confirmation_of(
            keyword,
            sender=sender.alias,
            contact=contact,
            at=inbound.at,
            default_language=self._default_language,
        )
        acceptance = Acceptance(
            message_id=self._new_message_id(), app=CONFIRMING_APP, request=request, wants_facts=False
        )
        return dump([str(argument) for argument in self._messages.row(sender, acceptance, now)])
