import os
import uuid
from typing import NamedTuple

from django.conf import settings
from django.db import IntegrityError, models, transaction
from django.db.models import F
from django.utils import formats, timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket


class Mark(NamedTuple):
    """The state of a draft that a page shows: which one, and how often it was saved until then."""

    key: uuid.UUID
    version: int

    @classmethod
    def read(cls, text: str) -> "Mark | None":
        """None for anything that is no mark."""
        key, _colon, version = text.partition(":")
        try:
            return cls(uuid.UUID(key), int(version)) if len(version) < 9 else None
        except ValueError:
            return None

    def __str__(self):
        return f"{self.key}:{self.version}"


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
        restored: Mark | None = None,
    ) -> None:
        """Keeps what is typed so far in the form with this `key`; nothing typed leaves nothing.

        A form that shows a draft (`restored`) goes on with it, unless another tab has changed it since or the
        words are others: then both are kept. Without a key the newest draft of the place gets a new one, so
        that a tab which is still open does not write over it.
        """
        fields = fields or {}
        if not body.strip() and not self.model.is_typed(kind, fields):
            self.forget(person=person, ticket=ticket, kind=kind, key=key, restored=restored)
            return
        values = {"body": body, "fields": fields, "version": F("version") + 1, "updated_at": timezone.now()}
        own = self.filter(person=person)
        if key is None:
            newest = own.filter(ticket=ticket, kind=kind).newest_first().first()
            key = uuid.uuid4()
            if newest and own.filter(pk=newest.pk).update(key=key, **values):
                return
        if own.filter(key=key).update(**values):
            return
        if restored and self._goes_on(own, restored, body, fields):
            shown = own.filter(key=restored.key, version=restored.version)
            if shown.update(key=key, **values):
                return
        try:
            with transaction.atomic():
                self.create(person=person, ticket=ticket, kind=kind, body=body, fields=fields, key=key)
        except IntegrityError:  # two saves of one form at once
            own.filter(key=key).update(**values)
        self._keep_few(person)

    def forget(
        self, *, person, ticket: Ticket | None, kind: str, key: uuid.UUID | None, restored: Mark | None = None
    ) -> None:
        """Deletes the draft of the form with this `key` and what it showed; without a key the whole place."""
        own = self.filter(person=person)
        if key is None:
            own.filter(ticket=ticket, kind=kind).delete()
            return
        own.filter(key=key).delete()
        if restored:
            own.filter(key=restored.key, version=restored.version).delete()

    def join(self, older: "Draft", newer: "Draft") -> None:
        """Makes one draft of two of a place, the older text first; two that are too long together stay two.

        It is a new one: a tab in which one of the two is still typed does not write over it.
        """
        body = "\n\n".join(filter(None, (older.body, newer.body)))
        if len(body) > self.model.MAX_LENGTH:
            return
        self.filter(pk__in=(older.pk, newer.pk)).delete()
        place = {"person_id": newer.person_id, "ticket_id": newer.ticket_id, "kind": newer.kind}
        self.create(**place, body=body, fields=older.fields | newer.fields)

    def body_of(self, *, person, ticket: Ticket | None, kind: str) -> str:
        """The newest text of the place."""
        drafts = self.filter(person=person, ticket=ticket, kind=kind).newest_first()
        return drafts.values_list("body", flat=True).first() or ""

    def newest_first(self):
        return self.order_by("-updated_at", "-pk")

    def of_deleted_tickets(self):
        return self.filter(ticket=None, kind__in=(Draft.Kind.REPLY, Draft.Kind.NOTE))

    @staticmethod
    def _goes_on(own, restored: Mark, body: str, fields: dict[str, str]) -> bool:
        """Whether more than half of what the draft says is still there, at its beginning and its end."""
        draft = own.filter(key=restored.key).first()
        if draft is None:
            return False
        old, new = draft.text, f"{fields.get('subject', '')}\n{body}"
        start = len(os.path.commonprefix([old, new]))
        end = len(os.path.commonprefix([old[start:][::-1], new[start:][::-1]]))
        return 2 * (start + end) > len(old)

    def _keep_few(self, person) -> None:
        """Past MOST the oldest go."""
        oldest = self.filter(person=person).newest_first().values_list("pk", flat=True)
        if surplus := list(oldest[self.model.MOST :]):
            self.filter(pk__in=surplus).delete()


class Draft(models.Model):
    """What somebody has typed into a form and not sent: one for each form that is open. Never sent by itself.

    Without a ticket it is about a new one, or its ticket is deleted.
    """

    class Kind(models.TextChoices):
        REPLY = "reply", _("reply")
        NOTE = "note", _("internal note")
        DETAILS = "details", _("details")
        TICKET = "ticket", _("new ticket")
        ON_BEHALF = "on_behalf", _("new ticket for somebody")

    MAX_LENGTH = 20_000  # of the body
    MAX_FIELDS_LENGTH = 25_000  # of all other fields together
    MOST = 50  # of one person
    KEPT_DAYS = 90
    # The fields beside the body, by kind
    FIELDS = {
        Kind.REPLY: ("status", "claims", "files"),
        Kind.NOTE: ("files",),
        Kind.DETAILS: (
            "status", "waiting_for", "wakes_on", "assignee", "priority", "category", "subject", "description",
        ),
        Kind.TICKET: ("subject", "category", "priority", "files"),
        Kind.ON_BEHALF: (
            "requester", "requester_email", "requester_name", "subject", "category", "status", "priority",
            "assignee",
        ),
    }  # fmt: skip
    # What counts as typed without a body; the others have a value from the start.
    TYPED_FIELDS = {
        Kind.REPLY: ("status",),
        Kind.NOTE: (),
        Kind.DETAILS: FIELDS[Kind.DETAILS],  # only those that were changed are sent
        Kind.TICKET: ("subject",),
        Kind.ON_BEHALF: ("requester", "requester_email", "requester_name", "subject"),
    }

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    ticket = models.ForeignKey(Ticket, on_delete=models.SET_NULL, related_name="+", null=True, blank=True)
    kind = models.CharField(max_length=10, choices=Kind)
    key = models.UUIDField(default=uuid.uuid4, help_text=_("Of the form in which it is typed."))
    version = models.PositiveIntegerField(default=1)
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
        """Whether somebody has typed or chosen something beside the body."""
        if kind == cls.Kind.DETAILS:
            return bool(fields)
        return any(fields.get(name, "").strip() for name in cls.TYPED_FIELDS[kind])

    @property
    def text(self) -> str:
        return f"{self.fields.get('subject', '')}\n{self.body}"

    @property
    def mark(self) -> Mark:
        return Mark(self.key, self.version)

    @property
    def saved_when(self) -> str:
        """The time, with the day where that was not today."""
        saved = timezone.localtime(self.updated_at)
        is_today = saved.date() == timezone.localdate()
        return formats.date_format(saved, "H:i" if is_today else "j M, H:i")
