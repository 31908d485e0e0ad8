"""What accounts tells the rest of the house, which it does not know."""

from django.db.models import TextChoices
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _


class AccountMail(TextChoices):
    WELCOME = "welcome", _("welcome")
    CONFIRM_ADDRESS = "confirm_address", _("confirm your mail address")
    ACCOUNT_EXISTS = "account_exists", _("you have an account already")
    PASSWORD_RESET = "password_reset", _("password reset")
    PASSWORD_CHANGED = "password_changed", _("password changed")
    ADDRESS_CHANGED = "address_changed", _("mail address changed")


# Sent when a person is to get a mail about the account. Arguments: sender=User, person, kind, address.
account_mail_requested = Signal()

# Sent when is_active, is_superuser or the roles of a person have changed, in the transaction of the change.
# Arguments: sender=User, person, worked (whether the person worked on tickets before, see User.works).
rights_changed = Signal()

# Sent to learn what would lose its person if somebody was deleted. Arguments: sender=User, person.
# A receiver returns the kinds of records in words, like "tickets".
records_asked = Signal()
