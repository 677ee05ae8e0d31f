"""For commands that speak to Redis themselves: wrong settings, Redis away or saying no, as a sentence."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from shared.errors import SettingsError, StoreUnavailableError
from shared.store.connection import StoreRefusal

AWAY = "start it, or mend FINESTRA_REDIS_URL"
RIGHTS = "give its user the rights of deploy/redis/users.acl; has it them, the fault is ours: report it"


def refusal_of(refusal: StoreRefusal) -> str:
    """The kind of it: its text may quote a key."""
    return f"refuses a command ({type(refusal).__name__})"


@contextmanager
def store_trouble_told() -> Iterator[None]:
    """Ends the command with exit code 1, as everything that could not be done."""
    try:
        yield
    except SettingsError as exc:
        raise click.ClickException("\n  ".join(["the settings are wrong:", *exc.mistakes])) from exc
    except StoreUnavailableError as exc:
        raise click.ClickException(f"Redis does not answer ({exc}): {AWAY}") from exc
    except StoreRefusal as exc:
        raise click.ClickException(f"Redis {refusal_of(exc)}: {RIGHTS}") from exc
