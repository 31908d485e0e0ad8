"""Decodes broken base64 as far as possible. Pure and linear."""

import binascii
import string

ALPHABET = f"{string.ascii_letters}{string.digits}+/".encode()
OTHERS = bytes(byte for byte in range(256) if byte not in ALPHABET)


def decode(text: bytes) -> bytes:
    """Ignores characters outside of the alphabet, missing padding, and an incomplete last byte."""
    digits = text.translate(None, OTHERS)
    digits = digits[:-1] if len(digits) % 4 == 1 else digits
    return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))
