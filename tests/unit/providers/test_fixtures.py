"""Every recorded webhook is read as the provider's reference has it."""

from datetime import UTC, datetime

import pytest
from webhook_fixtures import dumped, expectations, expected, load, names

from shared.providers.cm.parse import parse as parse_cm
from shared.providers.meta.parse import parse as parse_meta

RECEIVED_AT = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
PARSERS = {"meta": parse_meta, "cm": parse_cm}
CASES = [(provider, name) for provider in PARSERS for name in names(provider)]


@pytest.mark.parametrize("provider", PARSERS)
def test_every_fixture_has_its_expectation_and_every_expectation_its_fixture(provider):
    assert expectations(provider) == names(provider)


@pytest.mark.parametrize(("provider", "name"), CASES)
def test_a_fixture_is_read_as_expected(provider, name):
    events = PARSERS[provider](load(provider, name), RECEIVED_AT)

    assert [dumped(event) for event in events] == expected(provider, name)
