"""Consent: what stands whatever the order of arrival."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.consent import (
    DEFAULT_CATEGORIES,
    Category,
    Consent,
    ConsentRecord,
    ConsentStatus,
)
from tests.builders import NOW, opt_in, opt_out
from tests.unit.domain.strategies import records

SECOND = timedelta(seconds=1)
IN = ConsentStatus.OPTED_IN

changes = st.lists(st.tuples(st.sampled_from(Category), records), max_size=8)


def standing_after(all_changes) -> Consent:
    consent = Consent()
    for category, record in all_changes:
        consent = consent.with_record(category, record)
    return consent


def what_stands(consent: Consent) -> dict[Category, tuple[ConsentStatus, int]]:
    return {
        category: (record.status, int(record.at.timestamp())) for category, record in consent.records.items()
    }


@given(changes, st.data())
def test_any_order_of_the_same_records_leaves_the_same_consent(all_changes, data):
    shuffled = data.draw(st.permutations(all_changes))

    assert what_stands(standing_after(all_changes)) == what_stands(standing_after(shuffled))


@given(changes)
def test_hearing_everything_twice_changes_nothing(all_changes):
    assert what_stands(standing_after(all_changes * 2)) == what_stands(standing_after(all_changes))


@given(changes)
def test_nobody_is_opted_in_and_opted_out_at_once(all_changes):
    consent = standing_after(all_changes)

    for category in Category:
        assert not (consent.is_opted_in(category) and consent.opted_out_at(category))


def test_nothing_known_is_no_opt_in_and_no_opt_out():
    assert not Consent().is_opted_in(Category.UTILITY)
    assert Consent().opted_out_at(Category.UTILITY) is None


def test_an_opt_in_of_one_category_says_nothing_of_another():
    consent = Consent().with_record(Category.UTILITY, opt_in())

    assert consent.is_opted_in(Category.UTILITY)
    assert not consent.is_opted_in(Category.MARKETING)


def test_an_older_opt_out_changes_nothing():
    consent = Consent().with_record(Category.UTILITY, opt_in(NOW))

    assert consent.with_record(Category.UTILITY, opt_out(NOW - SECOND)).is_opted_in(Category.UTILITY)


@pytest.mark.parametrize("all_records", [(opt_in(NOW), opt_out(NOW)), (opt_out(NOW), opt_in(NOW))])
def test_on_a_tie_of_seconds_the_opt_out_wins(all_records):
    consent = standing_after((Category.UTILITY, record) for record in all_records)

    assert consent.opted_out_at(Category.UTILITY) == NOW


def test_times_are_compared_in_whole_seconds():
    late_in_the_second = ConsentRecord(status=IN, at=NOW + SECOND / 2, source="test")
    consent = Consent().with_record(Category.UTILITY, opt_out(NOW))

    assert consent.with_record(Category.UTILITY, late_in_the_second).opted_out_at(Category.UTILITY) == NOW


def test_without_named_categories_an_opt_in_spares_marketing_and_an_opt_out_covers_all():
    assert set(DEFAULT_CATEGORIES[IN]) == {Category.UTILITY, Category.AUTHENTICATION}
    assert set(DEFAULT_CATEGORIES[ConsentStatus.OPTED_OUT]) == set(Category)
