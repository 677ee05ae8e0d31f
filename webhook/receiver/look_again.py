"""Template events that do not say all: the provider's list is read soon, which does.

Of an edited content the webhook gives no examples and no numbers, and of a template that is not ours yet it
has no content at all; an approval does not say of which content it is.
"""

from collections.abc import Sequence

from shared.configuration import AnySender
from shared.deps import Deps
from shared.domain.events import ProviderEvent, TemplateContentChanged, TemplateStatusChanged
from shared.errors import StoreUnavailableError
from shared.observability import LogEvent, get_logger

#: The recorder's words.
_UNKNOWN, _UNCOMPARED, _UNCHANGED = "unknown_template", "uncompared", "unchanged"


def look_again(deps: Deps, updates: Sequence[tuple[AnySender, ProviderEvent]], words: Sequence[str]) -> None:
    places = {
        (sender.business, sender.account)
        for (sender, event), word in zip(updates, words, strict=True)
        if _is_half_told(event, word)
    }
    for business, account in sorted(places):
        try:
            deps.template_sync.hasten(business, account)
        except StoreUnavailableError as exc:
            # The update is recorded and must be answered so; the list is read in its time.
            get_logger().warning(LogEvent.STORE_UNAVAILABLE, where="look_again", error=str(exc))


def _is_half_told(event: ProviderEvent, word: str) -> bool:
    match event:
        case TemplateContentChanged():
            return word != _UNCHANGED
        case TemplateStatusChanged():
            return word in {_UNKNOWN, _UNCOMPARED}
        case _:
            return False
