"""An app that insists: what the api did not answer it posts again, with the same Idempotency-Key."""

import contextlib
import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.works import SECRET, contacts
from shared.domain.identifiers import ContactId

_CALLERS = 8
_PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What the api said to who posts."""

    ids: frozenset[str]
    #: Posts that had to be repeated, because nobody answered.
    repeated: int
    unanswered: int


def post_messages(port: int, count: int, *, per_second: float) -> Accepted:
    """Each leaves at its time, whatever became of those before."""
    started = time.monotonic()

    def post(numbered: tuple[int, ContactId]) -> tuple[str | None, int]:
        number, contact = numbered
        time.sleep(max(0.0, started + number / per_second - time.monotonic()))
        return _accepted(port, contact, f"rolling-{number}")

    with ThreadPoolExecutor(_CALLERS) as callers:
        answers = list(callers.map(post, enumerate(contacts(count))))
    ids = [found for found, _ in answers if found is not None]
    return Accepted(
        ids=frozenset(ids),
        repeated=sum(tries > 1 for _, tries in answers),
        unanswered=count - len(ids),
    )


def _accepted(port: int, contact: ContactId, key: str) -> tuple[str | None, int]:
    """The message's id, and how often it was asked for."""
    body = json.dumps({"to": contact.value, "sender": "shop", "text": f"{time.time():.4f}"})
    headers = {
        "Content-Type": "application/json",
        "Authorization": f"Bearer {SECRET}",
        "Idempotency-Key": key,
    }
    deadline, tries = time.monotonic() + _PATIENCE_SECONDS, 0
    while time.monotonic() < deadline:
        tries += 1
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            with contextlib.closing(connection):
                connection.request("POST", "/v1/messages", body, headers)
                answer = connection.getresponse()
                if answer.status == http.HTTPStatus.ACCEPTED:
                    return json.loads(answer.read())["id"], tries
        time.sleep(0.1)
    return None, tries
