"""From one version of the data to the next: small steps to be repeated at will, a business at a time.

Under a lock. A step that was interrupted begins anew and finds what it had done; the version moves when a
step has ended.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import redis

from shared.errors import MigrationRunningError
from shared.store.connection import translated
from shared.store.data_version import CURRENT, FIELD, begin_versions, refuse_other
from shared.store.keys import Keys, parts_of
from shared.store.scripts import Call, Scripts

_PAGE = 500
#: Longer than a page takes; a migration that died is taken over after it.
_LOCK_MS = 30_000


@dataclass(frozen=True, slots=True)
class Migration:
    what: str
    #: For a business: yields after each page how much it changed.
    run: Callable[[redis.Redis, str], Iterator[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Migrated:
    """What was done with a business; no steps: its data were of this version already."""

    business: str
    version: int
    #: Each step with how much it changed.
    steps: tuple[tuple[str, int], ...] = ()


def index_consents(client: redis.Redis, business: str) -> Iterator[int]:
    """Contacts whose consent was recorded before there was an index of them."""
    scripts, cursor = Scripts(client), 0
    while True:
        with translated(client):
            answer: Any = client.scan(cursor, match=Keys(business).pattern("contact"), count=_PAGE)
        cursor, found = cast("tuple[int, list[str]]", answer)
        calls = [Call.of("index_consent", business, parts_of(key)[1]) for key in found]
        yield sum(came_in for (came_in,) in scripts.run_all(calls)) if calls else 0
        if not cursor:
            return


#: The first makes version 1 of what has none, and so on.
MIGRATIONS = (Migration("contacts with a consent are indexed", index_consents),)


def migrate(
    client: redis.Redis, businesses: Sequence[str], migrations: Sequence[Migration] = MIGRATIONS
) -> list[Migrated]:
    """Raises DataVersionError for data newer than the code, and MigrationRunningError."""
    versions = begin_versions(client, businesses)
    if any(version > CURRENT for version in versions.values()):
        refuse_other(versions)
    return [
        _migrate(client, business, migrations)
        if version < CURRENT
        else Migrated(business=business, version=version)
        for business, version in versions.items()
    ]


def _migrate(client: redis.Redis, business: str, migrations: Sequence[Migration]) -> Migrated:
    keys, nonce = Keys(business), secrets.token_hex(8)
    _take(client, keys, nonce)
    try:
        # Somebody else may have been here while we came.
        start = begin_versions(client, [business])[business]
        steps = []
        for version, migration in enumerate(migrations[start:], start + 1):
            changed = 0
            for of_a_page in migration.run(client, business):
                changed += of_a_page
                _hold(client, keys, nonce)
            with translated(client):
                client.hset(keys.root(), FIELD, str(version))
            steps.append((migration.what, changed))
    finally:
        _let_go(client, keys, nonce)
    return Migrated(business=business, version=start + len(steps), steps=tuple(steps))


def _take(client: redis.Redis, keys: Keys, nonce: str) -> None:
    with translated(client):
        is_ours = client.set(keys.migrating(), nonce, nx=True, px=_LOCK_MS)
    if not is_ours:
        raise MigrationRunningError(f"{keys.business} is being migrated by another process")


def _hold(client: redis.Redis, keys: Keys, nonce: str) -> None:
    """Every step can be repeated, so a lock that was lost costs work, never data: here it ends ours."""
    with translated(client):
        if client.get(keys.migrating()) != nonce:
            raise MigrationRunningError(f"the migration of {keys.business} was taken over by another process")
        client.pexpire(keys.migrating(), _LOCK_MS)


def _let_go(client: redis.Redis, keys: Keys, nonce: str) -> None:
    with translated(client):
        if client.get(keys.migrating()) == nonce:
            client.delete(keys.migrating())
