"""Our changes to django-allauth."""

import logging

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.models import EmailAddress
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.core.internal.ratelimit import truncate_ip
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.events import AccountMail, account_mail_requested
from accounts.models import FirstPage, User
from accounts.roles import Role
from helpdesk.forwarded import forwarded_for, plain_ip

logger = logging.getLogger("security")

LOCKED_FOR = 15 * 60  # seconds, as in ACCOUNT_RATE_LIMITS["login_failed"]
FOLDER = "account/email/"
# allauth's names of emails -> ours; None: send no email.
MAILS: dict[str, AccountMail | None] = {
    "email_confirmation": AccountMail.CONFIRM_ADDRESS,
    "email_confirmation_signup": AccountMail.CONFIRM_ADDRESS,
    "account_already_exists": AccountMail.ACCOUNT_EXISTS,
    "password_reset_key": AccountMail.PASSWORD_RESET,
    "password_changed": AccountMail.PASSWORD_CHANGED,
    "password_reset": AccountMail.PASSWORD_CHANGED,
    "password_set": AccountMail.PASSWORD_CHANGED,
    "email_changed": AccountMail.ADDRESS_CHANGED,
    "email_deleted": None,  # people can only delete an unconfirmed address
}


class AccountAdapter(DefaultAccountAdapter):
    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": _("Incorrect email or password."),
        "incorrect_password": _("Incorrect password."),
        "enter_current_password": _("Incorrect current password."),
        "duplicate_email": _("This is already your email address."),
        "email_taken": _("This email address can't be used."),
    }

    # Emails are only queued, so that no request waits for the provider (tickets.notifications)
    def send_mail(self, template_prefix: str, email: str, context: dict) -> None:
        person = context.get("user") or User.objects.filter(email=email.lower()).first()
        self._request_mail(template_prefix, person, email)

    def send_notification_mail(self, template_prefix, user, context=None, email=None):
        self._request_mail(template_prefix, user, email or user.email)

    def _request_mail(self, template_prefix: str, person: User | None, address: str) -> None:
        kind = MAILS[template_prefix.removeprefix(FOLDER)]
        if kind and person:
            account_mail_requested.send(sender=User, person=person, kind=kind, address=address)

    # Sign-up
    def is_open_for_signup(self, request) -> bool:
        return settings.SIGNUP != "closed"

    def unstash_verified_email(self, request) -> str | None:
        """Starts a session only for a new address. allauth's own leaves an empty value in the session."""
        return request.session.pop("account_verified_email", None)

    @transaction.atomic
    def save_user(self, request, user, form, commit=True):
        user.full_name = form.cleaned_data["full_name"]
        user.time_zone = form.cleaned_data["time_zone"]
        user = super().save_user(request, user, form, commit)
        user.set_role(Role.REQUESTER)
        return user

    @transaction.atomic
    def confirm_email(self, request, email_address):
        """Completes the sign-up with the first confirmed address.

        An address that another account uses meanwhile can't be confirmed.
        """
        person = email_address.user
        if User.objects.filter(email=email_address.email).exclude(pk=person.pk).exists():
            self.add_message(
                request,
                messages.ERROR,
                "account/messages/email_confirmation_failed.txt",
                {"email": email_address.email},
            )
            return False
        is_first = not EmailAddress.objects.filter(user=person, verified=True).exists()
        is_confirmed = super().confirm_email(request, email_address)
        if is_confirmed and is_first:
            self.welcome(person)
        return is_confirmed

    def welcome(self, person: User) -> None:
        account_mail_requested.send(
            sender=User, person=person, kind=AccountMail.WELCOME, address=person.email
        )

    # Login
    def pre_authenticate(self, request, **credentials):
        """Counts failures by email address and IP address, so that nobody can lock out another person."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError as error:
            logger.warning("Too many failed logins from %s.", self.get_client_ip(request))
            page = render(request, "429.html", {"retry_after": LOCKED_FOR // 60}, status=429)
            page["Retry-After"] = str(LOCKED_FOR)
            raise ImmediateHttpResponse(page) from error

    def authenticate(self, request, **credentials):
        """Treats a deactivated account like one that does not exist."""
        user = super().authenticate(request, **credentials)
        return user if user and user.is_active else None

    def authentication_failed(self, request, **credentials):
        logger.warning("A login failed from %s.", self.get_client_ip(request))

    def post_login(self, request, user, **kwargs):
        logger.info("Person %s logged in from %s.", user.pk, self.get_client_ip(request))
        return super().post_login(request, user, **kwargs)

    def get_login_redirect_url(self, request) -> str:
        """Leads staff to the page of their choice, and requesters to the portal."""
        person = request.user
        if not person.is_staff:
            return super().get_login_redirect_url(request)
        return reverse(FirstPage(person.first_page).url_name)

    def set_password(self, user, password):
        super().set_password(user, password)
        logger.info("Person %s has a new password.", user.pk)

    def _get_login_attempts_cache_key(self, request, **credentials):
        """Counts an IPv6 network (/64) as one client, because a client can choose the last half."""
        address = credentials.get("email", "").lower()
        return f"{address}|{truncate_ip(self.get_client_ip(request))}"

    def get_client_ip(self, request) -> str:
        """The client's IP address, for the log and for every limit per IP.

        Uses the entry of X-Forwarded-For by our trusted proxy, or else the address of the connection. Never
        fails; allauth's own would cause a 500.
        """
        forwarded, connected = forwarded_for(request), request.META.get("REMOTE_ADDR", "")
        return plain_ip(forwarded) or plain_ip(connected) or "unknown"


def is_allowed_domain(address: str) -> bool:
    """Whether SIGNUP_EMAIL_DOMAINS allows a sign-up with `address`, or a change to it."""
    domains = settings.SIGNUP_EMAIL_DOMAINS
    return not domains or address.rpartition("@")[2].lower() in domains
