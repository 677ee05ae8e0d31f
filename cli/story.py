"""The story that the demo plays: who writes, what the app asks for, how each message has to go."""

from dataclasses import dataclass, field
from typing import Any

from rich import box
from rich.table import Table

BODY = "Ciao {{1}}, il tuo ordine {{2}} è pronto: ti aspettiamo in negozio."
NUMBERS = {"shop": "+15550783881", "negozio": "+390212345678"}
ACCOUNTS = {"shop": "102290129340398", "negozio": "0a1b2c3d_0000_1111_2222_333344445555"}
_PROVIDERS = {"shop": "Meta", "negozio": "CM.com"}
_OVER = {"delivered", "read", "failed", "refused", "expired", "unknown"}


class NotAsToldError(Exception):
    """The story went another way; the text says where."""


@dataclass(slots=True, kw_only=True)
class Scene:
    """One message of the story."""

    who: str
    number: str
    sender: str
    note: str
    #: The contact writes first, so that the window is open.
    writes: bool = False
    #: The contact opted in, so that a template may go.
    opts_in: bool = False
    #: How often the provider fails before it takes the message.
    failures: int = 0
    message_id: str = ""
    window: str = "…"
    shown: dict[str, Any] = field(default_factory=dict)

    def is_over(self) -> bool:
        return self.shown.get("state") in _OVER

    def mistake(self) -> str | None:
        """What is not as told; None when all is."""
        if not self.shown:
            return "was never accepted"
        route = self.shown.get("route") or {}
        rule = "window_open" if self.writes else "window_closed"
        told = ("session" if self.writes else "template", rule, 1 + self.failures, "delivered")
        seen = (route.get("kind"), route.get("rule"), len(self.shown["attempts"]), self.shown["state"])
        return None if seen == told else f"should have been {told}, was {seen}"

    def mistake_in(self, explanation: dict[str, Any]) -> str | None:
        """What an explanation leaves out; None when it tells of the acceptance, each attempt and the end."""
        told = " ".join(explanation["sentences"])
        numbers = range(1, 2 + self.failures)
        wanted = ["Accepted at", *(f"Attempt {number} began" for number in numbers)]
        wanted += ["The provider took it", "It reached the contact"]
        missing = [words for words in wanted if words not in told]
        return f"the explanation does not say {missing}" if missing else None


def scenes() -> list[Scene]:
    return [
        scene for index, sender in enumerate(NUMBERS) for scene in _scenes_of(sender, f"+3933312345{index}")
    ]


def _scenes_of(sender: str, prefix: str) -> list[Scene]:
    return [
        Scene(who="Anna", number=f"{prefix}1", sender=sender, writes=True, note="just wrote"),
        Scene(who="Bruno", number=f"{prefix}2", sender=sender, opts_in=True, note="opted in, never wrote"),
        Scene(
            who="Carla",
            number=f"{prefix}3",
            sender=sender,
            writes=True,
            failures=1,
            note="wrote; first try fails",
        ),
    ]


def table_of(story: list[Scene]) -> Table:
    table = Table(title="Your order 991 is ready", title_justify="left", box=box.SIMPLE)
    for title in ("provider", "contact", "window open until", "route", "rule", "attempts", "status"):
        table.add_column(title, no_wrap=True)
    for scene in story:
        table.add_row(*_row(scene))
    return table


def _row(scene: Scene) -> list[str]:
    route = scene.shown.get("route") or {}
    attempts = [attempt.get("outcome") or "under way" for attempt in scene.shown.get("attempts", [])]
    state = scene.shown.get("state", "")
    colour = {"delivered": "green", "read": "green", "failed": "red", "refused": "red"}.get(state, "yellow")
    return [
        _PROVIDERS[scene.sender],
        f"{scene.who} ({scene.note})",
        scene.window[:19].replace("T", " "),
        route.get("kind", ""),
        route.get("rule", ""),
        ", ".join(f"{number} {outcome}" for number, outcome in enumerate(attempts, 1)),
        f"[{colour}]{state}[/{colour}]",
    ]
