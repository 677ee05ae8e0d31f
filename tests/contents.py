"""Free-form content of every kind, with all that each can hold."""

from shared.domain.content import Location
from shared.domain.session_content import (
    Buttons,
    Card,
    Cards,
    Choice,
    Email,
    EmojiReaction,
    LinkButton,
    MediaKind,
    MediaLink,
    Phone,
    PostalAddress,
    ReplyButton,
    Row,
    Section,
    Text,
    Website,
)

WAMID = "wamid.HBgMMzkzMzMxMjM0NTY3FQIAEhg="
PDF = MediaLink(
    kind=MediaKind.DOCUMENT, link="https://ex.it/f/991.pdf", caption="La tua fattura", filename="Fattura.pdf"
)
PHOTO = MediaLink(kind=MediaKind.IMAGE, link="https://ex.it/991.jpg")
BUTTONS = Buttons(
    body="Confermi l'appuntamento?",
    header=PHOTO,
    footer="Esempio srl",
    buttons=(ReplyButton(id="yes", title="Sì"), ReplyButton(id="no", title="No")),
)
CHOICE = Choice(
    body="Quando ti va bene?",
    header="Scegli un orario",
    label="Orari",
    sections=(
        Section(title="Domani", rows=(Row(id="s1", title="09:00", description="Sala A"),)),
        Section(title="Venerdì", rows=(Row(id="s2", title="10:00"),)),
    ),
)
LINK = LinkButton(body="Segui il pacco.", label="Apri", url="https://ex.it/991")
PLACE = Location(latitude=0.0, longitude=-9.19, name="Negozio", address="Via Roma 1, Cagliari")
CARDS = Cards(
    (
        Card(
            formatted_name="Ada Rossi",
            first_name="Ada",
            last_name="Rossi",
            phones=(Phone(phone="+39 333 1234568", type="CELL"),),
            emails=(Email(email="ada@example.test", type="WORK"),),
            addresses=(PostalAddress(street="Via Roma 1", zip="09100", city="Cagliari", country_code="IT"),),
            urls=(Website(url="https://example.test"),),
            company="Esempio srl",
            birthday="1990-01-31",
        ),
        Card(formatted_name="Bo", first_name="Bo"),
    )
)
REACTION = EmojiReaction(message_id=WAMID, emoji="👍")

EVERY_KIND = {
    "text": Text("Ciao"),
    "document": PDF,
    "image": PHOTO,
    "buttons": BUTTONS,
    "list": CHOICE,
    "link": LINK,
    "location": PLACE,
    "contacts": CARDS,
    "reaction": REACTION,
}
