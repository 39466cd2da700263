"""Hypothesis: the same examples on every run, no clock (these machines are noisy)."""

from hypothesis import HealthCheck, Phase, settings

settings.register_profile("line", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
# Of a mutant it is enough to know that it is found: the smallest example does not matter.
settings.register_profile(
    "mutants", settings.get_profile("line"), phases=[Phase.explicit, Phase.generate], max_examples=20
)
settings.load_profile("line")
