"""`contacts`: cards for the contact to keep, in the form that both providers document.

Meta, "Contacts", read 2025-10; CM.com's SDKs and Postman collection, read 2026-11. The limits are ours.
"""

from typing import Any

from marshmallow import fields, post_load, validate

from shared.domain.session_content import Card, Email, Phone, PostalAddress, Website
from shared.schemas.strict import RequestSchema, ValueSchema, Words

MAX_CARDS = 10
_MAX_LINE = 256
_MAX_PARTS = 10


class CardNameSchema(RequestSchema):
    formatted_name = Words(_MAX_LINE, required=True)
    first_name = Words(_MAX_LINE, load_default=None)
    last_name = Words(_MAX_LINE, load_default=None)


class CardPhoneSchema(ValueSchema):
    makes = Phone
    phone = Words(_MAX_LINE, required=True)
    type = Words(_MAX_LINE, load_default=None)


class CardEmailSchema(ValueSchema):
    makes = Email
    email = Words(_MAX_LINE, required=True)
    type = Words(_MAX_LINE, load_default=None)


class CardWebsiteSchema(ValueSchema):
    makes = Website
    url = Words(_MAX_LINE, required=True)
    type = Words(_MAX_LINE, load_default=None)


class CardAddressSchema(ValueSchema):
    makes = PostalAddress
    street = Words(_MAX_LINE, load_default=None)
    zip = Words(_MAX_LINE, load_default=None)
    city = Words(_MAX_LINE, load_default=None)
    country = Words(_MAX_LINE, load_default=None)
    country_code = Words(_MAX_LINE, load_default=None)
    type = Words(_MAX_LINE, load_default=None)


class CardOrganisationSchema(RequestSchema):
    company = Words(_MAX_LINE, required=True)


def _parts(schema: RequestSchema) -> fields.List[Any]:
    return fields.List(fields.Nested(schema), load_default=list, validate=validate.Length(max=_MAX_PARTS))


class CardSchema(RequestSchema):
    name = fields.Nested(CardNameSchema(), required=True)
    phones = _parts(CardPhoneSchema())
    emails = _parts(CardEmailSchema())
    addresses = _parts(CardAddressSchema())
    urls = _parts(CardWebsiteSchema())
    org = fields.Nested(CardOrganisationSchema(), load_default=None)
    birthday = fields.Date(format="iso", load_default=None, metadata={"description": "1990-01-31"})

    @post_load
    def _make(self, values: dict[str, Any], **kwargs: Any) -> Card:
        """All examples of the providers name a first or last name beside the whole one."""
        name, birthday, org = values["name"], values["birthday"], values["org"]
        if name["first_name"] is None and name["last_name"] is None:
            name = {**name, "first_name": name["formatted_name"]}
        return Card(
            **name,
            phones=tuple(values["phones"]),
            emails=tuple(values["emails"]),
            addresses=tuple(values["addresses"]),
            urls=tuple(values["urls"]),
            company=None if org is None else org["company"],
            birthday=None if birthday is None else birthday.isoformat(),
        )
