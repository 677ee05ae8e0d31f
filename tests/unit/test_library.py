"""The library: every situation in every language, each fit to be submitted as it stands."""

import pytest

from shared import library
from shared.domain.consent import Category
from shared.domain.lint import LintPolicy, lint
from shared.domain.preview import preview
from shared.domain.template_call import TemplateCall
from shared.domain.template_parts import ButtonKind
from shared.domain.template_tags import TAGS
from shared.domain.template_text import VARIABLE

EVERY = [pytest.param(one, id=f"{one.name}/{one.language}") for one in library.ready_made()]
SITUATIONS = {
    "order_confirmed",
    "order_ready",
    "order_shipped",
    "order_delayed",
    "appointment_confirmed",
    "appointment_reminder",
    "payment_received",
    "payment_due",
    "ticket_opened",
    "ticket_solved",
    "delivery_attempt",
    "pickup_point",
}


def test_it_has_every_situation_in_every_language():
    found = {(one.name, one.language) for one in library.ready_made()}

    assert found == {(name, language) for name in library.names() for language in library.LANGUAGES}
    assert set(library.names()) == SITUATIONS | {"one_time_code"}


@pytest.mark.parametrize("one", EVERY)
def test_each_says_what_its_variables_are_and_has_a_sample_of_each(one):
    numbers = tuple(str(number) for number, _ in enumerate(one.variables, 1))

    assert one.content.variables == numbers
    assert len(one.content.samples) == len(numbers)
    assert one.about.endswith(".")


@pytest.mark.parametrize("one", EVERY)
def test_each_passes_our_own_lint_without_a_warning_with_its_link_and_without(one):
    contents = (one.content, one.leading_to("https://shop.example/t/{1}"), one.leading_to(None))
    policies = [
        LintPolicy(provider=provider, keyword_languages=library.LANGUAGES) for provider in one.providers
    ]
    findings = [
        lint(one.name, one.language, one.tag, content, policy) for content in contents for policy in policies
    ]

    assert findings == [[]] * (3 * len(one.providers))


@pytest.mark.parametrize("one", EVERY)
def test_the_samples_fill_each(one):
    seen = preview(TemplateCall(name=one.name, language=one.language, values={}), one.content)

    assert seen.misfits == ()
    assert not VARIABLE.search(seen.bubble.as_text())


@pytest.mark.parametrize("one", [each for each in EVERY if each.values[0].name in SITUATIONS])
def test_each_situation_is_a_service(one):
    assert TAGS[one.tag] is Category.UTILITY


@pytest.mark.parametrize("name", sorted(SITUATIONS))
def test_a_situation_takes_the_same_values_and_buttons_in_each_language(name):
    ones = [library.find(name, language) for language in library.LANGUAGES]

    assert len({one.variables for one in ones}) == 1
    assert len({tuple(button.kind for button in one.content.buttons) for one in ones}) == 1
    assert len({one.content.body for one in ones}) == len(ones)


def test_a_one_time_code_holds_no_text_of_ours_and_is_for_meta_only():
    one = library.find("one_time_code", "it")

    assert TAGS[one.tag] is Category.AUTHENTICATION
    assert (one.content.body, one.content.footer) == ("{{1}}", None)
    assert [button.kind for button in one.content.buttons] == [ButtonKind.ONE_TIME_CODE]
    assert one.providers == ("meta",)


def test_a_link_leads_to_the_business_or_is_left_out():
    one = library.find("order_shipped", "it")
    (button,) = one.leading_to("https://shop.example/t/{1}").buttons

    assert one.has_link
    assert button.url == "https://shop.example/t/{{1}}"
    assert one.leading_to(None).buttons == ()


def test_replies_stay_when_there_is_no_link():
    one = library.find("appointment_reminder", "de")

    assert [button.label for button in one.leading_to(None).buttons] == [
        "Ja, ich komme",
        "Termin verschieben",
    ]


@pytest.mark.parametrize(
    ("name", "language"), [("order", "it"), ("order_shipped", "pt"), ("order_shipped", "about")]
)
def test_what_is_not_in_it_is_not_found(name, language):
    assert library.find(name, language) is None
