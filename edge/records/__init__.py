"""The ledger: journal, outbox, evidence pictures, tap, metrics."""
