"""Hypothesis: the same examples on every run, no clock (these machines are noisy)."""

from hypothesis import HealthCheck, settings

settings.register_profile("line", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("line")
