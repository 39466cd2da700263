"""tunnel-edge: every item tracked from photoeye to diverter, judged in time, its divert confirmed."""

__version__ = "0.1.0"
