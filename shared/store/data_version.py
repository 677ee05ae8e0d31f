"""Which version the data of a business has, and whether this Finestra may work with it.

It stands in the business' own hash and is looked at once, at the start of every process. Data older than the
code wait for `finestra migrate`; data newer than the code are never touched.
"""

import os
import signal
import threading
from collections.abc import Sequence
from datetime import timedelta

import redis

from shared.clock import Clock
from shared.errors import DataVersionError, StoreUnavailableError
from shared.observability import LogEvent, get_logger
from shared.store.connection import translated
from shared.store.keys import Keys

#: What today's code reads and writes; each step from one to the next is a row of migrations.MIGRATIONS.
CURRENT = 1
FIELD = "data_version"
_AGAIN = timedelta(seconds=1)


def versions_of(client: redis.Redis, businesses: Sequence[str]) -> dict[str, int]:
    """One round trip, which writes nothing. Without data it is today's version that would begin."""
    found = _stored_versions(client, businesses)
    return {business: CURRENT if version is None else version for business, version in found.items()}


def begin_versions(client: redis.Redis, businesses: Sequence[str]) -> dict[str, int]:
    """The same, for who will write: where there are no data, today's version begins."""
    found = _stored_versions(client, businesses)
    with translated(client):
        for business, version in found.items():
            if version is None:
                client.hsetnx(Keys(business).root(), FIELD, str(CURRENT))
    return {business: CURRENT if version is None else version for business, version in found.items()}


def _stored_versions(client: redis.Redis, businesses: Sequence[str]) -> dict[str, int | None]:
    """Data without a version are older than the first; None: there are no data."""
    with translated(client):
        pipeline = client.pipeline(transaction=False)
        for business in businesses:
            # In this order: what others begin in between is then seen together with its version.
            pipeline.exists(*_signs_of_life(Keys(business)))
            pipeline.hget(Keys(business).root(), FIELD)
        answers = iter(pipeline.execute())
    found: dict[str, int | None] = {}
    for business in businesses:
        is_used, stored = next(answers), next(answers)
        found[business] = int(stored or 0) if is_used or stored else None
    return found


def refuse_other(versions: dict[str, int]) -> None:
    """Raises DataVersionError, which says what to do."""
    for business, version in versions.items():
        if version > CURRENT:
            raise DataVersionError(
                f"this Finestra is older than the data: {business} has version {version}, and this one knows "
                f"{CURRENT}; start the Finestra that wrote them, or a newer one"
            )
    for business, version in versions.items():
        if version < CURRENT:
            raise DataVersionError(
                f"the data are older than this Finestra: {business} has version {version}, and this one "
                f"needs {CURRENT}; run `finestra migrate`, then start again"
            )


def check_at_start(client: redis.Redis, businesses: Sequence[str], clock: Clock) -> None:
    """Raises DataVersionError. While Redis is away the process runs, asks on, and leaves if it must."""
    try:
        refuse_other(begin_versions(client, businesses))
    except StoreUnavailableError:
        arguments = (client, businesses, clock)
        threading.Thread(target=_check_later, args=arguments, name="data-version", daemon=True).start()


def _check_later(client: redis.Redis, businesses: Sequence[str], clock: Clock) -> None:
    while True:
        clock.sleep(_AGAIN)
        try:
            refuse_other(begin_versions(client, businesses))
        except StoreUnavailableError:
            continue
        except DataVersionError as exc:
            get_logger().error(LogEvent.DATA_VERSION_REFUSED, error=str(exc))
            os.kill(os.getpid(), signal.SIGTERM)
        return


def _signs_of_life(keys: Keys) -> list[str]:
    """Whatever is done first with a business leaves one of these."""
    return [keys.root(), keys.counters(), keys.events(), keys.consented(), keys.template_versions()]
