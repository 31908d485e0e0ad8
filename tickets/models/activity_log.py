import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from tickets.events import Verb
from tickets.models.ticket import Ticket

# What saves the ticket itself. The rest is what was said on it, its files, watchers and links.
SAVES = (
    Verb.CREATED, Verb.EDITED, Verb.STATUS_CHANGED, Verb.ASSIGNED, Verb.REMINDED, Verb.CONFIRMED,
    Verb.NOT_FIXED, Verb.MERGED, Verb.UNMERGED,
)  # fmt: skip


class AppendOnly(TypeError):
    """The activity log can be added to and read, nothing else."""


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
        """Who saved `ticket` last, by name. Never who wrote a note: a requester may read it."""
        names = self.filter(ticket_id=ticket.pk, verb__in=SAVES).order_by("-pk")
        return names.values_list("actor_name", flat=True).first() or ""


class StatusBefore(models.Func):
    """The number of the status that a change leaves. Without parameters, so that an index can answer it."""

    arity = 1
    template = "json_extract(%(expressions)s, '$.status[0]')"
    output_field = models.BigIntegerField()

    def as_postgresql(self, compiler, connection, **context):
        return self.as_sql(
            compiler, connection, template="((%(expressions)s #>> '{status,0}')::bigint)", **context
        )


class ActivityLog(models.Model):
    """What happened: field names and raw values; words are chosen when it is shown (tickets.words).

    Ticket and actor are held without a database constraint: the log outlives both.
    """

    ticket = models.ForeignKey(
        Ticket,
        verbose_name=_("ticket"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="activities",
        db_index=False,  # here and below: an index of Meta begins with it
    )
    verb = models.CharField(_("what"), max_length=20, choices=Verb)
    changes = models.JSONField(_("changes"), help_text=_("{field: [old value, new value]}"))
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("who"),
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
    recorded_at = models.DateTimeField(_("when"), default=timezone.now)

    objects = ActivityLogQuerySet.as_manager()
    together: dict = {}  # all changes of the save that this row is a part of; known only while it is recorded

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activity log")
        ordering = ["-pk"]
        base_manager_name = "objects"
        indexes = [
            # a ticket's timeline, oldest first
            models.Index(fields=["ticket", "id"], name="activity_by_ticket"),
            # the admin's list, newest first: by what was done, and by who did it
            models.Index(fields=["verb", "-id"], name="activity_by_verb"),
            models.Index(fields=["actor", "-id"], name="activity_by_actor"),
            # the report's reopened tickets
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
