"""Four worker processes and one sender at a provider that counts by its own clock: close to its limit."""

from bench.limits import many_contacts


def test_four_workers_use_what_the_provider_allows_and_are_refused_nothing(tmp_path):
    seen = many_contacts(tmp_path, workers=4, messages=400)

    assert seen.refused(130429) == 0
    assert len(seen.requests) == 400
    assert seen.used(after_seconds=1) >= 0.95
