"""`tunnel-edge demo`: a whole lane on one machine, with the real broker, daemon, models and ledger."""
