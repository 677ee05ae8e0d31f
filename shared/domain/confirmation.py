"""The one confirmation of an opt-out: what it says, in the language of the keyword.

It is sent inside the open window only, once for an opt-out and never as a template, and says no more than
what has happened and how to undo it: no business name, no offer.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

from shared.domain.consent import Category
from shared.domain.identifiers import ContactId
from shared.domain.keywords import Keyword
from shared.domain.message import MessageRequest, Priority, WhenClosed
from shared.domain.session_content import Text

#: Under whose name it stands among messages: no app asked for it.
CONFIRMING_APP = "finestra"
#: Later it would answer what nobody remembers to have asked.
CONFIRM_WITHIN = timedelta(hours=1)

#: By language: opted out of everything; of marketing only.
_TEXTS: Mapping[str, tuple[str, str]] = {
    "it": (
        "Va bene: non ti scriveremo più. Per ricevere di nuovo i nostri messaggi rispondi START.",
        "Va bene: non ti manderemo più messaggi promozionali.",
    ),
    "en": (
        "Done: we will not message you again. To receive our messages once more, reply START.",
        "Done: we will not send you promotional messages again.",
    ),
    "es": (
        "Hecho: no volveremos a escribirte. Para recibir de nuevo nuestros mensajes, responde START.",
        "Hecho: no te enviaremos más mensajes promocionales.",
    ),
    "fr": (
        "C'est fait : nous ne vous écrirons plus. Pour recevoir à nouveau nos messages, répondez START.",
        "C'est fait : vous ne recevrez plus de messages promotionnels de notre part.",
    ),
    "de": (
        "Erledigt: Wir schreiben Ihnen nicht mehr. Für neue Nachrichten antworten Sie mit START.",
        "Erledigt: Sie erhalten von uns keine Werbenachrichten mehr.",
    ),
}


def confirmation_of(
    keyword: Keyword, *, sender: str, contact: ContactId, at: datetime, default_language: str
) -> MessageRequest:
    """For an opt-out by keyword or button that happened `at`."""
    is_partial = Category.UTILITY not in keyword.categories
    texts = _TEXTS[keyword.language or default_language]
    return MessageRequest(
        to=contact,
        sender=sender,
        content=Text(texts[is_partial]),
        category=Category.MARKETING if is_partial else Category.UTILITY,
        when_closed=WhenClosed.REFUSE,
        priority=Priority.HIGH,
        confirms_opt_out_at=at.replace(microsecond=0),
        expires_at=at + CONFIRM_WITHIN,
    )
