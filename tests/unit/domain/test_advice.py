"""Whoever looks at a dead letter is told what to do."""

import pytest

from shared.domain.advice import ADVICE, advice_for
from shared.domain.retry import ErrorClass
from shared.domain.routing import Rule

#: What sends, or waits for something: no message ends by it.
PASSING = {
    Rule.WINDOW_OPEN,
    Rule.WINDOW_CLOSING,
    Rule.TEMPLATE_PREFERRED,
    Rule.WAITING_FOR_WINDOW,
    Rule.TEMPLATE_PENDING,
    Rule.TEMPLATE_PAUSED,
    Rule.SENDER_HALTED,
    Rule.MESSAGING_LIMIT,
    Rule.PAIR_LIMIT,
    Rule.SENDER_LIMIT,
}


@pytest.mark.parametrize("rule", set(Rule) - PASSING)
def test_every_rule_that_ends_a_message_has_its_advice(rule):
    assert ADVICE[rule].endswith(".")


def test_the_providers_own_advice_comes_first():
    assert advice_for("provider_error", "Pay the bill.") == "Pay the bill."
    assert advice_for("provider_error", None) == ADVICE["provider_error"]


@pytest.mark.parametrize("reason", [None, ErrorClass.RETRY, "a reason of a later version"])
def test_what_is_not_known_has_no_advice(reason):
    assert advice_for(reason, None) is None
