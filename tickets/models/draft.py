import os
import re
import uuid
from typing import NamedTuple

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import F
from django.utils import formats, timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket


class DraftVersion(NamedTuple):
    """Identifies a draft and how often it was saved when the page showed it."""

    key: uuid.UUID
    version: int

    @classmethod
    def read(cls, text: str) -> "DraftVersion | None":
        """Parses "key:version". Returns None for any other text."""
        key, _colon, version = text.partition(":")
        try:
            return cls(uuid.UUID(key), int(version)) if len(version) < 9 else None
        except ValueError:
            return None

    def __str__(self):
        return f"{self.key}:{self.version}"


class Save(NamedTuple):
    """The number of a save by an open page, because requests can arrive in any order."""

    page: str
    number: int

    @classmethod
    def read(cls, text: str) -> "Save | None":
        """Returns None for text that is not a Save."""
        found = re.fullmatch(r"([0-9.]{1,40}):([0-9]{1,8})", text)
        return cls(found[1], int(found[2])) if found else None

    def __str__(self):
        return f"{self.page}:{self.number}"

    def is_older_than(self, other: "Save | None") -> bool:
        return other is not None and self.page == other.page and self.number < other.number


class DraftQuerySet(models.QuerySet):
    def keep(
        self,
        *,
        person,
        ticket: Ticket | None,
        kind: str,
        body: str,
        fields: dict[str, str] | None = None,
        key: uuid.UUID | None = None,
        restored: DraftVersion | None = None,
        save: Save | None = None,
        place: str = "",
    ) -> int:
        """Saves what is typed in the form with this `key`, or deletes the draft if nothing is typed.

        A form that shows a draft (`restored`) continues it, unless another tab changed it since or the text
        is a different one: then both drafts are kept. Without a key, the newest draft of the place gets a new
        key, so that another open tab does not overwrite it. An older `save` of the same page that arrives
        late changes nothing.

        Returns how many old drafts of the person were deleted because of the limit.
        """
        fields = fields or {}
        where = {"person": person, "ticket": ticket, "kind": kind, "place": place}
        if not body.strip() and not self.model.is_typed(kind, fields):
            self._empty(**where, key=key, restored=restored, save=save)
            return 0
        content = {"body": body, "fields": fields}
        if save:
            content |= {"page": save.page, "save_number": save.number}
        values = {**content, "version": F("version") + 1, "updated_at": timezone.now()}
        own = self.filter(person=person)
        if key is None:
            newest = own.filter(ticket=ticket, kind=kind, place=place).newest_first().first()
            key = uuid.uuid4()
            if newest and own.filter(pk=newest.pk).update(key=key, **values):
                return 0
        same = own.filter(key=key)
        if self._renew(same, save, values):
            return 0
        if restored and self._goes_on(own, restored, self.model.words_of(kind, body, fields)):
            shown = own.filter(key=restored.key, version=restored.version)
            if shown.update(key=key, **values):
                return 0
        try:
            with transaction.atomic():
                self.create(**where, **content, key=key)
        except IntegrityError:  # the same form was saved twice at once
            same.saved_before(save).update(**values)
        return self._delete_oldest(person)

    def forget(
        self,
        *,
        person,
        ticket: Ticket | None,
        kind: str,
        key: uuid.UUID | None,
        restored: DraftVersion | None = None,
        save: Save | None = None,
        place: str = "",
    ) -> None:
        """Deletes the draft of the form with this `key` and the draft it showed; without a key, all of the
        place. What the same page has saved after `save` stays.
        """
        own = self.filter(person=person)
        if key is None:
            own.filter(ticket=ticket, kind=kind, place=place).delete()
            return
        own.filter(key=key).saved_before(save).delete()
        if restored:
            own.filter(key=restored.key, version=restored.version).delete()

    def _empty(self, *, person, key: uuid.UUID | None, save: Save | None, restored, **place) -> None:
        """Deletes the draft. An emptied row stays if an older save of the page may still arrive."""
        if key is None or save is None:
            self.forget(person=person, key=key, restored=restored, save=save, **place)
            return
        own = self.filter(person=person)
        if restored:
            own.filter(key=restored.key, version=restored.version).exclude(key=key).delete()
        nothing = {"body": "", "fields": {}, "page": save.page, "save_number": save.number}
        nothing["updated_at"] = timezone.now()
        same = own.filter(key=key)
        if self._renew(same, save, nothing):
            return
        try:
            with transaction.atomic():
                self.create(person=person, key=key, **place, **nothing)
        except IntegrityError:  # an older save arrived at the same moment
            same.saved_before(save).update(**nothing)
        emptied = own.emptied().order_by("-pk").values_list("pk", flat=True)
        self.filter(pk__in=list(emptied[self.model.MOST :])).delete()

    @staticmethod
    def _renew(same, save: Save | None, values: dict) -> bool:
        """Saves `values` in the draft `same`, unless its page has saved later. Returns whether it exists."""
        if same.saved_before(save).update(**values):
            return True
        if not same.exists():
            return False
        same.saved_before(save).update(**values)  # an older save may have created it in between
        return True

    def join(self, older: "Draft", newer: "Draft") -> None:
        """Joins two drafts of one place, older text first. Keeps both if the joined text would be too long.

        The joined draft gets a new key, so that a tab that still edits one of them does not overwrite it.
        """
        body = "\n\n".join(filter(None, (older.body, newer.body)))
        if len(body) > self.model.MAX_LENGTH:
            return
        self.filter(pk__in=(older.pk, newer.pk)).delete()
        place = {"person_id": newer.person_id, "ticket_id": newer.ticket_id, "kind": newer.kind}
        self.create(**place, body=body, fields=older.fields | newer.fields)

    def saved_before(self, save: Save | None):
        """Excludes drafts that the same page has saved later."""
        return self.exclude(page=save.page, save_number__gt=save.number) if save else self

    def newest_first(self):
        """Leaves out emptied drafts, which nobody sees."""
        return self.exclude(body="", fields={}).order_by("-updated_at", "-pk")

    def emptied(self):
        return self.filter(body="", fields={})

    def of_deleted_tickets(self):
        return self.filter(ticket=None, kind__in=(Draft.Kind.REPLY, Draft.Kind.NOTE))

    @staticmethod
    def _goes_on(own, restored: DraftVersion, new: str) -> bool:
        """Whether more than half of the draft's text is still there, at its beginning and its end."""
        draft = own.filter(key=restored.key).first()
        if draft is None:
            return False
        old = draft.text
        start = len(os.path.commonprefix([old, new]))
        end = len(os.path.commonprefix([old[start:][::-1], new[start:][::-1]]))
        return 2 * (start + end) > len(old)

    def _delete_oldest(self, person) -> int:
        """Deletes the oldest drafts above MOST. Returns how many."""
        oldest = self.filter(person=person).newest_first().values_list("pk", flat=True)
        if surplus := list(oldest[self.model.MOST :]):
            self.filter(pk__in=surplus).delete()
        return len(surplus)


class Draft(models.Model):
    """What a person has typed into a form and not sent.

    Each open form has one draft. It is never sent by itself.

    A draft without a ticket belongs to the form for a new ticket, or its ticket is deleted. Drafts of all
    other forms have the kind FORM and the path of the page as `place`.
    """

    class Kind(models.TextChoices):
        REPLY = "reply", _("reply")
        NOTE = "note", _("internal note")
        DETAILS = "details", _("details")
        TICKET = "ticket", _("new ticket")
        FORM = "form", _("form of another page")

    MAX_LENGTH = 20_000  # of the body
    MAX_FIELDS_LENGTH = 25_000  # of all other fields together
    MOST = 50  # of one person
    KEPT_DAYS = 90
    MAX_PLACE = 200
    # Marks a draft that holds the whole form, unticked boxes included; the script sends changed fields only.
    WHOLE = "*"
    UNSEEN = (WHOLE, "version")  # in the fields of a FORM, but not typed by the person
    # The fields besides the body, by kind
    FIELDS = {
        Kind.REPLY: ("status", "waiting_for", "wakes_on", "claims", "files"),
        Kind.NOTE: ("files",),
        Kind.DETAILS: (
            "status", "waiting_for", "wakes_on", "assignee", "priority", "category", "subject", "description",
        ),
        Kind.TICKET: ("subject", "category", "priority", "files"),
    }  # fmt: skip
    WITHOUT_BODY = (Kind.DETAILS, Kind.FORM)
    # The fields that count as typed even if the body is empty; the others have an initial value.
    TYPED_FIELDS = {
        Kind.REPLY: ("status",),
        Kind.NOTE: (),
        Kind.DETAILS: FIELDS[Kind.DETAILS],  # only changed fields are sent
        Kind.TICKET: ("subject",),
    }

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    ticket = models.ForeignKey(Ticket, on_delete=models.SET_NULL, related_name="+", null=True, blank=True)
    kind = models.CharField(max_length=10, choices=Kind)
    place = models.CharField(max_length=MAX_PLACE, blank=True, help_text=_("The path of the page."))
    key = models.UUIDField(default=uuid.uuid4, help_text=_("Of the form in which it is typed."))
    version = models.PositiveIntegerField(default=1)
    page = models.CharField(max_length=40, blank=True)  # of the last Save
    save_number = models.PositiveIntegerField(default=0)
    body = models.TextField(max_length=MAX_LENGTH, blank=True)
    fields = models.JSONField(default=dict, blank=True)
    updated_at = models.DateTimeField(default=timezone.now)

    objects = DraftQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "key"], name="draft_one_of_a_form"),
        ]

    def __str__(self):
        return f"{self.kind} #{self.ticket_id}"

    @classmethod
    def is_typed(cls, kind: str, fields: dict[str, str]) -> bool:
        """Whether the person has filled in a field besides the body."""
        if kind == cls.Kind.FORM:
            return bool(fields.keys() - set(cls.UNSEEN))
        if kind == cls.Kind.DETAILS:
            return bool(fields)
        return any(fields.get(name, "").strip() for name in cls.TYPED_FIELDS[kind])

    @classmethod
    def words_of(cls, kind: str, body: str, fields: dict) -> str:
        if kind != cls.Kind.FORM:
            return f"{fields.get('subject', '')}\n{body}"
        values = [value for name, value in sorted(fields.items()) if name not in cls.UNSEEN]
        return "\n".join(value if isinstance(value, str) else ", ".join(value) for value in values)

    @property
    def text(self) -> str:
        return self.words_of(self.kind, self.body, self.fields)

    @property
    def summary(self) -> str:
        """Returns the text without the primary keys of selected choices."""
        return "\n".join(line for line in self.text.splitlines() if not line.strip().isdecimal())

    @property
    def mark(self) -> DraftVersion:
        return DraftVersion(self.key, self.version)

    @property
    def saved_when(self) -> str:
        """Returns the time of the last save, with the date if that was not today."""
        saved = timezone.localtime(self.updated_at)
        is_today = saved.date() == timezone.localdate()
        return formats.date_format(saved, "H:i" if is_today else "j M, H:i")
