"""The power is cut at every write: the disk as it may lie there afterwards, and what the appliance makes of it."""
