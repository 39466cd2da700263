"""The technicians' tools."""
