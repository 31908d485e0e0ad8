import uuid
import zoneinfo
from collections.abc import Iterable
from datetime import timedelta
from functools import cache

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.contrib.auth.models import Group, PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import connection, models, transaction
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.events import rights_changed
from accounts.fields import OneLineField
from accounts.people_search import OtherSpellings, holding
from accounts.roles import STAFF, Role
from accounts.validators import validate_address, validate_single_line, validate_visible

GROUPS = """
SELECT auth_group.name
FROM auth_group
JOIN accounts_user_groups ON accounts_user_groups.group_id = auth_group.id
WHERE accounts_user_groups.user_id = %s
"""


RIGHTS = ("is_active", "is_superuser")  # the columns that, with the groups, decide about permissions


@cache
def time_zone_names() -> set[str]:
    """Cached, because Python opens 600 files to list them, which takes 10 ms."""
    return zoneinfo.available_timezones()


def validate_time_zone(value: str) -> None:
    if value not in time_zone_names():
        raise ValidationError(_("Choose a time zone from the list."))


# User.role. Raw SQL, because the ORM takes longer to compile the query than the database to answer it.
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

# User.may_be_mailed. Only a sign-up creates an unconfirmed address. People who are invited or imported have a
# confirmed address, or no EmailAddress row.
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


# The columns with a person's names, and the columns with their other spellings
NAMES = {"full_name": "name_words", "email": None}


@cache
def _works() -> models.Q:
    """The condition of UserQuerySet.staff(). Made once, because it never changes."""
    in_role = User.groups.through.objects.filter(group__name__in=STAFF).values("user")
    return models.Q(is_active=True) & (models.Q(is_superuser=True) | models.Q(pk__in=in_role))


class UserQuerySet(models.QuerySet):
    def active(self):
        return self.filter(is_active=True)

    def with_role(self):
        """Annotates each person with `role`, to avoid a query per person."""
        return self.annotate(role=ROLE)

    def may_be_mailed(self):
        """The people who may get emails about tickets (User.may_be_mailed)."""
        return self.filter(MAY_BE_MAILED) if settings.HAS_MAIL_PROVIDER else self

    def saying_who_may_be_mailed(self):
        """Annotates each person with `may_be_mailed`, to avoid a query per person."""
        return self.annotate(may_be_mailed=MAY_BE_MAILED) if settings.HAS_MAIL_PROVIDER else self

    def named(self, words: str):
        """People with every word of `words` in their name or address, in any spelling."""
        if "\0" in words:  # PostgreSQL rejects it
            return self.none()
        return self.filter(holding(words.split(), NAMES))

    def described(self, words: Iterable[str]):
        """People with every one of `words` in their name, address or department."""
        words = list(words)
        if any("\0" in word for word in words):
            return self.none()
        return self.filter(holding(words, NAMES | {"department": "department_words"}))

    def staff(self):
        """People who may work on tickets: active agents, supervisors and superusers."""
        return self.filter(_works())

    def staff_or(self, chosen: int | None):
        """Those people, and the person with the primary key `chosen`."""
        return self.filter(_works() | models.Q(pk=chosen)) if chosen else self.staff()

    def update(self, **values):
        """Sends the same signals as save() if it changes RIGHTS. bulk_update() calls it too."""
        if not set(RIGHTS) & values.keys():
            return super().update(**values)
        with transaction.atomic():
            worked = list(self.staff().order_by().values_list("pk", flat=True))
            count = super().update(**values)
            for person in User.objects.filter(pk__in=worked).order_by("pk"):
                rights_changed.send(sender=User, person=person, worked=True)
        return count

    update.alters_data = True


def _with_spellings(written: Iterable[str] | None) -> Iterable[str] | None:
    """The saved fields, with the fields that are derived from them; None: all."""
    if written is None:
        return None
    words = {"full_name": "name_words", "department": "department_words"}
    return {*written, *(words[name] for name in written if name in words)}


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
        """The address counts as confirmed, because only the owner of the machine can call it."""
        user = self.create_user(email, password, is_superuser=True, **fields)
        user.emailaddress_set.create(email=user.email, verified=True, primary=True)
        return user


class Theme(models.TextChoices):
    """Light or dark pages. `color_scheme` is what the page's <meta name="color-scheme"> says."""

    SYSTEM = "system", _("System")
    LIGHT = "light", _("Light")
    DARK = "dark", _("Dark")

    @property
    def color_scheme(self) -> str:
        return "light dark" if self is Theme.SYSTEM else self.value


class FirstPage(models.TextChoices):
    """The page that opens after staff log in. `url_name` is its route."""

    START = "start", _("Start page")
    QUEUE = "queue", _("Queue")

    @property
    def url_name(self) -> str:
        return "admin:index" if self is FirstPage.START else "admin:tickets_ticket_changelist"


class User(AbstractBaseUser, PermissionsMixin):
    """A person. The email address is the login. It is lower case, so that one address has one account."""

    email = models.EmailField(
        _("email address"),
        unique=True,
        validators=[validate_address],
        error_messages={"unique": _("Someone with this email address already exists.")},
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
        help_text=_("Leave blank to use the helpdesk's time zone."),
    )
    theme = models.CharField(_("theme"), max_length=6, choices=Theme, default=Theme.SYSTEM)
    devices = models.TextField(
        _("devices"),
        blank=True,
        default="",
        db_default="",
        validators=[MaxLengthValidator(2000)],
        max_length=2000,
        help_text=_("Models, tags, anything that helps. Staff see it beside the person's tickets."),
    )
    is_active = models.BooleanField(
        _("active"), default=True, help_text=_("Deactivate people instead of deleting them.")
    )
    joined_at = models.DateTimeField(_("joined"), auto_now_add=True)
    opens_next = models.BooleanField(
        _("opens the next ticket after a reply"), default=False, db_default=False, editable=False
    )

    first_page = models.CharField(
        _("after login, open"),
        max_length=5,
        choices=FirstPage,
        default=FirstPage.START,
        db_default=FirstPage.START,
    )

    name_words = OtherSpellings(of="full_name")
    department_words = OtherSpellings(of="department")

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
        """Saves in one transaction with the changes that receivers make (tickets.signals)."""
        self.email = self.email.strip().lower()
        with transaction.atomic():
            kwargs["update_fields"] = _with_spellings(kwargs.get("update_fields"))
            written = RIGHTS if kwargs.get("update_fields") is None else kwargs["update_fields"]
            before = self._stored_rights(written)
            super().save(*args, **kwargs)
            if any(before[name] != getattr(self, name) for name in before.keys() & set(written)):
                self.__dict__.pop("role", None)
                worked = before["is_active"] and (before["is_superuser"] or self.role in STAFF)
                rights_changed.send(sender=User, person=self, worked=worked)

    def _stored_rights(self, written) -> dict[str, bool]:
        """The stored RIGHTS; empty if saving the fields `written` changes none of them."""
        if self._state.adding or not set(RIGHTS) & set(written):
            return {}
        return User.objects.filter(pk=self.pk).values(*RIGHTS).first() or {}

    def clean(self):
        super().clean()
        self.email = self.email.strip().lower()

    @cached_property
    def role(self) -> Role:
        """The highest role of the person's groups. A person without a group is a requester."""
        names = self._names_of_groups()
        return next((role for role in reversed(Role) if role in names), Role.REQUESTER)

    def refresh_from_db(self, *args, **kwargs):
        self.__dict__.pop("role", None)
        super().refresh_from_db(*args, **kwargs)

    def _names_of_groups(self) -> set[str]:
        if "groups" in getattr(self, "_prefetched_objects_cache", ()):
            return {group.name for group in self.groups.all()}
        # Every page runs this query. Raw SQL, because the ORM would take longer to compile it.
        with connection.cursor() as cursor:
            cursor.execute(GROUPS, [self.pk])
            return {name for (name,) in cursor}

    @property
    def works(self) -> bool:
        """Whether the person may work on tickets, like UserQuerySet.staff()."""
        return self.is_active and (self.is_superuser or self.role in STAFF)

    @property
    def is_staff(self) -> bool:
        """Whether the person may use the admin (read by django.contrib.admin)."""
        return self.works

    @cached_property
    def may_be_mailed(self) -> bool:
        """Whether the person may get emails about tickets: the person or staff have confirmed the address.

        Emails about the account go to every address. Without an email provider nobody can confirm an address,
        so every address counts as confirmed.
        """
        return not settings.HAS_MAIL_PROVIDER or User.objects.filter(pk=self.pk).may_be_mailed().exists()

    @property
    def marked_name(self) -> str:
        """The name, for staff, with a mark if the person does not work on tickets (any more)."""
        if self.works:
            return str(self)
        text = gettext("%(name)s (not staff)") if self.is_active else gettext("%(name)s (deactivated)")
        return text % {"name": self}

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The person's time zone; the helpdesk's if none is chosen or the chosen one no longer exists."""
        known = self.time_zone in time_zone_names()
        return zoneinfo.ZoneInfo(self.time_zone if known else settings.TIME_ZONE)

    @property
    def zone_name(self) -> str:
        """The name of the time zone, as menus show it."""
        return str(self.zone).replace("_", " ")

    @property
    def color_scheme(self) -> str:
        return Theme(self.theme).color_scheme

    @property
    def themes(self) -> list[Theme]:
        """What the account menu offers."""
        return list(Theme)

    @property
    def initials(self) -> str:
        words = str(self).split()
        return "".join(word[0] for word in (words[0], *words[1:][-1:])).upper() if words else "?"

    def get_short_name(self) -> str:
        return str(self).split()[0]

    @transaction.atomic
    def set_role(self, role: Role) -> None:
        """Replaces the person's role. Keeps groups that are not roles."""
        # Add the new role before removing the old one, so that the person is staff at every moment.
        self.groups.add(Group.objects.get_or_create(name=role.value)[0])
        self.groups.remove(*Group.objects.filter(name__in=Role.values).exclude(name=role))


class StaffNote(models.Model):
    """What staff wrote about a person, for other staff. No page and no email shows it to the person.

    A table of its own, so that nothing that loads a person loads it. It belongs to what a person can ask a
    copy of (GDPR, article 15); the administrator exports it.
    """

    person = models.OneToOneField(
        User, verbose_name=_("person"), on_delete=models.CASCADE, related_name="staff_note", primary_key=True
    )
    text = models.TextField(
        _("internal notes"), blank=True, validators=[MaxLengthValidator(5000)], max_length=5000
    )
    changed_by = models.ForeignKey(
        User, verbose_name=_("changed by"), on_delete=models.SET_NULL, related_name="+", null=True
    )
    changed_at = models.DateTimeField(_("changed"), default=timezone.now)

    class Meta:
        verbose_name = _("internal notes about a person")
        verbose_name_plural = _("internal notes about people")
        default_permissions = ()  # those of the person decide

    def __str__(self):
        return str(self.person)


class InvitationQuerySet(models.QuerySet):
    def open(self):
        """Invitations of people who are active and have no password yet. They get one email."""
        without_password = models.Q(person__password__startswith=UNUSABLE_PASSWORD_PREFIX)
        return self.filter(without_password, sent_at=None, person__is_active=True)

    def waiting(self):
        """Open invitations that no one has asked for."""
        return self.open().filter(asked_at=None)

    def due(self):
        """Open invitations that staff have asked for, and that are not in the outbox yet."""
        return self.open().exclude(asked_at=None).order_by("asked_at", "pk")


class Invitation(models.Model):
    """A person whom an import has created, and whether the person was invited to choose a password."""

    person = models.OneToOneField(
        User, verbose_name=_("person"), on_delete=models.CASCADE, related_name="invitation", primary_key=True
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    asked_at = models.DateTimeField(_("asked for"), null=True, blank=True)
    sent_at = models.DateTimeField(_("put into the outbox"), null=True, blank=True)

    objects = InvitationQuerySet.as_manager()

    class Meta:
        verbose_name = _("invitation")
        verbose_name_plural = _("invitations")
        default_permissions = ()  # those of the person decide
        indexes = [
            # serves open(): few invitations stay open, and the worker asks for them every ten seconds
            models.Index(
                fields=["asked_at", "person"], condition=models.Q(sent_at=None), name="invitation_open"
            )
        ]

    def __str__(self):
        return str(self.person)


class PeopleUploadQuerySet(models.QuerySet):
    def expired(self):
        return self.filter(uploaded_at__lt=timezone.now() - PeopleUpload.KEPT)


class PeopleUpload(models.Model):
    """A CSV file of people between its preview and its import. Nobody but its uploader sees it.

    The content is removed with the import, and the row after KEPT.
    """

    KEPT = timedelta(hours=1)

    key = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    uploaded_by = models.ForeignKey(
        User, verbose_name=_("uploaded by"), on_delete=models.CASCADE, related_name="+"
    )
    uploaded_at = models.DateTimeField(_("uploaded"), default=timezone.now, db_index=True)
    name = OneLineField(_("file name"), max_length=255)
    content = models.BinaryField(_("content"))
    imported_at = models.DateTimeField(_("imported"), null=True, blank=True)

    objects = PeopleUploadQuerySet.as_manager()

    class Meta:
        verbose_name = _("uploaded list of people")
        verbose_name_plural = _("uploaded lists of people")
        default_permissions = ()  # accounts.import_pages decides

    def __str__(self):
        return self.name

    @property
    def refusal(self) -> str:
        """Why the file can't be imported any more; "" if it can."""
        if self.imported_at:
            return gettext("These people were imported already.")
        if self.uploaded_at < timezone.now() - self.KEPT:
            return gettext("The preview has expired. Choose the file again.")
        return ""
