"""Whatever speaks of a person ends by its own time, or is removed by somebody who is named here."""

import pytest

from shared.store.keys import parts_of
from tests.contract.test_erasure import fill, world  # noqa: F401 - a fixture

#: Kinds of keys without a time of their own that name a person, and what ends them.
ENDED_OTHERWISE = {
    "contact": "forgotten when silent, unless it holds a consent: evidence",
    "alias": "goes with the contact that it leads to",
    "consent_history": "evidence, the latest 200 words",
    "consented": "goes with the consents",
    "lane": "empty when all of it has left",
    "held": "as long as something waits, which expires",
    "ready": "as long as its lane has members",
    "placed": "as long as its lane has members",
    "leased": "as long as a claim",
    "claimed": "as long as a claim",
    "paused": "as long as its lane has members",
    "closing": "as long as the window",
    "reached": "two days, trimmed at each begin",
    "events": "trimmed by age",
    "quarantine": "trimmed by age",
    "submissions": "trimmed by age",
    "callback_lane": "pushed, parked after three days, dropped without an app",
    "callback_ready": "as long as its lane has members",
    "callback_tries": "as long as its lane has members",
    "callback_parked": "trimmed by age",
}
#: Kinds of keys that name nobody: ids, counts, templates, hashes.
OF_NOBODY = {
    *(
        "business",
        "state",
        "unheard",
        "expiring",
        "waking",
        "queues",
        "turns",
        "accepted",
        "windowed",
        "callback",
    ),
    *("template", "templates", "template_versions", "template_contents", "template_history", "template_sync"),
    *("resting", "sender", "backlog", "counters", "suppressed", "forgotten", "retention", "silence", "audit"),
    *("reference",),
}


@pytest.fixture
def lives(world):  # noqa: F811
    """Each kind of key that a busy person leaves behind, with whether any of it has no time of its own."""
    fill(world)
    endless: dict[str, bool] = {}
    for key in world.client.scan_iter():
        kind = parts_of(key)[0]
        endless[kind] = endless.get(kind, False) or world.client.pttl(key) == -1
    return endless


def test_what_is_kept_without_an_end_is_known_and_says_who_ends_it(lives):
    without_end = {kind for kind, is_endless in lives.items() if is_endless}

    # The last one is what `fill` puts there to see whether an erase finds what nobody foresaw.
    assert without_end - set(ENDED_OTHERWISE) - OF_NOBODY == {"a_kind_of_tomorrow"}


def test_what_people_wrote_and_what_they_were_sent_ends_by_itself(lives):
    assert not any(lives[kind] for kind in ("inbound", "seen", "window", "recent", "idem", "pair"))
