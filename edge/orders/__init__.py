"""Requests to the warehouse, from the outbox until answered."""
