import uuid

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts import actor
from accounts.fields import OneLineField
from accounts.validators import validate_single_line, validate_visible
from tickets.models.category import Category
from tickets.models.mailbox import Mailbox
from tickets.models.status import Status
from tickets.models.ticket_belongings import Belongings, belongings
from tickets.models.ticket_indexes import INDEXES
from tickets.models.ticket_owner import OwnedMixin
from tickets.models.ticket_querysets import TicketQuerySet
from tickets.models.ticket_restoring import RestoringMixin
from tickets.models.ticket_rights import RightsMixin
from tickets.models.ticket_workflow import WorkflowMixin
from tickets.models.tracking import TrackedModel
from tickets.rules import technical, workflow
from tickets.rules.events import EVENTS, Verb, verbs_of_fields
from tickets.rules.workflow import Phase


class Ticket(WorkflowMixin, OwnedMixin, RestoringMixin, RightsMixin, TrackedModel):
    """A request for help. The primary key is its number; the activity log holds its history."""

    class Priority(models.TextChoices):
        LOW = "low", _("Low")
        NORMAL = "normal", _("Normal")
        HIGH = "high", _("High")
        URGENT = "urgent", _("Urgent")

    class Source(models.TextChoices):
        WEB = actor.WEB, _("web form")
        EMAIL = actor.EMAIL, _("email")
        ADMIN = actor.ADMIN, _("staff")
        IMPORT = actor.IMPORT, _("import")

    class WaitingFor(models.TextChoices):
        REQUESTER = "requester", _("Requester")
        SUPPLIER = "supplier", _("Third party")
        DATE = "date", _("Date")

    TRACKED = (
        "subject", "description", "category", "status", "priority", "requester", "assignee",
        "assigned_because", "waiting_for", "wakes_on", "reminded_at", "closes_at", "confirmed_at",
        "not_fixed_at", "feedback", "merged_into",
    )  # fmt: skip
    FOLLOWING = ("assignee", "assigned_because")
    INTERNAL_FIELDS = frozenset({"assigned_because"})  # only staff learn that one of these changed
    STAMPS = ("version", "updated_at", "public_at", "done_at", "silent_since")
    ADDED = Verb.CREATED
    REMOVED = Verb.DELETED
    MAX_FEEDBACK = 2_000  # characters

    subject = OneLineField(
        _("subject"),
        max_length=150,
        validators=[validate_single_line, validate_visible],
        error_messages={"max_length": _("at most %(limit_value)d characters (it has %(show_value)d)")},
    )
    description = models.TextField(
        _("description"), validators=[MaxLengthValidator(20_000), validate_visible], max_length=20_000
    )
    category = models.ForeignKey(
        Category,
        verbose_name=_("category"),
        on_delete=models.PROTECT,
        related_name="tickets",
        db_index=False,  # here and below: one of INDEXES starts with this field
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
        _("reason for the assignee"),
        max_length=60,
        blank=True,
        default="",
        db_default="",
        editable=False,
        help_text=_("A code of Because. Blank: a person chose the assignee."),
    )
    source = models.CharField(_("source"), max_length=10, choices=Source, default=Source.WEB, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated"), default=timezone.now, editable=False)
    public_at = models.DateTimeField(
        _("last public change"),
        default=timezone.now,
        db_default=Now(),
        editable=False,
        help_text=_("When something last changed that the requester may see."),
    )
    first_replied_at = models.DateTimeField(_("first reply"), null=True, blank=True, editable=False)
    done_at = models.DateTimeField(_("solved"), null=True, blank=True, editable=False)
    waiting_for = models.CharField(_("waiting for"), max_length=10, choices=WaitingFor, blank=True)
    wakes_on = models.DateField(
        _("snooze until"), null=True, blank=True, help_text=_("It reopens automatically on this date.")
    )
    silent_since = models.DateTimeField(
        _("silent since"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("Since when no person has replied on a waiting ticket."),
    )
    reminded_at = models.DateTimeField(_("reminded"), null=True, blank=True, editable=False)
    closes_at = models.DateTimeField(
        _("closes automatically"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("As the reminder says: until then the requester can reply."),
    )
    confirmed_at = models.DateTimeField(
        _("confirmed"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("When the requester confirmed that it is solved."),
    )
    not_fixed_at = models.DateTimeField(
        _("reported as not solved"),
        null=True,
        blank=True,
        editable=False,
        help_text=_("When the requester last reported that it is not solved."),
    )
    feedback = models.TextField(
        _("feedback"),
        blank=True,
        default="",
        editable=False,
        max_length=MAX_FEEDBACK,
        help_text=_("What the requester said could be better. Only staff can read it."),
    )
    technical_details = models.JSONField(
        _("technical details"),
        blank=True,
        default=dict,
        editable=False,
        help_text=_("What the requester attached about the browser and the device."),
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
        help_text=_("The ticket redirects to the other one, where its conversation is shown."),
    )
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    submission_key = models.UUIDField(
        default=uuid.uuid4,
        editable=False,
        help_text=_("Comes with the form, so that a form sent twice creates one ticket."),
    )

    # Not tracked: it says only which mailbox sends the emails about this ticket.
    mailbox = models.ForeignKey(
        Mailbox,
        verbose_name=_("mailbox"),
        on_delete=models.SET_NULL,
        related_name="+",
        null=True,
        blank=True,
        editable=False,
        db_index=False,
    )

    objects = TicketQuerySet.as_manager()
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
        """Caches the labels: Django's own method rebuilds all choices for each row of a list."""
        return str(self.Priority(self.priority).label)

    @property
    def logged_ticket_id(self):
        return self.pk

    def changed_at_for(self, user):
        """Returns when it last changed, as far as `user` may know."""
        return self.updated_at if user.is_staff else self.public_at

    @property
    def is_merged(self) -> bool:
        """Whether it only redirects to `merged_into`. That ticket is never merged itself
        (actions.merging).
        """
        return self.merged_into_id is not None

    @cached_property
    def belongings(self) -> Belongings:
        """Loads in one query whether the ticket has files, links, watchers and merged tickets."""
        return belongings(self.pk)

    @cached_property
    def has_merged(self) -> bool:
        """Whether other tickets are merged into it. TicketQuerySet.with_has_merged() annotates it."""
        return bool(self.belongings.merged)

    @cached_property
    def watching(self) -> list:
        """Returns the watchers. Cached."""
        return [watcher.person for watcher in self.watchers.select_related("person")]

    @cached_property
    def files(self) -> list:
        """Returns all its files. Cached."""
        return list(self.attachments.all()) if self.belongings.files else []

    @property
    def files_of_its_own(self) -> list:
        """Returns the files of the ticket itself, without those of its messages."""
        return [attachment for attachment in self.files if attachment.comment_id is None]

    @property
    def technical_lines(self) -> list[tuple[str, str]]:
        return technical.lines(self.technical_details)

    def clean(self):
        """Raises ValidationError for a status that may not follow the stored one, or for an invalid
        assignee.
        """
        super().clean()
        if not self.status_id:
            return
        stored = None
        if self.pk:
            row = Ticket.objects.filter(pk=self.pk).values_list("status__phase", "assignee").get()
            phase, stored = row
            self._validate_phase(phase, self.status.phase)
        self._validate_owner(stored)

    def validate_constraints(self, exclude=None):
        """Queries nothing: the fields of forms imply the constraints, and the database checks them."""

    def save(self, *, update_fields=None, **kwargs):
        if update_fields and {"status", "status_id"} & set(update_fields):
            update_fields = {*update_fields, *self.STATUS_FIELDS}
        super().save(update_fields=update_fields, **kwargs)

    def stamp(self, before):
        now = timezone.now()
        if not self._stamp_restored():
            self._stamp_consequences(before, now)
        if before is not None:
            self.updated_at = now
            if self._changes_in_public(before):
                self.version, self.public_at = before["version"] + 1, now

    def _stamp_consequences(self, before, now) -> None:
        """Sets the fields that follow from status and category."""
        old = self._phase_in(before)
        self._stamp_waiting(old, before, now)
        if self.phase != Phase.DONE:
            self.confirmed_at = None
        self._stamp_owner(before, old)
        if before is None:
            if self.assignee_id is None:
                self._give_by_default()
            self.done_at = workflow.done_at(None, self.phase, stored=self.done_at, now=now)
        elif self.status_id != before["status_id"]:
            self.done_at = workflow.done_at(old, self.phase, stored=before["done_at"], now=now)

    def _changes_in_public(self, before) -> bool:
        """Whether a field that not only staff may see has changed."""
        names = {name: self._meta.get_field(name).attname for name in self.TRACKED}
        changed = {name for name, column in names.items() if getattr(self, column) != before[column]}
        emptied = {name for name in changed if getattr(self, names[name]) in (None, "")}
        verbs = verbs_of_fields(changed - self.INTERNAL_FIELDS, emptied)
        return any(EVENTS[verb].is_public for verb in verbs.values())

    def set_priority(self, priority: str) -> None:
        self.priority = priority
        self.save(update_fields=["priority"])
