"""Signals with which accounts notifies packages that it must not import."""

from django.db.models import TextChoices
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _


class AccountMail(TextChoices):
    WELCOME = "welcome", _("welcome")
    CONFIRM_ADDRESS = "confirm_address", _("email confirmation")
    ACCOUNT_EXISTS = "account_exists", _("account already exists")
    ACCOUNT_CREATED = "account_created", _("invitation")
    PASSWORD_RESET = "password_reset", _("password reset")
    PASSWORD_CHANGED = "password_changed", _("password changed")
    ADDRESS_CHANGED = "address_changed", _("email address changed")


# Sent to email a person about the account. Arguments: sender=User, person, kind, address.
account_mail_requested = Signal()

# Sent after is_active, is_superuser or the roles of a person have changed, in the same transaction.
# Arguments: sender=User, person, worked (User.works before the change).
rights_changed = Signal()

# Sent after the names or departments of many people were changed without save(), in the same transaction.
# Arguments: sender=User, people (their primary keys).
people_renamed = Signal()

# Sent to find records that protect a person from deletion. Arguments: sender=User, person. A receiver returns
# the kinds of records as words, like "tickets".
records_asked = Signal()
