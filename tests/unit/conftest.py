"""Property tests: no deadline on a busy machine, and few enough examples to stay in seconds."""

from hypothesis import settings

settings.register_profile("unit", deadline=None, max_examples=200)
settings.load_profile("unit")
