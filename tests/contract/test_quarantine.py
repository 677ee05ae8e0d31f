"""The quarantine, by one suite on the fake and on a real server: what is kept, in what order, how it goes."""

from itertools import count

import pytest

from shared.domain.events import UpdateSetAside
from shared.store.keys import Keys
from shared.store.quarantine import Entry
from tests.builders import NOW, Stores, cm_sender, meta_sender

SHOP, NEGOZIO = meta_sender(), cm_sender()
MOST_BYTES = 256 * 1024
_number = count()


def keep(stores: Stores, *reasons: str, sender=SHOP, raw: str = "") -> list[str]:
    """Set aside one update a reason, each with a text of its own; their ids, the oldest first."""
    updates = [
        (sender, UpdateSetAside(reason=reason, raw=raw or f'{{"name": "Anna", "n": {next(_number)}}}'))
        for reason in reasons
    ]
    stores.recorder.record(updates, now=NOW)
    return [entry.id for entry in stores.quarantine.oldest_first("default")][-len(reasons) :]


def reasons_of(entries) -> list[str]:
    return [entry.reason for entry in entries]


class TestGet:
    def test_an_entry_is_kept_whole(self, stores):
        (entry_id,) = keep(stores, "odd", raw='{"è": 1}')

        entry = stores.quarantine.get("default", entry_id)

        assert (entry.id, entry.at, entry.sender, entry.reason) == (entry_id, NOW, "shop", "odd")
        assert (entry.raw, entry.size_bytes, entry.is_cut) == ('{"è": 1}', 9, False)

    def test_what_is_not_there_is_none(self, stores):
        (entry_id,) = keep(stores, "odd")

        assert stores.quarantine.get("default", "1-0") is None
        assert stores.quarantine.get("other", entry_id) is None

    @pytest.mark.parametrize(("letters", "is_cut"), [(MOST_BYTES // 2, False), (MOST_BYTES // 2 + 1, True)])
    def test_what_is_too_large_is_cut_and_says_so(self, stores, letters, is_cut):
        (entry_id,) = keep(stores, "odd", raw="è" * letters)

        entry = stores.quarantine.get("default", entry_id)

        assert (entry.size_bytes, entry.is_cut) == (MOST_BYTES, is_cut)

    def test_a_letter_is_not_cut_in_half(self, stores):
        (entry_id,) = keep(stores, "odd", raw="x" + "è" * (MOST_BYTES // 2))

        entry = stores.quarantine.get("default", entry_id)

        assert entry.raw == "x" + "è" * (MOST_BYTES // 2 - 1)

    def test_what_an_earlier_version_kept_is_read_too(self, stores):
        fields = {"at": "1000", "sender": "shop", "reason": "odd", "raw": "{}"}
        entry_id = stores.client.xadd(Keys("default").quarantine(), fields)

        assert stores.quarantine.get("default", entry_id).is_cut is False


class TestPage:
    def test_the_newest_come_first_and_the_cursor_goes_on(self, stores):
        keep(stores, *"abcde")

        first = stores.quarantine.page("default", before=None, limit=2)
        second = stores.quarantine.page("default", before=first.next, limit=2)
        third = stores.quarantine.page("default", before=second.next, limit=2)

        assert [reasons_of(page.entries) for page in (first, second, third)] == [
            ["e", "d"],
            ["c", "b"],
            ["a"],
        ]
        assert third.next is None

    def test_a_page_that_ends_with_the_last_has_no_next(self, stores):
        keep(stores, *"ab")

        assert stores.quarantine.page("default", before=None, limit=2).next is None

    def test_no_text_is_in_a_page(self, stores):
        keep(stores, "odd")

        (entry,) = stores.quarantine.page("default", before=None, limit=2).entries

        assert type(entry) is Entry
        assert "Anna" not in repr(entry)

    def test_a_reason_and_a_sender_choose(self, stores):
        keep(stores, "odd", "even", "odd")
        keep(stores, "odd", sender=NEGOZIO)

        odd = stores.quarantine.page("default", before=None, limit=9, reason="odd")
        of_shop = stores.quarantine.page("default", before=None, limit=9, reason="odd", sender="shop")

        assert [entry.sender for entry in odd.entries] == ["negozio", "shop", "shop"]
        assert [entry.sender for entry in of_shop.entries] == ["shop", "shop"]

    def test_what_is_looked_for_is_found_behind_much_else(self, stores):
        keep(stores, "rare", *["common"] * 120, "rare", *["common"] * 60)

        first = stores.quarantine.page("default", before=None, limit=1, reason="rare")
        second = stores.quarantine.page("default", before=first.next, limit=1, reason="rare")

        assert reasons_of((*first.entries, *second.entries)) == ["rare", "rare"]
        assert second.next is None

    def test_an_empty_quarantine_is_an_empty_page(self, stores):
        page = stores.quarantine.page("default", before=None, limit=2)

        assert (page.entries, page.next) == ((), None)


class TestOldestFirst:
    def test_they_come_in_the_order_in_which_they_came_in(self, stores):
        ids = keep(stores, *"abc")

        assert reasons_of(stores.quarantine.oldest_first("default")) == ["a", "b", "c"]
        assert reasons_of(stores.quarantine.oldest_first("default", after=ids[0])) == ["b", "c"]

    def test_what_is_removed_on_the_way_skips_nothing(self, stores):
        keep(stores, *["odd"] * 130)

        removed = [
            stores.quarantine.remove("default", entry.id)
            for entry in stores.quarantine.oldest_first("default")
        ]

        assert removed == [True] * 130
        assert stores.quarantine.count("default") == 0


class TestRemove:
    def test_only_the_one_that_is_named_goes(self, stores):
        first, second = keep(stores, "odd", "even")

        assert stores.quarantine.remove("default", first)

        assert [entry.id for entry in stores.quarantine.oldest_first("default")] == [second]
        assert stores.quarantine.count("default") == 1

    def test_what_is_gone_cannot_go_again(self, stores):
        (entry_id,) = keep(stores, "odd")
        stores.quarantine.remove("default", entry_id)

        assert not stores.quarantine.remove("default", entry_id)
