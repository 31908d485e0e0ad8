"""Why something was refused, in words for the person who asked for it."""

from django.core.exceptions import ValidationError


def reason_of(error: Exception) -> str:
    """Returns the messages of a ValidationError, or the text of another error, as one text."""
    return " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
