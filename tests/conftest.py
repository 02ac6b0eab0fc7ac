"""Settings of all tests."""

from hypothesis import settings

settings.register_profile("situ", deadline=None)  # a busy machine is not a bug
settings.load_profile("situ")
