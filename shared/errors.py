"""The errors that end a piece of work. A refusal is a value, not one of these.

FinestraError
├── SettingsError            the process cannot start as it is configured
├── StoreUnavailableError    Redis did not answer, or took nothing; try again
└── ProviderError            a call to a provider did not end well (shared/providers/base.py)
"""

from collections.abc import Sequence


class FinestraError(Exception):
    """Base of our own; its text is fit for logs: no secret, no number, no message text."""


class SettingsError(FinestraError):
    """All mistakes of a configuration at once."""

    def __init__(self, mistakes: Sequence[str]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("settings: " + "; ".join(self.mistakes))


class StoreUnavailableError(FinestraError):
    """Redis could not be asked, or refused to write. Nothing was half-recorded."""
