"""Meta's template API: what is asked, and what its answers and its list say."""

from dataclasses import replace

import pytest

from shared.domain.consent import Category
from shared.domain.retry import ErrorClass
from shared.domain.template_parts import ButtonKind, ButtonPart, HeaderKind, HeaderPart, TemplateContent
from shared.domain.templates import Approval, TemplateStatus
from shared.http.client import Answer, Doubt, NotSent
from shared.providers.meta.template_components import components_of, content_of, parameter_format
from shared.providers.meta.template_list import ListedTemplate, UnreadableTemplate, read_page
from shared.providers.meta.templates import creation_of, is_existing, read_refusal
from tests.builders import template

BODY = "Ciao {{1}}, il tuo ordine {{2}} è pronto."
FULL = TemplateContent(
    header=HeaderPart(kind=HeaderKind.TEXT, text="Ordine {{1}}", sample="991"),
    body=BODY,
    footer="Negozio",
    samples=("Anna", "991"),
    buttons=(
        ButtonPart(kind=ButtonKind.QUICK_REPLY, label="Grazie"),
        ButtonPart(kind=ButtonKind.URL, label="Segui", url="https://ex.it/{{1}}", sample="991"),
        ButtonPart(kind=ButtonKind.PHONE, label="Chiama", phone="+390212345678"),
        ButtonPart(kind=ButtonKind.COPY_CODE, label="Copy code", sample="SAVE10"),
    ),
)
COMPONENTS = [
    {"type": "HEADER", "format": "TEXT", "text": "Ordine {{1}}", "example": {"header_text": ["991"]}},
    {"type": "BODY", "text": BODY, "example": {"body_text": [["Anna", "991"]]}},
    {"type": "FOOTER", "text": "Negozio"},
    {
        "type": "BUTTONS",
        "buttons": [
            {"type": "QUICK_REPLY", "text": "Grazie"},
            {"type": "URL", "text": "Segui", "url": "https://ex.it/{{1}}", "example": ["991"]},
            {"type": "PHONE_NUMBER", "text": "Chiama", "phone_number": "+390212345678"},
            {"type": "COPY_CODE", "example": "SAVE10"},
        ],
    },
]
NAMED = TemplateContent(
    header=HeaderPart(kind=HeaderKind.TEXT, text="Per {{who}}", sample="Anna"),
    body="Ciao {{who}}, ordine {{number}} pronto.",
    samples=("Anna", "991"),
)


def listed(**changes):
    one = {
        "id": "9001",
        "name": "ordine_pronto",
        "language": "it",
        "status": "APPROVED",
        "category": "UTILITY",
        "components": COMPONENTS,
        "quality_score": {"score": "GREEN", "date": 1790000000},
        "rejected_reason": "NONE",
    }
    return {**one, **changes}


def read_one(**changes):
    (found,) = read_page({"data": [listed(**changes)]}).templates
    return found


def refused(code=100, status=400, **more):
    error = {"code": code, "message": "(#100) Invalid parameter", **more}
    return read_refusal(Answer(status, {"error": error}))


class TestComponents:
    def test_every_part_has_its_form_and_its_example(self):
        assert components_of(FULL, Category.UTILITY) == COMPONENTS

    def test_named_variables_have_named_examples(self):
        header, body = components_of(NAMED, Category.UTILITY)

        assert parameter_format(NAMED) == "NAMED"
        assert header["example"] == {"header_text_named_params": [{"param_name": "who", "example": "Anna"}]}
        assert body["example"]["body_text_named_params"] == [
            {"param_name": "who", "example": "Anna"},
            {"param_name": "number", "example": "991"},
        ]

    def test_examples_of_numbers_stand_in_their_order_whatever_the_text_names_first(self):
        content = TemplateContent(body="Ordine {{2}} di {{1}} pronto.", samples=("991", "Anna"))

        assert components_of(content, Category.UTILITY)[0]["example"] == {"body_text": [["Anna", "991"]]}

    def test_of_a_one_time_code_only_the_wishes_are_sent(self):
        content = TemplateContent(
            body="{{1}} is your code. For your security, do not share it.",
            footer="Expires in 5 minutes.",
            samples=("1234",),
            buttons=(ButtonPart(kind=ButtonKind.ONE_TIME_CODE, label="Copy"),),
        )

        assert components_of(content, Category.AUTHENTICATION) == [
            {"type": "BODY", "add_security_recommendation": True},
            {"type": "FOOTER", "code_expiration_minutes": 5},
            {"type": "BUTTONS", "buttons": [{"type": "OTP", "otp_type": "COPY_CODE", "text": "Copy"}]},
        ]

    def test_a_creation_names_category_format_and_time_to_live(self):
        body = creation_of(template(ttl_seconds=600))

        assert {name: body[name] for name in body if name != "components"} == {
            "name": "ordine_pronto",
            "language": "it",
            "category": "UTILITY",
            "parameter_format": "POSITIONAL",
            "message_send_ttl_seconds": 600,
        }

    @pytest.mark.parametrize("content", [FULL, NAMED])
    def test_what_was_sent_reads_back_as_it_was(self, content):
        again = content_of({"components": components_of(content, Category.UTILITY)}, Category.UTILITY)

        without = tuple(replace(button, sample=None) for button in content.buttons)
        assert again == replace(content, buttons=without)


class TestList:
    def test_one_is_read_with_all_that_it_says(self):
        found = read_one(correct_category="MARKETING")

        assert isinstance(found, ListedTemplate)
        assert (found.provider_id, found.approval, found.stopped) == ("9001", Approval.APPROVED, None)
        assert (found.category, found.correct_category, found.quality) == ("utility", "marketing", "green")
        assert found.content.samples == ("Anna", "991")

    @pytest.mark.parametrize(
        ("status", "approval", "stopped"),
        [
            ("APPROVED", Approval.APPROVED, None),
            ("PENDING", Approval.PENDING, None),
            ("IN_APPEAL", Approval.PENDING, None),
            ("REJECTED", Approval.REJECTED, None),
            ("LIMIT_EXCEEDED", Approval.REJECTED, None),
            ("PAUSED", Approval.APPROVED, TemplateStatus.PAUSED),
            ("DISABLED", None, TemplateStatus.DISABLED),
            ("ARCHIVED", None, TemplateStatus.ARCHIVED),
            ("PENDING_DELETION", None, TemplateStatus.ARCHIVED),
            ("DELETED", None, TemplateStatus.ARCHIVED),
        ],
    )
    def test_every_status_has_its_meaning(self, status, approval, stopped):
        found = read_one(status=status)

        assert (found.approval, found.stopped) == (approval, stopped)
        assert found.is_gone == (status in {"PENDING_DELETION", "DELETED"})

    def test_a_rejection_keeps_its_reason(self):
        found = read_one(status="REJECTED", rejected_reason="INVALID_FORMAT")

        assert found.rejected_reason == "INVALID_FORMAT"

    @pytest.mark.parametrize(
        ("changes", "reason"),
        [
            ({"status": "ON_THE_MOON"}, "unknown_status: on_the_moon"),
            ({"category": "TRANSACTIONAL"}, "unknown_category"),
            ({"components": [{"type": "CAROUSEL"}]}, "unsupported_component: carousel"),
            ({"components": [{"type": "HEADER", "format": "LOCATION"}]}, "unsupported_header: location"),
            ({"components": []}, "no_body"),
            ({"components": None}, "no_body"),
            ({"name": 7}, "no_name"),
        ],
    )
    def test_a_bad_one_costs_only_itself(self, changes, reason):
        bad, good = read_page({"data": [listed(**changes), "nothing", listed()]}).templates

        assert isinstance(bad, UnreadableTemplate)
        assert bad.reason == reason
        assert isinstance(good, ListedTemplate)

    def test_pages_go_on_while_there_is_a_next_one(self):
        paging = {"cursors": {"before": "a", "after": "b"}}

        assert read_page({"data": [], "paging": {**paging, "next": "https://…"}}).next == "b"
        assert read_page({"data": [], "paging": paging}).next is None


class TestRefusals:
    def test_a_code_of_template_management_may_stand_in_the_subcode(self):
        found = refused(error_subcode=2388299, error_user_title="No", error_user_msg="variables at the edge")

        assert (found.code, found.detail) == ("2388299", "No: variables at the edge")
        assert "before and after" in found.row.advice

    def test_a_name_that_is_taken_is_known_by_code_or_by_words(self):
        assert is_existing(refused(error_subcode=2388024))
        assert is_existing(refused(error_user_msg="Content in this language already exists"))
        assert not is_existing(refused())

    def test_a_token_that_is_not_known_says_what_to_mend(self):
        assert "token" in refused(190, 401).row.advice

    @pytest.mark.parametrize(
        ("outcome", "error_class"),
        [
            (Doubt("timeout"), ErrorClass.IN_DOUBT),
            (NotSent("gaierror"), ErrorClass.RETRY),
            (Answer(502, None), ErrorClass.IN_DOUBT),
            (Answer(200, None), ErrorClass.IN_DOUBT),
        ],
    )
    def test_what_may_have_been_taken_is_in_doubt(self, outcome, error_class):
        assert read_refusal(outcome).row.error_class is error_class
