"""Cameras: each grabs apart from deciding and keeps only the newest frames."""
