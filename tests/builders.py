"""Values for tests: one function a thing, every argument optional."""

import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import redis
from ulid import ULID

from shared.clock import ManualClock
from shared.configuration import App, CmSender, Configuration, MetaSender, Policy, Secret
from shared.deps import assemble
from shared.domain.consent import Category, ConsentRecord, ConsentStatus
from shared.domain.content import Media
from shared.domain.events import MessageReceived, ReportedError, StatusReported
from shared.domain.identifiers import AttemptReference, ContactId, MessageId, PhoneNumber, ProviderMessageId
from shared.domain.message import InDoubt, MessageRequest, MessageState, Priority, WhenClosed, WhenOpen
from shared.domain.provider_errors import ErrorRow
from shared.domain.retry import ErrorClass
from shared.domain.session_content import Text
from shared.domain.template_call import TemplateCall
from shared.domain.templates import Approval, Gate, Template, TemplateId
from shared.domain.window import InboundKind, WindowPolicy
from shared.http.client import HttpCall
from shared.providers.base import Outgoing, ReadMarked, ReadReceipt, ReadResult, SendResult, Submitted
from shared.providers.media import MediaFile, MediaRefused
from shared.settings import LEASE, Settings
from shared.store.changes import Changes
from shared.store.claims import Claim
from shared.store.consents import Consents
from shared.store.contacts import Contacts
from shared.store.lanes import Lanes
from shared.store.messages import Acceptance, Accepted, Messages
from shared.store.quarantine import Quarantine
from shared.store.recorder import Recorder
from shared.store.scripts import Scripts
from shared.store.senders import Senders
from shared.store.templates import Templates
from shared.store.updates import RecordingPolicy

# Far ahead, because Redis ends windows by its own clock, which no test can turn back.
NOW = datetime(2086, 11, 22, 12, 0, tzinfo=UTC)
TEXT = Text("Ciao Anna, il tuo ordine 991 è pronto.")
ANNA = ContactId("+393331234567")
DAY = timedelta(days=1)
GRACE = timedelta(seconds=60)
BOTH_APPROVED = {Gate.PROVIDER: Approval.APPROVED, Gate.WHATSAPP: Approval.APPROVED}


def meta_sender(alias: str = "shop", **changes: object) -> MetaSender:
    values = {
        "alias": alias,
        "number": PhoneNumber("+15550783881"),
        "business": "default",
        "base_url": "http://127.0.0.1:9",
        "throughput_per_second": 80.0,
        "window_margin": timedelta(seconds=60),
        "when_open": WhenOpen.SESSION,
        "phone_number_id": "106540352242922",
        "business_account_id": "102290129340398",
        "access_token": Secret("meta-token"),
        "app_secrets": (Secret("meta-app-secret"),),
        "verify_token": Secret("meta-verify"),
        "api_version": "v24.0",
    }
    return MetaSender(**{**values, **changes})


def cm_sender(alias: str = "negozio", **changes: object) -> CmSender:
    values = {
        "alias": alias,
        "number": PhoneNumber("+390212345678"),
        "business": "default",
        "base_url": "http://127.0.0.1:9",
        "throughput_per_second": 50.0,
        "window_margin": timedelta(seconds=300),
        "when_open": WhenOpen.SESSION,
        "product_token": Secret("0a1b2c3d-0000-1111-2222-333344445555"),
        "webhook_tokens": (Secret("cm-hook-token"),),
        "template_namespace": "0a1b2c3d_0000_1111_2222_333344445555",
        "batch_size": 100,
        "is_provider_approval_automatic": False,
    }
    return CmSender(**{**values, **changes})


def app(name: str = "orders", scopes: tuple[str, ...] = ("messages",), **changes: object) -> App:
    values = {
        "name": name,
        "api_keys": (Secret(f"{name}-key"),),
        "senders": (),
        "scopes": frozenset(scopes),
    }
    return App(**{**values, **changes})


def call(
    name: str = "ordine_pronto", values: Mapping[str, str] | None = None, language: str = "it"
) -> TemplateCall:
    return TemplateCall(name=name, language=language, values=values or {"1": "Anna", "2": "991"})


def template(sender: MetaSender | CmSender | None = None, **changes: object) -> Template:
    account = (sender or meta_sender()).account
    values = {
        "id": TemplateId(account, "ordine_pronto", "it"),
        "category": Category.UTILITY,
        "body": "Ciao {{1}}, il tuo ordine {{2}} è pronto.",
        "samples": ("Anna", "991"),
        "gates": BOTH_APPROVED,
        "reasons": {},
        "original_category": Category.UTILITY,
        "whatsapp_version": 1,
    }
    return Template(**{**values, **changes})


def request(**changes: object) -> MessageRequest:
    values = {
        "to": ANNA,
        "sender": "shop",
        "content": TEXT,
        "templates": (call(),),
        "category": Category.UTILITY,
        "when_open": WhenOpen.SESSION,
        "when_closed": WhenClosed.TEMPLATE,
        "priority": Priority.NORMAL,
        "in_doubt": InDoubt.HOLD,
        "expires_at": NOW + DAY,
    }
    return MessageRequest(**{**values, **changes})


def opt_in(at: datetime = NOW - DAY) -> ConsentRecord:
    return ConsentRecord(status=ConsentStatus.OPTED_IN, at=at, source="test")


def opt_out(at: datetime = NOW) -> ConsentRecord:
    return ConsentRecord(status=ConsentStatus.OPTED_OUT, at=at, source="test")


def wrote(
    at: datetime = NOW, *, contact: ContactId = ANNA, text: str = "ciao", event_id: str | None = None
) -> MessageReceived:
    return MessageReceived(
        recipient="106540352242922",
        contact=contact,
        event_id=event_id or f"wamid.{ULID()}",
        kind=InboundKind.TEXT,
        at=at,
        text=text,
    )


def status(
    message_id: MessageId,
    state: MessageState,
    *,
    attempt: int = 1,
    error_class: ErrorClass | None = None,
    row: ErrorRow | None = None,
    at: datetime = NOW,
) -> StatusReported:
    """`row`: of the error that it failed with; of `error_class` alone when no more is needed."""
    row = row or (ErrorRow(error_class=error_class, advice="…") if error_class else None)
    error = ReportedError(code="131047", row=row, detail="…") if row else None
    return StatusReported(
        recipient=None,
        reference=AttemptReference(message_id, attempt),
        provider_message_id=None,
        state=state,
        at=at,
        error=error,
    )


class EasyLanes(Lanes):
    """Claims without a nonce to keep, and answers the claims alone."""

    def claim(
        self, sender: MetaSender | CmSender, most: int, *, now: datetime, nonce: str = ""
    ) -> list[Claim]:
        return list(super().claim(sender, most, nonce=nonce or str(ULID()), now=now).claims)


class Stores:
    """All collections on one client, with a window of 24 hours."""

    def __init__(self, client: redis.Redis) -> None:
        self.client = client
        self.scripts = Scripts(client)
        aliases = {"default": ("shop", "negozio")}
        policy = RecordingPolicy(
            window=WindowPolicy(), languages=("it", "en"), retention=30 * DAY, aliases_of=aliases
        )
        self.recorder = Recorder(self.scripts, policy)
        self.lanes = EasyLanes(self.scripts, window_length=DAY, lease=LEASE, grace=GRACE, retention=30 * DAY)
        self.messages = Messages(client, self.scripts, window_length=DAY, retention=30 * DAY)
        self.changes = Changes(self.scripts, retention=30 * DAY)
        self.contacts = Contacts(self.scripts, window_length=DAY, aliases_of=aliases)
        self.templates = Templates(client, self.scripts)
        self.senders = Senders(client, self.scripts)
        self.quarantine = Quarantine(client)
        self.consents = Consents(client, self.scripts)

    def accept(
        self, sender: MetaSender | CmSender | None = None, *, at: datetime = NOW, **changes: object
    ) -> Accepted:
        key = changes.pop("idempotency_key", None)
        fingerprint = str(changes.pop("fingerprint", ""))
        app = str(changes.pop("app", "orders"))
        acceptance = Acceptance(
            message_id=MessageId.from_ulid(str(ULID())),
            app=app,
            request=request(**changes),
            idempotency_key=key,
            fingerprint=fingerprint,
        )
        return self.messages.accept(sender or meta_sender(), acceptance, now=at)

    def state(self, message_id: MessageId) -> MessageState:
        record = self.messages.get("default", message_id)
        assert record is not None
        return record.state


def settings(**changes: object) -> Settings:
    configuration = Configuration(
        senders={"shop": meta_sender(), "negozio": cm_sender()},
        apps={
            "orders": app("orders", ("messages", "contacts:read", "templates:read")),
            "desk": app("desk", ("admin",)),
        },
        policy=Policy(),
    )
    values = {
        "redis_url": Secret("redis://unused"),
        "broker_url": Secret("redis://unused"),
        "configuration": configuration,
        "data_dir": Path("unused"),
        "receiver_bind": "127.0.0.1:8080",
        "api_bind": "127.0.0.1:8081",
        "flower_bind": "127.0.0.1:5555",
        "flower_user": "oncall",
        "worker_slots": 8,
        "doubt_grace": GRACE,
        "window_length": DAY,
        "retention": 30 * DAY,
        "log_format": "json",
    }
    return Settings(**{**values, **changes})


class RecordingProvider:
    """A provider in memory: keeps what it was asked to do, answers as told, then with success."""

    def __init__(self, batch_size: int = 1) -> None:
        self._batch_size = batch_size
        self.sent: list[Outgoing] = []
        self.batches: list[int] = []
        self.answers: list[SendResult] = []
        self.fetched: list[Media] = []
        self.files: list[MediaFile | MediaRefused] = []
        self.receipts: list[ReadReceipt] = []
        self.receipt_answers: list[ReadResult] = []
        self._lock = threading.Lock()

    @property
    def batch_size(self) -> int:
        return self._batch_size

    def build_call(self, batch: Sequence[Outgoing]) -> HttpCall:
        return HttpCall(
            url="http://unused", headers={}, json={"references": [str(o.reference) for o in batch]}
        )

    def send(self, batch: Sequence[Outgoing]) -> list[SendResult]:
        with self._lock:
            self.sent.extend(batch)
            self.batches.append(len(batch))
            return [self._answer(outgoing) for outgoing in batch]

    def fetch_media(self, media: Media) -> MediaFile | MediaRefused:
        self.fetched.append(media)
        return self.files.pop(0)

    def mark_read(self, receipt: ReadReceipt) -> ReadResult:
        self.receipts.append(receipt)
        return self.receipt_answers.pop(0) if self.receipt_answers else ReadMarked()

    def _answer(self, outgoing: Outgoing) -> SendResult:
        if self.answers:
            return self.answers.pop(0)
        return Submitted(provider_message_id=ProviderMessageId(f"wamid.{outgoing.reference}"))


class World:
    """Deps on one client with a clock that moves when told, and what a test looks at."""

    def __init__(self, client: redis.Redis, **changes: object) -> None:
        self.client = client
        self.clock = ManualClock(NOW)
        self.rung: list[str] = []
        self.settings = settings(**changes)
        self.providers = {
            alias: RecordingProvider(sender.batch_size if isinstance(sender, CmSender) else 1)
            for alias, sender in self.settings.configuration.senders.items()
        }
        deps = assemble(
            self.settings, client, clock=self.clock, ring=lambda sender: self.rung.append(sender.alias)
        )
        self.deps = replace(deps, providers=self.providers, jitter=lambda: 0.5)
