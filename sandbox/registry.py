"""What Meta's template API knows of a template beside what sending needs: its id, its components, its reason.

Speaks no HTTP. reference: Meta "Template management", read 2025-12.
"""

import threading
from dataclasses import dataclass, field, replace
from itertools import count

from sandbox.templates import Template

_FIRST_ID = 9001


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    id: int
    #: As they came; None: the template was put there by a script.
    components: list[dict[str, object]] | None = None
    parameter_format: str = "POSITIONAL"
    #: Why it was rejected, in Meta's word.
    reason: str = "NONE"
    quality: str = "UNKNOWN"
    changed_at: float = 0.0
    #: When it was edited while approved.
    edits: tuple[float, ...] = field(default=())


class Registry:
    """By account, name and language. Safe to call from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.clear()

    def clear(self) -> None:
        self._entries: dict[tuple[str, str, str], Entry] = {}
        self._ids = count(_FIRST_ID)

    def entry(self, template: Template) -> Entry:
        key = (template.account, template.name, template.language)
        with self._lock:
            if key not in self._entries:
                self._entries[key] = Entry(id=next(self._ids))
            return self._entries[key]

    def id_of(self, template: Template) -> int:
        return self.entry(template).id

    def note(self, template: Template, **changes: object) -> None:
        """`changes`: fields of Entry, and `now` for when."""
        now = changes.pop("now", 0.0)
        known = self.entry(template)
        key = (template.account, template.name, template.language)
        with self._lock:
            self._entries[key] = replace(known, changed_at=now, **changes)  # type: ignore[arg-type] # a script's

    def drop(self, template: Template) -> None:
        with self._lock:
            self._entries.pop((template.account, template.name, template.language), None)
