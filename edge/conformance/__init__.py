"""The suite that an integrator runs against a PLC's program, before any item runs on the lane."""
