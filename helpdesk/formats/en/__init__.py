"""English, as in formats.py."""
