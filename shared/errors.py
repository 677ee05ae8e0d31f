"""The errors that end a piece of work. A refusal is a value, not one of these.

FinestraError
├── SettingsError            the process cannot start as it is configured
├── DataVersionError         the data are older or newer than the code
├── MigrationRunningError    somebody else migrates them now
├── UnreadableTemplateError  what is stored of a template is not as this version writes it
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


class DataVersionError(FinestraError):
    """The data are not of the version that this code works with; the text says what to do."""


class MigrationRunningError(FinestraError):
    """Somebody else migrates the data; when it has ended there is nothing left to do."""


class UnreadableTemplateError(FinestraError):
    """A stored template cannot be read; nothing is sent with it, and it takes nothing else along."""


class StoreUnavailableError(FinestraError):
    """Redis did not answer in time, or refused to write.

    Nothing is half-recorded; after a timeout it is either recorded or not, so what is sent again must be safe
    to repeat.
    """
