import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket
from tickets.rules.events import Step, Thing, Verb, choices, verbs, verbs_setting


class AppendOnly(TypeError):
    """Raised when code tries to change or delete a row of the activity log."""


class ActivityLogQuerySet(models.QuerySet):
    def update(self, **values):
        raise AppendOnly("Rows of the activity log are never changed.")

    def bulk_update(self, *args, **kwargs):
        raise AppendOnly("Rows of the activity log are never changed.")

    def delete(self):
        raise AppendOnly("Rows of the activity log are never deleted.")

    delete.queryset_only = True

    def oldest_first(self):
        return self.order_by("pk")

    def last_saver(self, ticket: Ticket) -> str:
        """Returns the name of the person who last made a change to `ticket` that the requester may see."""
        saves = verbs(
            lambda event: event.is_public and event.thing == Thing.TICKET and event.step != Step.REMOVED
        )
        names = self.filter(ticket_id=ticket.pk, verb__in=saves).order_by("-pk")
        return names.values_list("actor_name", flat=True).first() or ""

    def last_assignment(self, ticket: Ticket) -> "ActivityLog | None":
        """Returns the row that last set or removed the assignee of `ticket`. Leaves out undone acts."""
        return self.last_change(ticket, "assignee")

    def last_change(self, ticket: Ticket, field: str) -> "ActivityLog | None":
        """Returns the row that last set `field` of `ticket`. Leaves out undone acts."""
        own = self.filter(ticket_id=ticket.pk)
        undone = own.filter(verb=Verb.UNDONE).order_by().values("batch")
        rows = own.filter(verb__in=verbs_setting(field), changes__has_key=field)
        return rows.exclude(batch__in=undone).order_by("-pk").first()


class StatusBefore(models.Func):
    """The primary key of the old status in `changes`.

    Written without parameters so that an index can serve it.
    """

    arity = 1
    template = "json_extract(%(expressions)s, '$.status[0]')"
    output_field = models.BigIntegerField()

    def as_postgresql(self, compiler, connection, **context):
        return self.as_sql(
            compiler, connection, template="((%(expressions)s #>> '{status,0}')::bigint)", **context
        )


class ActivityLog(models.Model):
    """One event: field names and raw values. tickets.history.sentences turns them into text when they are
    shown.

    `ticket` and `actor` have no database constraint, because the log outlives both.
    """

    ticket = models.ForeignKey(
        Ticket,
        verbose_name=_("ticket"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="activities",
        db_index=False,  # here and below: an index in Meta starts with this field
    )
    verb = models.CharField(_("event"), max_length=20, choices=choices)
    changes = models.JSONField(_("changes"), help_text=_("{field: [old value, new value]}"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("person"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        null=True,
        blank=True,
        db_index=False,
    )
    actor_name = models.CharField(_("name at that time"), max_length=150, blank=True)
    source = models.CharField(_("source"), max_length=10)
    batch = models.UUIDField(_("act"), default=uuid.uuid4, help_text=_("Shared by all rows of one act."))
    recorded_at = models.DateTimeField(_("time"), default=timezone.now)

    objects = ActivityLogQuerySet.as_manager()
    together: dict = {}  # all changes of the save that wrote this row; set only while it is recorded

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activity log")
        ordering = ["-pk"]
        base_manager_name = "objects"
        indexes = [
            # serves the timeline of a ticket, oldest first
            models.Index(fields=["ticket", "id"], name="activity_by_ticket"),
            # serve the admin's list, newest first: filtered by verb and by actor
            models.Index(fields=["verb", "-id"], name="activity_by_verb"),
            models.Index(fields=["actor", "-id"], name="activity_by_actor"),
            # serves the report of reopened tickets
            models.Index(
                StatusBefore("changes"),
                "recorded_at",
                name="activity_by_status_before",
                condition=models.Q(verb=Verb.STATUS_CHANGED),
            ),
        ]

    def __str__(self):
        return f"#{self.ticket_id} {self.get_verb_display()}"

    def save(self, *args, **kwargs):
        if not self._state.adding:
            raise AppendOnly("Rows of the activity log are never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise AppendOnly("Rows of the activity log are never deleted.")
