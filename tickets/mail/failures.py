"""Errors and answers of the provider as text that the database can store."""

LONGEST = 1000  # characters


def in_words(error: Exception) -> str:
    return storable(f"{type(error).__name__}: {error}")


def storable(text: str) -> str:
    """`text` without lone surrogates and NULs, which a database rejects."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")[:LONGEST]
