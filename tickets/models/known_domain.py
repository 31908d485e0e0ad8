from django.core.exceptions import ValidationError
from django.core.validators import validate_domain_name
from django.db import models
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from accounts.fields import OneLineField

# Anybody can get an address at these, so it tells nothing about who writes.
FREE_MAIL = frozenset(
    {
        *("126.com", "163.com", "aol.com", "fastmail.com", "free.fr", "freenet.de", "gmail.com", "gmx.at"),
        *("gmx.ch", "gmx.com", "gmx.de", "gmx.net", "googlemail.com", "hotmail.co.uk", "hotmail.com"),
        *("hotmail.de", "hotmail.fr", "icloud.com", "laposte.net", "libero.it", "live.com", "mac.com"),
        *(
            "mail.com",
            "mail.ru",
            "mailbox.org",
            "me.com",
            "msn.com",
            "orange.fr",
            "outlook.com",
            "outlook.de",
        ),
        *("posteo.de", "proton.me", "protonmail.com", "qq.com", "t-online.de", "tutanota.com", "wanadoo.fr"),
        *("web.de", "yahoo.co.uk", "yahoo.com", "yahoo.de", "yahoo.fr", "yandex.ru", "ymail.com", "zoho.com"),
    }
)


class KnownDomain(models.Model):
    """A domain of the company, and what becomes of an email from somebody there who has no account."""

    class FirstContact(models.TextChoices):
        OFF = "off", _("The email waits for review")
        ASK = "ask", _("The email waits; one click creates the account and the ticket")
        ON = "on", _("The sender gets an account and a ticket")

    domain = models.CharField(_("domain"), max_length=253, unique=True, validators=[validate_domain_name])
    first_contact = models.CharField(
        _("first contact"), max_length=3, choices=FirstContact, default=FirstContact.OFF
    )
    department = OneLineField(
        _("department"), max_length=100, blank=True, help_text=_("For the accounts of new people.")
    )

    class Meta:
        verbose_name = _("known domain")
        verbose_name_plural = _("known domains")
        ordering = ["domain"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(domain=Lower("domain")), name="known_domain_lower_case"
            ),
        ]

    def __str__(self):
        return self.domain

    def clean(self):
        super().clean()
        self.domain = self.domain.lower()
        if self.domain in FREE_MAIL:
            raise ValidationError({"domain": _("Anyone can get an address at this domain.")})

    def save(self, *args, **kwargs):
        self.domain = self.domain.lower()
        super().save(*args, **kwargs)
