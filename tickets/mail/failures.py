"""Errors and answers of the provider as text that the database can store."""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

LONGEST = 1000  # characters
# No key decrypts the secret of a mailbox (helpdesk.encryption.LostKey).
LOST_SECRET = _("SECRET_KEY has changed. Enter the secret of this mailbox again.")


def in_words(error: Exception) -> str:
    return storable(f"{type(error).__name__}: {error}")


def storable(text: str) -> str:
    """`text` without lone surrogates and NULs, which a database rejects."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")[:LONGEST]


def without(text: str, secrets: Iterable[str]) -> str:
    """`text` without the secrets, because a server or a library may repeat what it was sent."""
    for secret in filter(None, secrets):
        text = text.replace(secret, "***")
    return text
