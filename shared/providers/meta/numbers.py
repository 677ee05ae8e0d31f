"""What Meta says of one of our numbers: whether it may send, and how well it is thought of.

Meta, "Messaging limits" and "Health status" (reference meta 3.5), read 2026-05 and 2025-11.
"""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from shared.configuration import MetaSender
from shared.http.client import Answer, HttpClient
from shared.providers.base import Rejected
from shared.providers.meta.graph import Graph, success_of
from shared.providers.meta.templates import read_refusal
from shared.providers.reading import object_at, text_at

_FIELDS = "quality_rating,throughput,whatsapp_business_manager_messaging_limit,health_status"


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberStanding:
    #: AVAILABLE, LIMITED or BLOCKED; None: Meta did not say.
    can_send: str | None
    quality: str | None
    limit: str | None
    throughput: str | None
    #: Meta's clock when it answered, in whole seconds.
    told_at: datetime | None


class MetaNumber:
    """The number of one sender. Safe to call from many threads."""

    def __init__(self, sender: MetaSender, http: HttpClient) -> None:
        self._graph = Graph(sender, http)
        self._path = quote(sender.phone_number_id, safe="")

    def standing(self) -> NumberStanding | Rejected:
        outcome = self._graph.get(self._path, {"fields": _FIELDS})
        body = success_of(outcome)
        if body is None or not isinstance(outcome, Answer):
            return read_refusal(outcome)
        return NumberStanding(
            can_send=text_at(object_at(body, "health_status"), "can_send_message"),
            quality=text_at(body, "quality_rating"),
            limit=text_at(body, "whatsapp_business_manager_messaging_limit"),
            throughput=text_at(object_at(body, "throughput"), "level"),
            told_at=outcome.date,
        )
