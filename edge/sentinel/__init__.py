"""A second pair of eyes: checks that what was decided was carried out. Shares none of the daemon's code."""
