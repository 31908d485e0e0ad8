"""The questions asked of tickets, as chainable adjectives."""

from datetime import timedelta

from django.db.models import (
    BooleanField,
    Count,
    DateTimeField,
    Exists,
    F,
    Func,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Sum,
)
from django.db.models.expressions import RawSQL
from django.utils import timezone

from tickets import workflow
from tickets.events import FILES
from tickets.tracking import TrackedQuerySet
from tickets.validators import MAX_BYTES_A_DAY, MAX_FILES_A_DAY

DAY = timedelta(days=1)
# In SQL: to put it together the ORM takes longer than the database to answer it for a page of tickets.
HAS_NEWS = f"""EXISTS (
    SELECT 1 FROM tickets_activitylog AS news
    WHERE news.ticket_id = tickets_ticket.id
        AND (news.actor_id IS NULL OR news.actor_id <> %s)
        AND news.verb NOT IN ({", ".join(f"'{verb}'" for verb in sorted(FILES))})
        AND news.id > COALESCE((
            SELECT seen_number FROM tickets_visit AS visit
            WHERE visit.ticket_id = tickets_ticket.id AND visit.person_id = %s
        ), 0)
)"""  # noqa: S608 - our own words
HAS_HELD_MAIL = """EXISTS (
    SELECT 1 FROM tickets_inboundemail AS held
    WHERE held.ticket_id = tickets_ticket.id AND held.state = 'quarantined'
)"""
HAS_MERGED = "EXISTS (SELECT 1 FROM tickets_ticket AS other WHERE other.merged_into_id = tickets_ticket.id)"


class WithoutIndex(Func):
    """A time that is read from the rows that something else finds."""

    template = "(+%(expressions)s)"
    output_field = DateTimeField()

    def as_postgresql(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="(%(expressions)s + interval '0')", **context)


class TicketQuerySet(TrackedQuerySet):
    def visible_to(self, user):
        """The tickets that `user` may know of: staff all, others the own and the watched, a visitor none."""
        if not user.is_authenticated:
            return self.none()
        if user.is_staff:
            return self
        # Two short walks along an index; OR would walk over all tickets.
        own = self.model._base_manager.filter(requester=user).values("pk")
        watched = self.model.watchers.rel.related_model._base_manager.filter(person=user).values("ticket")
        return self.filter(pk__in=own.order_by().union(watched.order_by()))

    def parts_for(self, user, *, watches: bool = True) -> list:
        """What visible_to() joins, apart: each part has an index in the order of lists.

        `watches`: whether `user` may watch tickets of others. Most watch none, and need not be asked for.
        """
        if user.is_staff or not user.is_authenticated:
            return [self.visible_to(user)]
        own = self.filter(requester=user)
        return [own, self.filter(watchers__person=user).exclude(requester=user)] if watches else [own]

    def visible_one(self, pk: int, user):
        """The ticket `pk` if visible_to(user) has it, else None. Own ones are found by a shorter question."""
        one = self.filter(pk=pk).order_by()
        if user.is_authenticated and not user.is_staff:
            for ticket in one.filter(requester=user):
                return ticket
        return next(iter(one.visible_to(user)), None)

    def telling(self, ticket):
        """The tickets whose stories are told on the page of `ticket`: itself and what is merged into it."""
        return self.filter(Q(pk=ticket.pk) | Q(merged_into=ticket.pk))

    def with_people(self):
        """Joins what every list and page of tickets shows."""
        return self.select_related("category", "status", "requester", "assignee")

    def saying_whether_merged(self):
        """Sets has_merged, for who asks nothing else of Ticket.look_around()."""
        return self.annotate(has_merged=RawSQL(HAS_MERGED, []))  # noqa: S611

    def in_phase(self, *phases, statuses=None):
        """By done_at or by numbers of statuses: only then the database knows how many it will find.

        `statuses` are all statuses, where the caller has them at hand.
        """
        wanted = set(phases)
        if wanted == set(workflow.Phase):
            return self
        if wanted == set(workflow.OPEN):
            return self.open()
        if wanted == {workflow.Phase.DONE}:
            return self.done()
        statuses = statuses or self.model.status.field.related_model.objects.all()
        found = self.filter(status__in=[status.pk for status in statuses if status.phase in wanted])
        return found if workflow.Phase.DONE in wanted else found.open()

    def open(self):
        return self.filter(done_at__isnull=True)

    def done(self):
        return self.filter(done_at__isnull=False)

    def of_status_among_few(self, number):
        """Reads the status from the index that finds the few, which has it at its end (see Ticket).

        SQLite would take the index by status, and with it half of all tickets.
        """
        return self.annotate(status_read=F("status_id") + 0).filter(status_read=number)

    def of_priority(self, priority):
        """By the field that the queue is ordered by."""
        return self.filter(urgency_rank=workflow.URGENCY.index(priority))

    def filed_since(self, moment):
        """For lists by change, which an index finds: what was filed since then was changed since then too.

        By created_at alone the database would find all of them and sort them.
        """
        filed = self.filter(updated_at__gte=moment).alias(filed=WithoutIndex("created_at"))
        return filed.filter(filed__gte=moment)

    def unassigned(self):
        return self.filter(assignee__isnull=True)

    def assigned_to(self, user):
        return self.filter(assignee=user)

    def mine_or_unassigned(self, user):
        # By what it is not: for an OR SQLite reads all of both and sorts them.
        return self.exclude(Q(assignee__isnull=False) & ~Q(assignee=user))

    def with_unread(self, user):
        """Adds is_unread: somebody else did something that `user` has not seen on the ticket's page."""
        has_news = RawSQL(HAS_NEWS, [user.pk, user.pk], output_field=BooleanField())  # noqa: S611
        return self.annotate(is_unread=has_news)

    def waiting(self):
        return self.filter(status__phase=workflow.Phase.WAITING)

    def without_held_mail(self):
        """No answer lies in quarantine: whoever is silent may have written."""
        mails = self.model.inbound_emails.rel.related_model._base_manager.filter(state="quarantined")
        return self.exclude(Exists(mails.filter(ticket=OuterRef("pk"))))

    def with_held_mail(self):
        """Adds has_held_mail: an answer lies in quarantine."""
        return self.annotate(has_held_mail=RawSQL(HAS_HELD_MAIL, [], output_field=BooleanField()))  # noqa: S611

    # Waiting tickets whose time has come (tickets.silence)
    def to_wake(self, today):
        return self.waiting().filter(wakes_on__lte=today)

    def to_remind(self, category, *, silent_since):
        """Not heard of since then, and not reminded since the last answer."""
        not_yet = Q(reminded_at=None) | Q(reminded_at__lt=F("silent_since"))
        silent = self.waiting().filter(category=category, waiting_for="requester")
        return silent.filter(not_yet, silent_since__lte=silent_since).without_held_mail()

    def to_close(self, now):
        """Still silent on the day that the reminder named, in categories that (still) close."""
        silent = self.waiting().filter(waiting_for="requester")
        silent = silent.filter(closes_at__lte=now, reminded_at__gte=F("silent_since"))
        return silent.exclude(category__close_after=None).without_held_mail()

    def newest_change_first(self):
        return self.order_by("-updated_at", "-pk")


class CommentQuerySet(TrackedQuerySet):
    def visible_to(self, user):
        """What is said on tickets that `user` may know of already: staff read all, others the public."""
        if not user.is_authenticated:
            return self.none()
        return self if user.is_staff else self.filter(is_public=True)


class TooManyFiles(Exception):
    """The person has to wait for `wait` before sending so many files."""

    def __init__(self, wait: timedelta):
        super().__init__()
        self.wait = wait


class AttachmentQuerySet(TrackedQuerySet):
    def visible_to(self, user):
        """The files of tickets that `user` may know of and of those merged into them.

        Files of internal notes are for staff alone.
        """
        if not user.is_authenticated:
            return self.none()
        if user.is_staff:
            return self
        tickets = self.model.ticket.field.related_model.objects.visible_to(user)
        merged = tickets.model._base_manager.filter(merged_into__in=tickets.values("pk"))
        readable = Q(ticket__in=tickets) | Q(ticket__in=merged.values("pk"))
        return self.filter(readable, Q(comment=None) | Q(comment__is_public=True))

    def hold_to_limit(self, uploads, person) -> None:
        """Raises TooManyFiles where `person` may not send `uploads` now.

        Until the transaction ends nobody else sends files of this person, so what was counted stays true
        while they are stored. Ask before a ticket is locked.
        """
        if not uploads:
            return
        # no_key: rows that refer to the person can be made meanwhile.
        people = self.model.uploader.field.related_model.objects.select_for_update(no_key=True)
        people.values_list("pk", flat=True).get(pk=person.pk)
        if wait := self.wait_for(uploads, person):
            raise TooManyFiles(wait)

    def wait_for(self, uploads, person) -> timedelta | None:
        """How long `person` has to wait before sending `uploads`, counted over 24 hours; None: not at all."""
        if not uploads:
            return None
        now = timezone.now()
        sent = self.filter(uploader=person, created_at__gt=now - DAY).aggregate(
            files=Count("pk"), bytes=Sum("size", default=0), first_at=Min("created_at")
        )
        files = sent["files"] + len(uploads)
        size = sent["bytes"] + sum(upload.size for upload in uploads)
        if files <= MAX_FILES_A_DAY and size <= MAX_BYTES_A_DAY:
            return None
        return (sent["first_at"] or now) + DAY - now


class NotificationQuerySet(QuerySet):
    def due(self, now):
        """What a worker may take: waiting rows whose time has come, and rows whose worker died."""
        is_waiting = Q(state="waiting", next_try_at__lte=now)
        return self.filter(is_waiting | Q(state="sending", leased_until__lt=now))

    def undelivered(self):
        """Mails that will not arrive unless somebody does something."""
        return self.filter(state__in=("failed", "bounced", "complained"))
