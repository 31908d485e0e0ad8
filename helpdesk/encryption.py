"""Encrypts secrets at rest with SECRET_KEY: passwords of mailboxes, tokens.

A key of SECRET_KEY_FALLBACKS still decrypts, so SECRET_KEY can be changed. `manage.py rotate_secrets` then
encrypts all secrets with the new key, and the old one can go.
"""

from base64 import urlsafe_b64encode
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

PURPOSE = b"helpdesk.encryption"


class LostKey(Exception):
    """No key of the settings decrypts the text: SECRET_KEY was changed without a fallback."""


def encrypt(text: str) -> str:
    return _cipher().encrypt(text.encode()).decode("ascii")


def decrypt(text: str) -> str:
    """Raises LostKey."""
    try:
        return _cipher().decrypt(text.encode()).decode()
    except InvalidToken as error:
        raise LostKey from error


def renewed(text: str) -> str:
    """The same text, encrypted with SECRET_KEY. Raises LostKey."""
    try:
        return _cipher().rotate(text.encode()).decode("ascii")
    except InvalidToken as error:
        raise LostKey from error


def _cipher() -> MultiFernet:
    return _cipher_of(settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)


@lru_cache(maxsize=4)
def _cipher_of(*keys: str) -> MultiFernet:
    return MultiFernet(map(_fernet, keys))


def _fernet(key: str) -> Fernet:
    """A cipher with a key of its own purpose (HKDF, RFC 5869)."""
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(key.encode())
    return Fernet(urlsafe_b64encode(derived))
