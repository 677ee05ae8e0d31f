"""What one code of a provider means for us, and what follows from it beside the message that met it.

The rows are data beside each provider; nothing here knows a code. Contract, section 10.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.domain.consent import Category
from shared.domain.halts import Halt, HaltKind, HaltSource, halts
from shared.domain.retry import ErrorClass
from shared.domain.routes import RouteKind
from shared.domain.templates import TemplateStatus


class Scope(StrEnum):
    """What an error says something about, from narrow to wide."""

    MESSAGE = "message"
    PAIR = "pair"
    SENDER = "sender"
    ACCOUNT = "account"
    #: Those that call the provider as one program: they share an app secret, or CM.com's product token.
    APP = "app"
    PORTFOLIO = "portfolio"


@dataclass(frozen=True, slots=True, kw_only=True)
class HaltRule:
    kind: HaltKind = HaltKind.ALL
    #: It ends by itself after this long; None: by hand.
    lasts: timedelta | None = None
    #: News of the account lift it.
    until_news: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StopRule:
    """How a template stands from now on: paused or disabled."""

    status: TemplateStatus
    lasts: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CapRule:
    """The contact takes no templates of these categories for a while."""

    categories: frozenset[Category]
    lasts: timedelta
    #: So many messages must have met it.
    hits: int = 1
    #: What the contact writes shows that it is over.
    ends_when_contact_writes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRow:
    """What one code means for us; a row of `errors.toml`."""

    error_class: ErrorClass
    advice: str
    scope: Scope = Scope.MESSAGE
    minimum_wait: timedelta = timedelta(0)
    #: How many tries it is worth; None: as many as fit before the expiry.
    tries: int | None = None
    source: str = ""
    #: "retry": also when it comes late, by status.
    late: str | None = None
    #: It speaks of the provider, not of the message: many in a row, and we stop asking.
    is_outage: bool = False
    halt: HaltRule = HaltRule()
    stop: StopRule | None = None
    cap: CapRule | None = None
    #: The contact told WhatsApp that it wants none of these from us: an opt-out.
    unwanted: Category | None = None

    def stops(self, route: RouteKind) -> bool:
        """Whether what it halts is what met it."""
        return halts(self.halt.kind, route)

    @property
    def is_retried_late(self) -> bool:
        return self.late == "retry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    status: TemplateStatus
    code: str
    until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cap:
    rule: CapRule
    code: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What an error does to others than its message. `scope` says to whom the pause and the halt apply."""

    scope: Scope
    pause_until: datetime | None = None
    halt: Halt | None = None
    stop: Stop | None = None
    cap: Cap | None = None
    unwanted: Category | None = None

    def __bool__(self) -> bool:
        return any((self.pause_until, self.halt, self.stop, self.cap, self.unwanted))


def effects_of(
    row: ErrorRow,
    code: str,
    *,
    now: datetime,
    retry_after: timedelta | None = None,
    retry_at: datetime | None = None,
) -> Effects:
    """`retry_at`: when the message itself is tried again, if it is."""
    wait = max(row.minimum_wait, retry_after or timedelta(0))
    match row.error_class:
        case ErrorClass.THROTTLE:
            # Whoever was too fast waits as long as the message that met it, which grows try by try.
            return Effects(scope=row.scope, pause_until=_pause(row, retry_at or now + wait))
        case ErrorClass.RETRY:
            return Effects(scope=row.scope, pause_until=_pause(row, now + wait) if wait else None)
        case ErrorClass.HALT:
            return Effects(scope=row.scope, halt=_halt(row, code, now))
        case ErrorClass.TEMPLATE if row.stop is not None:
            until = now + row.stop.lasts if row.stop.lasts else None
            return Effects(scope=row.scope, stop=Stop(status=row.stop.status, code=code, until=until))
        case ErrorClass.RECIPIENT:
            cap = Cap(rule=row.cap, code=code, until=now + row.cap.lasts) if row.cap else None
            return Effects(scope=row.scope, cap=cap, unwanted=row.unwanted)
        case _:
            return Effects(scope=row.scope)


def _pause(row: ErrorRow, until: datetime) -> datetime | None:
    return None if row.scope is Scope.MESSAGE else until


def _halt(row: ErrorRow, code: str, now: datetime) -> Halt:
    rule = row.halt
    return Halt(
        kind=rule.kind,
        source=HaltSource.NEWS if rule.until_news else HaltSource.ERROR,
        code=code,
        scope=row.scope,
        why=f"error {code}: {row.advice}",
        until=now + rule.lasts if rule.lasts else None,
    )
