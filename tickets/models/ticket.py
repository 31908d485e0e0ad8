import uuid

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.db import models, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts import actor
from accounts.fields import OneLineField
from accounts.validators import validate_single_line, validate_visible
from helpdesk import clock
from tickets import workflow
from tickets.calendar import add_working_days
from tickets.events import Verb
from tickets.models.category import Category
from tickets.models.status import Status
from tickets.models.ticket_around import Around, around
from tickets.models.ticket_indexes import INDEXES
from tickets.models.ticket_owner import OwnedMixin
from tickets.querysets import TicketQuerySet
from tickets.tracking import TrackedModel
from tickets.workflow import Phase


class Ticket(OwnedMixin, TrackedModel):
    """One request for help. Its number is the primary key; what happened to it stands in ActivityLog."""

    class Priority(models.TextChoices):
        LOW = "low", _("Low")
        NORMAL = "normal", _("Normal")
        HIGH = "high", _("High")
        URGENT = "urgent", _("Urgent")

    class Source(models.TextChoices):
        WEB = actor.WEB, _("web form")
        EMAIL = actor.EMAIL, _("mail")
        ADMIN = actor.ADMIN, _("admin")
        IMPORT = actor.IMPORT, _("import")

    class WaitingFor(models.TextChoices):
        REQUESTER = "requester", _("an answer by the requester")
        SUPPLIER = "supplier", _("a supplier or somebody else")
        DATE = "date", _("a date")

    TRACKED = (
        "subject", "description", "category", "status", "priority", "requester", "assignee",
        "assigned_because", "waiting_for", "wakes_on", "reminded_at", "closes_at", "confirmed_at",
        "not_fixed_at", "merged_into",
    )  # fmt: skip
    FOLLOWING = ("assignee", "assigned_because")
    INTERNAL_FIELDS = frozenset({"assigned_because"})  # nobody but staff learns that one of them changed
    WAITING_FIELDS = ("waiting_for", "wakes_on", "reminded_at", "closes_at")
    STATUS_FIELDS = (*WAITING_FIELDS, "confirmed_at")  # what lives no longer than a status, see stamp()
    STAMPS = ("version", "updated_at", "done_at", "silent_since")
    ADDED, REMOVED = Verb.CREATED, Verb.DELETED

    subject = OneLineField(
        _("subject"),
        max_length=150,
        validators=[validate_single_line, validate_visible],
        error_messages={"max_length": _("at most %(limit_value)d characters (it has %(show_value)d)")},
    )
    description = models.TextField(
        _("what happened"), validators=[MaxLengthValidator(20_000), validate_visible], max_length=20_000
    )
    category = models.ForeignKey(
        Category,
        verbose_name=_("category"),
        on_delete=models.PROTECT,
        related_name="tickets",
        db_index=False,  # here and below: one of INDEXES begins with it
    )
    status = models.ForeignKey(
        Status,
        verbose_name=_("status"),
        on_delete=models.PROTECT,
        related_name="tickets",
        db_index=False,
    )
    priority = models.CharField(_("priority"), max_length=10, choices=Priority, default=Priority.NORMAL)
    urgency_rank = models.GeneratedField(
        expression=models.Case(
            *(models.When(priority=priority, then=rank) for rank, priority in enumerate(workflow.URGENCY)),
        ),
        output_field=models.SmallIntegerField(_("urgency"), help_text=_("0 is the most urgent.")),
        db_persist=True,
    )
    requester = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("requester"),
        on_delete=models.PROTECT,
        related_name="tickets",
        db_index=False,
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("assignee"),
        on_delete=models.PROTECT,
        related_name="assigned_tickets",
        null=True,
        blank=True,
        db_index=False,
    )
    assigned_because = models.CharField(
        _("why this assignee"),
        max_length=60,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text=_("A code of Because; empty: somebody chose the assignee."),
    )
    source = models.CharField(_("source"), max_length=10, choices=Source, default=Source.WEB, editable=False)
    created_at = models.DateTimeField(_("filed"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("last change"), default=timezone.now, editable=False)
    first_replied_at = models.DateTimeField(_("first reply"), null=True, blank=True, editable=False)
    done_at = models.DateTimeField(_("done"), null=True, blank=True, editable=False)
    waiting_for = models.CharField(_("waits for"), max_length=10, choices=WaitingFor, blank=True)
    wakes_on = models.DateField(
        _("wakes up on"), null=True, blank=True, help_text=_("On this day it becomes active by itself.")
    )
    silent_since = models.DateTimeField(
        _("silent since"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Since when a waiting ticket has not heard of a human."),
    )
    reminded_at = models.DateTimeField(_("reminded"), null=True, blank=True, editable=False)
    closes_at = models.DateTimeField(
        _("closes by itself"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("What the reminder promised: until then the requester can answer."),
    )
    confirmed_at = models.DateTimeField(
        _("confirmed"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("When the requester said that it is fixed."),
    )
    not_fixed_at = models.DateTimeField(
        _("reported as not fixed"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("When the requester last answered that it is not fixed."),
    )
    merged_into = models.ForeignKey(
        "self",
        verbose_name=_("merged into"),
        on_delete=models.PROTECT,
        related_name="merged",
        null=True,
        blank=True,
        editable=False,
        db_index=False,
        help_text=_("It stays as a signpost; its conversation is read there."),
    )
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    submission_key = models.UUIDField(
        default=uuid.uuid4,
        editable=False,
        help_text=_("Comes with the form: sending one form twice makes one ticket."),
    )

    objects = TicketQuerySet.as_manager()
    has_files = has_links = has_merged = True  # maybe; look_around() knows
    held_mails: list[int] = []  # numbers of mails in quarantine; look_around() knows
    has_held_mail = False  # see TicketQuerySet.with_held_mail()

    class Meta(TrackedModel.Meta):
        abstract = False
        verbose_name = _("ticket")
        verbose_name_plural = _("tickets")
        ordering = ["-updated_at", "-pk"]
        permissions = [
            ("view_report", "Can read the reports"),
            ("export_ticket", "Can export tickets"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(waiting_for__in=["", "requester", "supplier", "date"]),
                name="ticket_waiting_for_known",
            ),
            models.CheckConstraint(
                condition=~models.Q(merged_into=models.F("pk")), name="ticket_merged_into_another"
            ),
            models.UniqueConstraint(fields=["requester", "submission_key"], name="ticket_one_per_submission"),
            models.CheckConstraint(
                condition=models.Q(priority__in=["low", "normal", "high", "urgent"]),
                name="ticket_priority_known",
            ),
            models.CheckConstraint(
                condition=models.Q(source__in=["web", "email", "admin", "import"]), name="ticket_source_known"
            ),
            models.CheckConstraint(condition=~models.Q(subject=""), name="ticket_has_subject"),
        ]
        indexes = INDEXES

    def __str__(self):
        return f"#{self.pk} {self.subject}"

    def get_absolute_url(self):
        return reverse("tickets:detail", args=[self.pk])

    def get_priority_display(self) -> str:
        """Django's own puts all choices together anew for each row of a list."""
        return str(self.Priority(self.priority).label)

    @property
    def logged_ticket_id(self):
        return self.pk

    @property
    def phase(self) -> str:
        return self.status.phase

    @property
    def is_done(self) -> bool:
        return self.phase == Phase.DONE

    @property
    def is_merged(self) -> bool:
        """Whether it is only a signpost to `merged_into`, which is never merged itself (tickets.merging)."""
        return self.merged_into_id is not None

    @property
    def reopen_until(self):
        """Until when the requester may reopen; None for an open ticket."""
        return workflow.reopen_until(self.done_at) if self.is_done and self.done_at else None

    @property
    def takes_replies(self) -> bool:
        """Whether a reply stays on this ticket; what is done for long gets a new one."""
        return self.reopen_until is None or timezone.now() <= self.reopen_until

    @property
    def closes_on(self):
        """The day on which it closes by itself if the requester stays silent; None: it does not."""
        is_answered = self.reminded_at is None or self.reminded_at < self.silent_since
        if is_answered or self.closes_at is None or self.category.close_after is None:
            return None
        return timezone.localdate(self.closes_at)

    def look_around(self) -> Around:
        """Learns what it has. Its page does so first, and asks only for what is there."""
        found = around(self.pk)
        self.has_files, self.has_links = bool(found.files), bool(found.links)
        self.has_merged, self.held_mails = bool(found.merged), found.held_mails
        return found

    @cached_property
    def watching(self) -> list:
        """The people who watch it, as they are when they are asked for first."""
        return [watcher.person for watcher in self.watchers.select_related("person")]

    @cached_property
    def files(self) -> list:
        """All of its files, as they are when they are asked for first."""
        return list(self.attachments.all()) if self.has_files else []

    @property
    def files_of_its_own(self) -> list:
        """The files that came with it, not with a message."""
        return [attachment for attachment in self.files if attachment.comment_id is None]

    def clean(self):
        """Raises ValidationError for a status that may not follow the stored one, or a wrong assignee."""
        super().clean()
        if not self.status_id:
            return
        stored = None
        if self.pk:
            row = Ticket.objects.filter(pk=self.pk).values_list("status__phase", "assignee").get()
            phase, stored = row
            self._validate_phase(phase, self.status.phase)
        self._validate_owner(stored)

    def save(self, *, update_fields=None, **kwargs):
        if update_fields and {"status", "status_id"} & set(update_fields):
            update_fields = {*update_fields, *self.STATUS_FIELDS}
        super().save(update_fields=update_fields, **kwargs)

    def stamp(self, before):
        now = timezone.now()
        old = self._phase_in(before)
        self._stamp_waiting(old, before, now)
        if self.phase != Phase.DONE:
            self.confirmed_at = None
        self._stamp_owner(before, old)
        if before is None:
            if self.assignee_id is None:
                self._give_by_default()
            self.done_at = workflow.done_at(None, self.phase, stored=self.done_at, now=now)
            return
        if not self._changes_in_public(before):
            return
        self.version = before["version"] + 1
        self.updated_at = now
        if self.status_id != before["status_id"]:
            self.done_at = workflow.done_at(old, self.phase, stored=before["done_at"], now=now)

    def _changes_in_public(self, before) -> bool:
        """Whether a field differs that others than staff may know of."""
        fields = [self._meta.get_field(name) for name in self.TRACKED if name not in self.INTERNAL_FIELDS]
        return any(getattr(self, field.attname) != before[field.attname] for field in fields)

    def _phase_in(self, before) -> str | None:
        if before is None:
            return None
        is_same = before["status_id"] == self.status_id
        return self.phase if is_same else Status.objects.get(pk=before["status_id"]).phase

    def _stamp_waiting(self, old: str | None, before, now) -> None:
        """What says why a ticket waits lives as long as it waits."""
        if self.phase != Phase.WAITING:
            self.waiting_for, self.silent_since = "", None
            self.wakes_on = self.reminded_at = self.closes_at = None
        elif old != Phase.WAITING:
            self.waiting_for = self.waiting_for or self.WaitingFor.REQUESTER
            self.silent_since = now
        elif self.waiting_for != before["waiting_for"]:
            self.silent_since = now

    # Who may do what (README). That a foreign ticket does not exist is visible_to()'s matter.
    def _is_business_of(self, user) -> bool:
        return user.is_staff or self.requester_id == user.pk

    def may_be_edited_by(self, user) -> bool:
        return user.is_staff or (self.requester_id == user.pk and not self.is_done)

    def may_be_deleted_by(self, user) -> bool:
        """Not while other tickets are merged into it: their conversation is read here."""
        if user.is_staff:
            may = user.has_perm("tickets.delete_ticket")
        else:
            may = self.requester_id == user.pk and self.phase == Phase.NEW
        return may and not (self.has_merged and self.merged.exists())

    def may_be_shared_by(self, user) -> bool:
        """Whether `user` chooses the watchers."""
        return self._is_business_of(user)

    def may_be_closed_by(self, user) -> bool:
        return not self.is_done and self._is_business_of(user)

    def may_be_reopened_by(self, user) -> bool:
        may = self.is_done and not self.is_merged and self.takes_replies
        return may and self._is_business_of(user)

    def refusal_of(self, status: Status) -> str:
        """Why `status` may not follow the present one; empty where it may."""
        try:
            self._validate_phase(self.phase, status.phase)
        except ValidationError as error:
            return " ".join(error.messages)
        return ""

    # Transitions. They carry the rule; the save that ends them is what is logged and mailed.
    def close(self) -> None:
        self._move_to(Phase.DONE)

    def reopen(self) -> None:
        self._move_to(Phase.ACTIVE)

    def set_status(self, status: Status) -> None:
        """Raises ValidationError where the phase of `status` may not follow the present one."""
        with transaction.atomic():
            self._lock()
            self._validate_phase(self.phase, status.phase)
            self.status = status
            self.save(update_fields=["status"])

    def set_priority(self, priority: str) -> None:
        self.priority = priority
        self.save(update_fields=["priority"])

    def remind(self) -> None:
        """Tells the requester that an answer is missing, and when the ticket closes without one."""
        self.reminded_at, days = clock.now(), self.category.close_after
        self.closes_at = add_working_days(self.reminded_at, days) if days else None
        self.save(update_fields=["reminded_at", "closes_at"])

    def confirm(self) -> None:
        """The requester says that it is fixed. Said again, or of an open ticket, it changes nothing."""
        with transaction.atomic():
            self._lock()
            if self.is_done and self.confirmed_at is None:
                self.confirmed_at = timezone.now()
                self.save(update_fields=["confirmed_at"])

    def report_not_fixed(self) -> None:
        """The requester says that it is not fixed. Of an open ticket it changes nothing."""
        with transaction.atomic():
            self._lock()
            if self.is_done:
                self.not_fixed_at = timezone.now()
                self.save(update_fields=["not_fixed_at"])

    def _move_to(self, phase: Phase) -> None:
        with transaction.atomic():
            self._lock()
            if self.phase != phase:
                self.set_status(Status.objects.default_for(phase))

    def _lock(self) -> None:
        """Takes the row's lock and what is checked as it is now, so that it is what is changed."""
        names = ("status_id", "merged_into_id", *self.STATUS_FIELDS)
        locked = Ticket.objects.select_for_update().filter(pk=self.pk).values(*names).get()
        for name in names:
            setattr(self, name, locked[name])

    def _validate_phase(self, old: str, new: str) -> None:
        if self.is_merged and new != Phase.DONE:
            words = {"number": self.merged_into_id}
            text = _("It is merged into #%(number)d, so it stays done. Undo the merge first.")
            raise ValidationError({"status": text % words})
        if not workflow.may_follow(old, new):
            raise ValidationError(
                {"status": _("Somebody has worked on this ticket already, so it can't be new again.")}
            )
