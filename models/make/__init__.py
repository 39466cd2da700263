"""Makers of the shipped models, from weights in public packages."""
