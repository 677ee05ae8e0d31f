"""Templates: variables, the two approvals, whether a request fits, and what the lint finds."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.consent import Category
from shared.domain.template_call import TemplateButton
from shared.domain.template_parts import ButtonFill
from shared.domain.template_text import clean_value, provider_form, render, variables_of
from shared.domain.templates import Approval, Gate, TemplateStatus
from tests.builders import BOTH_APPROVED, call, template

GOOD = "Ciao {1}, il tuo ordine {2} è pronto."
SAMPLES = ("Anna", "991")

pieces = st.sampled_from(
    ["{", "}", "{{", "}}", "1", "2", "name", " ", "Ciao", "{1}", "{{1}}", "{ name }", "è"]
)
bodies = st.lists(pieces, max_size=12).map("".join)


@pytest.mark.parametrize(
    ("body", "variables"),
    [
        ("Senza.", ()),
        ("Ciao {1}.", ("1",)),
        ("Ciao {{1}}.", ("1",)),
        ("Ciao {{ 1 }} e { 2 }.", ("1", "2")),
        ("{2} prima di {1}", ("2", "1")),
        ("{1} e ancora {{1}}", ("1",)),
        ("Ciao {nome}, {{cognome}}.", ("nome", "cognome")),
        ("Ciao {first name}.", ()),
        ("{}{{}}", ()),
    ],
)
def test_variables_are_named_in_the_order_they_appear_each_once(body, variables):
    assert variables_of(body) == variables


def test_the_providers_form_has_double_braces_without_spaces():
    assert provider_form("Ciao {1}, {{ 2 }} e { nome }.") == "Ciao {{1}}, {{2}} e {{nome}}."


@given(bodies)
def test_writing_the_providers_form_twice_changes_nothing(body):
    once = provider_form(body)

    assert provider_form(once) == once


@given(bodies)
def test_the_providers_form_keeps_the_variables(body):
    assert variables_of(provider_form(body)) == variables_of(body)


@given(bodies, st.text(max_size=10))
def test_rendering_fills_every_variable_and_leaves_the_rest(body, value):
    rendered = render(body, dict.fromkeys(variables_of(body), value))

    assert rendered == render(provider_form(body), dict.fromkeys(variables_of(body), value))
    assert variables_of(body) or rendered == body


def test_a_value_that_looks_like_a_variable_is_not_filled_again():
    assert render("{1} e {2}", {"1": "{2}", "2": "due"}) == "{2} e due"


def test_rendering_without_a_value_is_an_error_not_an_empty_word():
    with pytest.raises(KeyError):
        render(GOOD, {"1": "Anna"})


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        ("Anna", "Anna"),
        ("a\n\n b\t     c", "a b c"),
        ("  Anna\r\n", "Anna"),
        ("a\u00a0\u2003b", "a b"),
        ("\n\t ", ""),
    ],
)
def test_line_breaks_tabs_and_runs_of_spaces_in_values_are_collapsed(value, cleaned):
    assert clean_value(value) == cleaned


@given(st.text())
def test_cleaning_a_value_twice_changes_nothing(value):
    once = clean_value(value)

    assert clean_value(once) == once
    assert not set(once) & set("\n\r\t")
    assert "  " not in once


@pytest.mark.parametrize(
    ("provider", "whatsapp", "status"),
    [
        (Approval.APPROVED, Approval.APPROVED, TemplateStatus.APPROVED),
        (Approval.APPROVED, Approval.PENDING, TemplateStatus.SUBMITTED),
        (Approval.PENDING, Approval.APPROVED, TemplateStatus.SUBMITTED),
        (Approval.PENDING, Approval.PENDING, TemplateStatus.SUBMITTED),
        (Approval.REJECTED, Approval.APPROVED, TemplateStatus.REJECTED),
        (Approval.APPROVED, Approval.REJECTED, TemplateStatus.REJECTED),
        (Approval.PENDING, Approval.REJECTED, TemplateStatus.REJECTED),
        (Approval.REJECTED, Approval.REJECTED, TemplateStatus.REJECTED),
    ],
)
def test_a_template_is_approved_only_by_both_gates(provider, whatsapp, status):
    assert template(gates={Gate.PROVIDER: provider, Gate.WHATSAPP: whatsapp}).status is status


def test_a_gate_that_never_spoke_has_not_approved():
    assert template(gates={Gate.WHATSAPP: Approval.APPROVED}).status is TemplateStatus.SUBMITTED


@pytest.mark.parametrize("stopped", [TemplateStatus.PAUSED, TemplateStatus.DISABLED, TemplateStatus.ARCHIVED])
def test_a_stopped_template_shows_why_it_is_stopped(stopped):
    assert template(stopped=stopped).status is stopped


def test_a_rejection_outweighs_a_pause():
    rejected = {**BOTH_APPROVED, Gate.WHATSAPP: Approval.REJECTED}

    assert template(gates=rejected, stopped=TemplateStatus.PAUSED).status is TemplateStatus.REJECTED


def test_a_category_has_changed_when_it_is_not_the_one_registered():
    assert template(category=Category.MARKETING, original_category=Category.UTILITY).is_category_changed
    assert not template(original_category=Category.UTILITY).is_category_changed
    assert not template(original_category=None).is_category_changed


@pytest.mark.parametrize(
    ("changes", "renders"),
    [
        ({}, True),
        ({"category": Category.MARKETING}, False),
        ({"category": Category.AUTHENTICATION}, False),
        ({"stopped": TemplateStatus.PAUSED}, False),
        ({"gates": {}}, False),
    ],
)
def test_only_an_approved_utility_template_can_go_as_text(changes, renders):
    assert (template(**changes).as_session_text(call()) is not None) is renders


@pytest.mark.parametrize(
    "more",
    [
        {"header": "Ordine 991"},
        {"buttons": (TemplateButton(index=0, fill=ButtonFill.PAYLOAD, value="STOP"),)},
    ],
)
def test_what_fills_more_than_the_body_cannot_go_as_text(more):
    assert template().as_session_text(replace(call(), **more)) is None


@pytest.mark.parametrize(
    ("values", "fits"),
    [
        ({"1": "Anna", "2": "991"}, True),
        ({"2": "991", "1": "Anna"}, True),
        ({"1": "Anna"}, False),
        ({"1": "Anna", "2": "991", "3": "x"}, False),
        ({"nome": "Anna", "ordine": "991"}, False),
    ],
)
def test_a_call_fits_when_it_fills_exactly_the_variables(values, fits):
    assert call(values=values).fits(template()) is fits
