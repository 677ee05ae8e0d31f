"""One event, pushed once to one app. Knows no schedule: whether to try again is decided elsewhere."""

import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta
from http import HTTPStatus

from shared.callbacks.signing import Signer
from shared.configuration import App
from shared.http.addresses import AddressGuard
from shared.http.client import Answer, HttpClient
from shared.http.connections import Dial

CONNECT_TIMEOUT = timedelta(seconds=1)
DEADLINE = timedelta(seconds=5)
#: Of an answer nobody reads more than its status; the rest is only taken so that the connection can be kept.
MAX_ANSWER_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Delivered:
    """The app answered 2xx: it has the event."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The app answered something else. `reason`: `status_` and the number, fit for logs."""

    reason: str
    #: 410 Gone: it wants no more events, and no attempt will change that.
    is_hopeless: bool = False


@dataclass(frozen=True, slots=True)
class NotReached:
    """Nobody can say that the app has the event.

    `reason`: timeout, connection_lost, address_not_allowed, plain_http_not_allowed, or the name of an error
    such as ConnectionRefusedError; fit for logs.
    """

    reason: str


class CallbackClient:
    """One app's callbacks. Safe to call from many threads; one for each app, as its networks are its own."""

    def __init__(
        self, app: App, *, deadline: timedelta = DEADLINE, tls: ssl.SSLContext | None = None
    ) -> None:
        """`tls`: what verifies certificates; loading the authorities costs, so many clients may share one."""
        if app.callback_url is None:
            raise ValueError(f"{app.name} has no callback_url: it pulls its events")
        self._url = app.callback_url
        self._signer = Signer(app.callback_secrets)
        self._http = HttpClient(
            deadline=deadline,
            dial=Dial(guard=AddressGuard(app.callback_networks), connect_timeout=CONNECT_TIMEOUT),
            max_body_bytes=MAX_ANSWER_BYTES,
            tls=tls,
        )

    def push(self, event_id: str, at: datetime, body: bytes) -> Delivered | Refused | NotReached:
        """Attempt it once; never raise for what went wrong outside.

        `event_id`: the same in every attempt. `at`: aware, now. `body`: JSON in UTF-8, sent as it is.
        """
        outcome = self._http.post_bytes(self._url, self._signer.headers(event_id, at, body), body)
        if not isinstance(outcome, Answer):
            return NotReached(outcome.reason)
        if HTTPStatus.OK <= outcome.status < HTTPStatus.MULTIPLE_CHOICES:
            return Delivered()
        return Refused(f"status_{outcome.status}", is_hopeless=outcome.status == HTTPStatus.GONE)
