import zoneinfo
from functools import cache

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import Group, PermissionsMixin
from django.core.exceptions import ValidationError
from django.db import connection, models, transaction
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.events import rights_changed
from accounts.fields import OneLineField
from accounts.roles import STAFF, Role
from accounts.validators import validate_address, validate_single_line, validate_visible

GROUPS = """
SELECT auth_group.name
FROM auth_group
JOIN accounts_user_groups ON accounts_user_groups.group_id = auth_group.id
WHERE accounts_user_groups.user_id = %s
"""


RIGHTS = ("is_active", "is_superuser")  # the columns that decide, beside the groups, what a person may do


@cache
def time_zone_names() -> set[str]:
    """Python opens 600 files each time to say them, 10 ms: too long for every page and mail."""
    return zoneinfo.available_timezones()


def validate_time_zone(value: str) -> None:
    if value not in time_zone_names():
        raise ValidationError(_("Please choose a time zone from the list."))


# User.role. In SQL: the ORM takes longer to put it together than the database to answer it.
ROLE = RawSQL(
    """COALESCE((
        SELECT auth_group.name
        FROM auth_group JOIN accounts_user_groups ON accounts_user_groups.group_id = auth_group.id
        WHERE accounts_user_groups.user_id = accounts_user.id AND auth_group.name IN (%s, %s, %s)
        ORDER BY CASE auth_group.name WHEN %s THEN 0 WHEN %s THEN 1 ELSE 2 END
        LIMIT 1
    ), %s)""",
    (*Role, Role.SUPERVISOR, Role.AGENT, Role.REQUESTER),
)

# User.may_be_mailed. Only a sign-up leaves an address that waits for confirmation; who is brought in has a
# confirmed one, or none at allauth's.
MAY_BE_MAILED = RawSQL(
    """NOT EXISTS (
        SELECT 1 FROM account_emailaddress
        WHERE account_emailaddress.user_id = accounts_user.id
          AND LOWER(account_emailaddress.email) = accounts_user.email
          AND NOT account_emailaddress.verified
    )""",
    (),
    output_field=models.BooleanField(),
)


class UserQuerySet(models.QuerySet):
    def active(self):
        return self.filter(is_active=True)

    def with_role(self):
        """Each with its `role`, which would be asked for one by one."""
        return self.annotate(role=ROLE)

    def may_be_mailed(self):
        """Those to whom tickets may be mailed; the others may be anybody (User.may_be_mailed)."""
        return self.filter(MAY_BE_MAILED) if settings.HAS_MAIL_PROVIDER else self

    def saying_who_may_be_mailed(self):
        """Each with its `may_be_mailed`, which would be asked for one by one."""
        return self.annotate(may_be_mailed=MAY_BE_MAILED) if settings.HAS_MAIL_PROVIDER else self

    def named(self, words: str):
        """People with `words` in their name or address."""
        if "\0" in words:  # PostgreSQL refuses it
            return self.none()
        return self.filter(models.Q(full_name__icontains=words) | models.Q(email__icontains=words))

    def staff(self):
        """People who may work on tickets: active agents, supervisors and superusers."""
        in_role = models.Exists(
            User.groups.through.objects.filter(user_id=models.OuterRef("pk"), group__name__in=STAFF)
        )
        return self.active().filter(models.Q(is_superuser=True) | in_role)


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):
    use_in_migrations = False

    def get_by_natural_key(self, email):
        return self.get(email=email.strip().lower())

    @transaction.atomic
    def create_user(self, email, password=None, *, role=Role.REQUESTER, **fields):
        user = self.model(email=email, **fields)
        user.set_password(password)
        user.save(using=self._db)
        user.set_role(role)
        return user

    @transaction.atomic
    def create_superuser(self, email, password=None, **fields):
        """Made from a shell by somebody who owns the machine, so the address counts as confirmed."""
        user = self.create_user(email, password, is_superuser=True, **fields)
        user.emailaddress_set.create(email=user.email, verified=True, primary=True)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person. The mail address is the login; it is kept in lower case, so one address is one account."""

    email = models.EmailField(
        _("mail address"),
        unique=True,
        validators=[validate_address],
        error_messages={"unique": _("Somebody with this mail address exists already.")},
    )
    full_name = OneLineField(_("name"), max_length=150, validators=[validate_single_line, validate_visible])
    phone = OneLineField(_("phone"), max_length=50, blank=True, validators=[validate_single_line])
    department = OneLineField(_("department"), max_length=100, blank=True, validators=[validate_single_line])
    location = OneLineField(_("location"), max_length=100, blank=True, validators=[validate_single_line])
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        validators=[validate_time_zone],
        help_text=_("Empty: the time zone of the helpdesk."),
    )
    is_active = models.BooleanField(
        _("may log in"), default=True, help_text=_("Switch this off instead of deleting somebody.")
    )
    joined_at = models.DateTimeField(_("joined"), auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["full_name"]

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        ordering = ["full_name", "pk"]
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower_case"),
        ]
        indexes = [models.Index(fields=["full_name", "id"], name="user_by_name")]  # the admin's list

    def __str__(self):
        return self.full_name or self.email

    def save(self, *args, **kwargs):
        """Together with what follows from it (tickets.signals), or not at all."""
        self.email = self.email.strip().lower()
        with transaction.atomic():
            written = RIGHTS if kwargs.get("update_fields") is None else kwargs["update_fields"]
            before = self._stored_rights(written)
            super().save(*args, **kwargs)
            if any(before[name] != getattr(self, name) for name in before.keys() & set(written)):
                self.__dict__.pop("role", None)
                worked = before["is_active"] and (before["is_superuser"] or self.role in STAFF)
                rights_changed.send(sender=User, person=self, worked=worked)

    def _stored_rights(self, written) -> dict[str, bool]:
        """RIGHTS as the database has them; empty where a save of `written` changes none of them."""
        if self._state.adding or not set(RIGHTS) & set(written):
            return {}
        return User.objects.filter(pk=self.pk).values(*RIGHTS).first() or {}

    def clean(self):
        super().clean()
        self.email = self.email.strip().lower()

    @cached_property
    def role(self) -> Role:
        """The highest role that the person's groups give; nobody without a group is more than a requester."""
        names = self._names_of_groups()
        return next((role for role in reversed(Role) if role in names), Role.REQUESTER)

    def refresh_from_db(self, *args, **kwargs):
        self.__dict__.pop("role", None)
        super().refresh_from_db(*args, **kwargs)

    def _names_of_groups(self) -> set[str]:
        if "groups" in getattr(self, "_prefetched_objects_cache", ()):
            return {group.name for group in self.groups.all()}
        # Asked on every page. In SQL: the ORM takes longer to put the question than the database to answer.
        with connection.cursor() as cursor:
            cursor.execute(GROUPS, [self.pk])
            return {name for (name,) in cursor}

    @property
    def works(self) -> bool:
        """Whether the person may work on tickets: is in UserQuerySet.staff()."""
        return self.is_active and (self.is_superuser or self.role in STAFF)

    @property
    def is_staff(self) -> bool:
        """Whether the admin site lets the person in (asked by django.contrib.admin)."""
        return self.works

    @cached_property
    def may_be_mailed(self) -> bool:
        """Whether tickets may be mailed: the person has confirmed the address, or staff vouch for it.

        Mails about the account itself go to every address. On the console, where no mail leaves, nobody can
        confirm an address, and every one counts as confirmed.
        """
        return not settings.HAS_MAIL_PROVIDER or User.objects.filter(pk=self.pk).may_be_mailed().exists()

    @property
    def marked_name(self) -> str:
        """The name, for staff: it says where the person does not work on tickets (any more)."""
        if self.works:
            return str(self)
        text = gettext("%(name)s (not staff)") if self.is_active else gettext("%(name)s (deactivated)")
        return text % {"name": self}

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The person's time zone; the helpdesk's where none is chosen or the chosen one is gone."""
        known = self.time_zone in time_zone_names()
        return zoneinfo.ZoneInfo(self.time_zone if known else settings.TIME_ZONE)

    @property
    def initials(self) -> str:
        words = str(self).split()
        return "".join(word[0] for word in (words[0], *words[1:][-1:])).upper() if words else "?"

    def get_short_name(self) -> str:
        return str(self).split()[0]

    @transaction.atomic
    def set_role(self, role: Role) -> None:
        """Gives the person this one role. Groups that are no roles stay."""
        # First given, then taken: at no moment is an agent who becomes a supervisor nobody.
        self.groups.add(Group.objects.get_or_create(name=role.value)[0])
        self.groups.remove(*Group.objects.filter(name__in=Role.values).exclude(name=role))
