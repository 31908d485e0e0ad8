from allauth.account.models import EmailAddress
from django.contrib.auth.tokens import PasswordResetTokenGenerator


class ResetTokens(PasswordResetTokenGenerator):
    """Tokens that end with a change of address, like allauth's own.

    Those make a row for an address that has none, also when a stranger opens a made-up link or asks for a
    reset. Then a person who was brought in would wait for a confirmation (User.may_be_mailed).
    """

    def _make_hash_value(self, user, timestamp) -> str:
        addresses = EmailAddress.objects.filter(user=user).values_list("email", flat=True)
        return super()._make_hash_value(user, timestamp) + "|".join(sorted({user.email, *addresses}))
