"""What the doors and the workers are given: built once in a composition root, or by a test of its own."""

import random
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import redis
from ulid import ULID

from shared.clock import Clock, ServerClock
from shared.configuration import AnySender, MetaSender
from shared.domain.identifiers import MessageId
from shared.domain.window import WindowPolicy
from shared.http.client import HttpClient
from shared.observability import LogEvent, get_logger
from shared.providers.base import Provider
from shared.providers.cm.send import CmProvider
from shared.providers.media import FETCH_DEADLINE
from shared.providers.meta.numbers import MetaNumber
from shared.providers.meta.send import MetaProvider
from shared.providers.meta.templates import MetaTemplates
from shared.schemas.message_request import MAX_EXPIRY
from shared.settings import LEASE, PROVIDER_DEADLINE, Settings
from shared.store.audit import Audit
from shared.store.callbacks import Callbacks
from shared.store.changes import Changes
from shared.store.confirmations import Confirmations
from shared.store.connection import PATIENCE_SECONDS, connect, server_time
from shared.store.consents import Consents
from shared.store.contacts import Contacts
from shared.store.data_version import check_at_start
from shared.store.erasure import Erasure
from shared.store.feed import Feed
from shared.store.health import Health
from shared.store.inbound import Inbox
from shared.store.keyed_hash import KeyedHashes
from shared.store.lanes import Lanes
from shared.store.lapses import Lapses
from shared.store.limits import Limits
from shared.store.listing import Listing
from shared.store.messages import Messages
from shared.store.metrics import Metrics
from shared.store.quarantine import Quarantine
from shared.store.recorder import Recorder
from shared.store.records import Records
from shared.store.reported import ReportedFailures
from shared.store.retention import Retention
from shared.store.scripts import Scripts
from shared.store.senders import Senders
from shared.store.silence import Silence
from shared.store.submissions import RefusedSubmissions
from shared.store.tallies import Tallies
from shared.store.template_history import TemplateHistory
from shared.store.template_sync import TemplateSync
from shared.store.template_use import TemplateUse
from shared.store.templates import Templates
from shared.store.updates import RecordingPolicy
from shared.tracing import OnWork, nobody


def _new_message_id() -> MessageId:
    return MessageId.from_ulid(str(ULID()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Deps:
    settings: Settings
    clock: Clock
    messages: Messages
    listing: Listing
    changes: Changes
    audit: Audit
    silence: Silence
    lanes: Lanes
    lapses: Lapses
    contacts: Contacts
    consents: Consents
    erasure: Erasure
    records: Records
    reported: ReportedFailures
    retention: Retention
    inbox: Inbox
    templates: Templates
    template_history: TemplateHistory
    template_sync: TemplateSync
    template_use: TemplateUse
    #: By alias, of senders whose provider has a template API that we know.
    meta_templates: Mapping[str, MetaTemplates]
    #: Likewise, of senders whose number the provider tells us about.
    meta_numbers: Mapping[str, MetaNumber]
    senders: Senders
    limits: Limits
    metrics: Metrics
    tallies: Tallies
    recorder: Recorder
    feed: Feed
    callbacks: Callbacks
    quarantine: Quarantine
    refused_submissions: RefusedSubmissions
    health: Health
    providers: Mapping[str, Provider]
    #: Tells the workers that a sender has something to do.
    ring: Callable[[AnySender], None]
    new_message_id: Callable[[], MessageId] = _new_message_id
    new_nonce: Callable[[], str] = lambda: secrets.token_hex(8)
    #: 0 to 1; chance comes in here so that the rules stay pure.
    jitter: Callable[[], float] = random.random
    #: Told of what has been done, for traces.
    on_work: OnWork = nobody

    def sender(self, alias: str) -> AnySender | None:
        return self.settings.configuration.senders.get(alias)


def build_deps(
    settings: Settings, ring: Callable[[AnySender], None], *, patience_seconds: float = PATIENCE_SECONDS
) -> Deps:
    """The real things. Looks whether the data are of our version; the clock starts to measure.

    Raises DataVersionError.
    """
    client = connect(settings.redis_url.reveal(), patience_seconds=patience_seconds)
    clock = ServerClock(lambda: server_time(client))
    check_at_start(client, tuple(settings.configuration.aliases_of), clock)
    clock.keep_measuring(_clock_failed)
    return assemble(settings, client, clock=clock, ring=ring)


def assemble(
    settings: Settings, client: redis.Redis, *, clock: Clock, ring: Callable[[AnySender], None]
) -> Deps:
    scripts, hashes = Scripts(client), KeyedHashes(settings.secret_keys)
    length, aliases = settings.window_length, settings.configuration.aliases_of
    messages = Messages(client, scripts, window_length=length, retention=settings.retention, hashes=hashes)
    senders, limits, templates = Senders(client, scripts), Limits(client), Templates(client, scripts)
    return Deps(
        settings=settings,
        clock=clock,
        messages=messages,
        listing=Listing(client, messages),
        audit=Audit(client, scripts),
        silence=Silence(client, scripts, messages, retention=settings.retention),
        changes=Changes(scripts, retention=settings.retention),
        lanes=_lanes(settings, scripts),
        lapses=Lapses(client),
        contacts=Contacts(scripts, window_length=length, aliases_of=aliases, hashes=hashes),
        retention=_retention(settings, client, scripts),
        records=Records(client, messages),
        reported=ReportedFailures(client),
        erasure=Erasure(client, scripts, hashes, aliases),
        consents=Consents(client, scripts, hashes),
        inbox=Inbox(client),
        templates=templates,
        template_history=TemplateHistory(client),
        template_sync=TemplateSync(client, scripts),
        template_use=TemplateUse(client),
        meta_templates=_meta_templates(settings),
        meta_numbers=_meta_numbers(settings),
        senders=senders,
        limits=limits,
        metrics=Metrics(client, settings.configuration, senders=senders, limits=limits, templates=templates),
        tallies=Tallies(scripts),
        recorder=Recorder(scripts, _recording(settings, messages)),
        feed=Feed(client),
        callbacks=Callbacks(client, scripts, retention=settings.retention),
        quarantine=Quarantine(client),
        refused_submissions=RefusedSubmissions(client, scripts),
        health=Health(client),
        providers=_providers(settings),
        ring=ring,
    )


def _lanes(settings: Settings, scripts: Scripts) -> Lanes:
    return Lanes(
        scripts,
        window_length=settings.window_length,
        lease=LEASE,
        grace=settings.doubt_grace,
        retention=settings.retention,
    )


def _retention(settings: Settings, client: redis.Redis, scripts: Scripts) -> Retention:
    configuration = settings.configuration
    return Retention(
        client,
        scripts,
        retention=settings.retention,
        longest_wait=MAX_EXPIRY,
        aliases_of=configuration.aliases_of,
        pushed_apps=[app.name for app in configuration.pushed_apps],
        hashes=KeyedHashes(settings.secret_keys),
    )


def _recording(settings: Settings, messages: Messages) -> RecordingPolicy:
    policy = settings.configuration.policy
    confirmations = Confirmations(
        messages, default_language=policy.languages[0], new_message_id=_new_message_id
    )
    return RecordingPolicy(
        window=WindowPolicy(
            length=settings.window_length,
            reactions_open=policy.reactions_open_window,
            unsupported_opens=policy.unsupported_opens_window,
        ),
        languages=policy.languages,
        retention=settings.retention,
        aliases_of=settings.configuration.aliases_of,
        reached=settings.configuration.reached,
        jitter=random.random,
        hashes=KeyedHashes(settings.secret_keys),
        confirm=confirmations.row if policy.confirm_opt_out else None,
    )


def _providers(settings: Settings) -> dict[str, Provider]:
    http, downloads = HttpClient(deadline=PROVIDER_DEADLINE), HttpClient(deadline=FETCH_DEADLINE)
    senders = settings.configuration.senders.items()
    return {alias: _provider(sender, http, downloads) for alias, sender in senders}


def _meta_templates(settings: Settings) -> dict[str, MetaTemplates]:
    http = HttpClient(deadline=PROVIDER_DEADLINE)
    senders = settings.configuration.senders.items()
    return {alias: MetaTemplates(one, http) for alias, one in senders if isinstance(one, MetaSender)}


def _meta_numbers(settings: Settings) -> dict[str, MetaNumber]:
    http = HttpClient(deadline=PROVIDER_DEADLINE)
    senders = settings.configuration.senders.items()
    return {alias: MetaNumber(one, http) for alias, one in senders if isinstance(one, MetaSender)}


def _provider(sender: AnySender, http: HttpClient, downloads: HttpClient) -> Provider:
    if isinstance(sender, MetaSender):
        return MetaProvider(sender, http, downloads)
    return CmProvider(sender, http, downloads)


def _clock_failed(error: Exception) -> None:
    get_logger().warning(LogEvent.CLOCK_NOT_MEASURED, error=type(error).__name__)
