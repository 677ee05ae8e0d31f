"""The knobs of the sandbox, as one value that a script replaces piece by piece."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.shapes import ScriptError, is_e164, is_number, is_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every field may be given alone; the others stay."""

    #: How long a provider takes before it looks at a request.
    latency_ms: float = 0
    #: Length of the customer service window; 24 hours at the real providers.
    window_seconds: float = 86400
    #: Meta only: does a closed window show in the answer ("sync") or in a failed status ("late")?
    window_refusal: str = "late"
    #: Meta only: messages a second, in and out, and the pace for one customer; None: as many as come.
    throughput_per_second: float | None = None
    pair_interval_seconds: float | None = None
    pair_burst: int = 45
    #: Time from acceptance to each status; None: it never comes.
    sent_after_ms: float | None = 20
    delivered_after_ms: float | None = 60
    read_after_ms: float | None = None
    #: Meta only: numbers whose account WhatsApp knows under another one, as +E164 to +E164.
    wa_ids: dict[str, str] = field(default_factory=dict)
    #: False: the sandbox reports nothing at all, not even failures.
    statuses: bool = True
    #: Meta only: how long the link to a file works, and how long its id leads to a new one.
    media_link_seconds: float = 300
    media_kept_seconds: float = 7 * 86400
    #: Where links to files lead, as `http://host:port`; None: to the sandbox itself.
    media_host: str | None = None
    #: False: nothing says how large a file is, neither the lookup nor the download.
    media_says_size: bool = True

    def progress(self) -> list[tuple[str, float]]:
        """The statuses of a message that arrives, each with its delay in seconds."""
        steps = [
            ("sent", self.sent_after_ms),
            ("delivered", self.delivered_after_ms),
            ("read", self.read_after_ms),
        ]
        return [(status, after_ms / 1000) for status, after_ms in steps if after_ms is not None]

    @property
    def failure_after_seconds(self) -> float:
        """A failure is reported when `sent` would have been."""
        return (self.sent_after_ms or 0) / 1000


_CHECKS: dict[str, Callable[[object], bool]] = {
    "latency_ms": is_number,
    "window_seconds": is_number,
    "window_refusal": lambda value: isinstance(value, str) and value in {"late", "sync"},
    "throughput_per_second": lambda value: value is None or (is_number(value) and value > 0),
    "pair_interval_seconds": lambda value: value is None or (is_number(value) and value > 0),
    "pair_burst": lambda value: isinstance(value, int) and value > 0,
    "sent_after_ms": lambda value: value is None or is_number(value),
    "delivered_after_ms": lambda value: value is None or is_number(value),
    "read_after_ms": lambda value: value is None or is_number(value),
    "wa_ids": lambda value: isinstance(value, dict) and all(map(is_e164, [*value, *value.values()])),
    "statuses": lambda value: isinstance(value, bool),
    "media_link_seconds": is_number,
    "media_kept_seconds": is_number,
    "media_host": lambda value: value is None or is_text(value),
    "media_says_size": lambda value: isinstance(value, bool),
}


def merge(settings: Settings, changes: dict[str, object]) -> Settings:
    """`settings` with `changes` on top; raises `ScriptError` for an unknown name or an odd value."""
    for name, value in changes.items():
        if name not in _CHECKS or not _CHECKS[name](value):
            raise ScriptError(f"setting '{name}' is unknown, or its value is not possible")
    merged: dict[str, object] = dataclasses.asdict(settings) | changes
    return Settings(**merged)  # type: ignore[arg-type] # _CHECKS has looked at every value
