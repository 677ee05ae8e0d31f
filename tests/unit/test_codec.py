"""A request comes back from Redis as it went in, and so does one that an older version has stored."""

import json
from dataclasses import replace

import pytest

from shared.domain.template_call import TemplateButton
from shared.domain.template_parts import ButtonFill
from shared.store.codec import dump_request, load_request
from tests.builders import TEXT, call, request
from tests.contents import EVERY_KIND, PDF, WAMID


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_request_comes_back_with_its_content(kind):
    asked = request(content=EVERY_KIND[kind], reply_to=WAMID)

    assert load_request(dump_request(asked)) == asked


def test_a_request_with_only_a_template_comes_back():
    asked = request(content=None)

    assert load_request(dump_request(asked)) == asked


@pytest.mark.parametrize("header", ["Ordine 991", PDF])
def test_a_call_comes_back_with_its_header_and_buttons(header):
    buttons = tuple(
        TemplateButton(index=index, fill=fill, value="x") for index, fill in enumerate(ButtonFill)
    )
    asked = request(templates=(replace(call(), header=header, buttons=buttons), call("sollecito")))

    assert load_request(dump_request(asked)) == asked


def test_a_request_stored_before_there_was_other_content_is_read():
    stored = json.loads(dump_request(request()))

    assert set(stored) == {
        "to", "sender", "text", "templates", "category", "when_open", "when_closed", "priority",
        "in_doubt", "reference", "expires_at",
    }  # fmt: skip
    assert stored["text"] == TEXT.body
    assert set(stored["templates"][0]) == {"name", "language", "values"}
