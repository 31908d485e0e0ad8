from allauth.account.models import EmailAddress
from django.contrib.auth.tokens import PasswordResetTokenGenerator


class ResetTokens(PasswordResetTokenGenerator):
    """Tokens that become invalid with a change of address, like allauth's own.

    allauth's own creates an EmailAddress row, even if a stranger requests a reset or opens an invented link.
    An imported person would then need to confirm the address (User.may_be_mailed).
    """

    def _make_hash_value(self, user, timestamp) -> str:
        addresses = EmailAddress.objects.filter(user=user).values_list("email", flat=True)
        return super()._make_hash_value(user, timestamp) + "|".join(sorted({user.email, *addresses}))
