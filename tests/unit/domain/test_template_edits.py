"""When WhatsApp lets a template be edited or deleted."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.consent import Category
from shared.domain.template_edits import delete_refusal, edit_refusal
from shared.domain.templates import Approval, Gate, TemplateStatus
from tests.builders import BOTH_APPROVED, NOW, template

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
REJECTED = {**BOTH_APPROVED, Gate.WHATSAPP: Approval.REJECTED}
PENDING = {**BOTH_APPROVED, Gate.WHATSAPP: Approval.PENDING}


@pytest.mark.parametrize(
    ("changes", "may"),
    [
        ({}, True),
        ({"gates": REJECTED}, True),
        ({"stopped": TemplateStatus.PAUSED}, True),
        ({"gates": PENDING}, False),
        ({"is_being_edited": True}, False),
        ({"stopped": TemplateStatus.DISABLED}, False),
        ({"stopped": TemplateStatus.ARCHIVED}, False),
    ],
)
def test_only_what_is_approved_rejected_or_paused_is_edited(changes, may):
    refusal = edit_refusal(template(**changes), Category.UTILITY, NOW)

    assert (refusal is None) == may


def test_an_approved_one_keeps_its_category_and_a_rejected_one_need_not():
    assert edit_refusal(template(), Category.MARKETING, NOW) is not None
    assert edit_refusal(template(gates=REJECTED), Category.MARKETING, NOW) is None


@pytest.mark.parametrize(
    ("edits", "until"),
    [
        ((NOW - HOUR,), NOW - HOUR + DAY),
        ((NOW - DAY,), None),
        (tuple(NOW - (29 - 2 * n) * DAY for n in range(10)), NOW + DAY),
        (tuple(NOW - (30 - 2 * n) * DAY for n in range(10)), None),
    ],
)
def test_an_approved_one_takes_one_edit_a_day_and_ten_in_thirty(edits, until):
    refusal = edit_refusal(template(edits=edits), Category.UTILITY, NOW)

    assert (refusal and refusal.until) == until


def test_other_than_approved_ones_take_any_number_of_edits():
    paused = template(stopped=TemplateStatus.PAUSED, edits=(NOW - HOUR,))

    assert edit_refusal(paused, Category.UTILITY, NOW) is None
    assert edit_refusal(replace(paused, stopped=None), Category.UTILITY, NOW) is not None


def test_what_is_disabled_is_not_deleted():
    assert delete_refusal(template(stopped=TemplateStatus.DISABLED)) is not None
    assert delete_refusal(template()) is None
