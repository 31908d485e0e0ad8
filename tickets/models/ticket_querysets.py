"""Chainable queries for tickets."""

from django.db.models import BooleanField, Exists, F, OuterRef, Q
from django.db.models.expressions import RawSQL

from tickets.models.planner import HAS_NEWS, WithoutIndex, number_without_index
from tickets.models.tracking import TrackedQuerySet
from tickets.rules import workflow


class TicketQuerySet(TrackedQuerySet):
    def visible_to(self, user):
        """Returns the tickets that `user` may see: all for staff, else own and watched ones, none for
        visitors.
        """
        if not user.is_authenticated:
            return self.none()
        if user.is_staff:
            return self
        # Two short index scans. An OR would scan all tickets.
        own = self.model._base_manager.filter(requester=user).values("pk")
        watchers = self.model.watchers.rel.related_model._base_manager
        watched = watchers.filter(person=user, as_staff=False).values("ticket")
        return self.filter(pk__in=own.order_by().union(watched.order_by()))

    def parts_for(self, user, *, watches: bool = True) -> list:
        """Returns the parts that visible_to() combines. Each part has an index in the order of lists.

        `watches`: whether `user` may watch tickets of others. Most people watch none, which saves a query.
        """
        if user.is_staff or not user.is_authenticated:
            return [self.visible_to(user)]
        own = self.filter(requester=user)
        watched = self.filter(watchers__person=user, watchers__as_staff=False).exclude(requester=user)
        return [own, watched] if watches else [own]

    def get_visible(self, pk: int, user):
        """Returns the ticket `pk` if visible_to(user) contains it, else None.

        Own tickets need a shorter query.
        """
        one = self.filter(pk=pk).order_by()
        if user.is_authenticated and not user.is_staff:
            for ticket in one.filter(requester=user):
                return ticket
        return next(iter(one.visible_to(user)), None)

    def on_page_of(self, ticket):
        """Returns `ticket` and the tickets merged into it: its page shows all of them."""
        return self.filter(Q(pk=ticket.pk) | Q(merged_into=ticket.pk))

    def with_people(self):
        """Joins the related rows that every list and page of tickets shows."""
        return self.select_related("category", "status", "requester", "assignee")

    def with_has_merged(self):
        """Annotates has_merged, for code that needs nothing else of Ticket.belongings."""
        return self.annotate(
            has_merged=Exists(self.model._base_manager.filter(merged_into=OuterRef("pk")).order_by())
        )

    def in_phase(self, *phases, statuses=None):
        """Filters by done_at or by status ids so that the planner can estimate the number of rows.

        `statuses` are all statuses, if the caller has loaded them.
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
        """Filters by status within few rows: reads it from the index that finds them (see planner)."""
        return self.alias(status_read=number_without_index("status_id")).filter(status_read=number)

    def of_priority(self, priority):
        """Filters by the field that the queue is ordered by."""
        return self.filter(urgency_rank=workflow.URGENCY.index(priority))

    def filed_since(self, moment):
        """Filters lists ordered by change.

        A ticket filed since then has also changed since then, so an index finds it.

        With created_at alone the database would find and sort all of them.
        """
        filed = self.filter(updated_at__gte=moment).alias(filed=WithoutIndex("created_at"))
        return filed.filter(filed__gte=moment)

    def unassigned(self):
        return self.filter(assignee__isnull=True)

    def assigned_to(self, user):
        return self.filter(assignee=user)

    def mine_or_unassigned(self, user):
        # Written as an exclusion because SQLite does not use an index for the OR.
        return self.exclude(Q(assignee__isnull=False) & ~Q(assignee=user))

    def with_unread(self, user):
        """Annotates is_unread: another person did something that `user` has not seen on the ticket's page."""
        has_news = RawSQL(HAS_NEWS, [user.pk, user.pk], output_field=BooleanField())  # noqa: S611
        return self.annotate(is_unread=has_news)

    def waiting(self):
        return self.filter(status__phase=workflow.Phase.WAITING)

    def without_held_mail(self):
        """Excludes tickets with a reply in quarantine: their requester may have answered."""
        return self.exclude(self._has_held_mail())

    def with_held_mail(self):
        """Annotates has_held_mail: a reply waits in quarantine."""
        return self.annotate(has_held_mail=self._has_held_mail())

    def _has_held_mail(self) -> Exists:
        mails = self.model.inbound_emails.rel.related_model._base_manager
        return Exists(mails.filter(ticket=OuterRef("pk"), state="quarantined").order_by())

    # Waiting tickets that are due (tickets.actions.silence)
    def to_wake(self, today):
        return self.waiting().filter(wakes_on__lte=today)

    def to_remind(self, category, *, silent_since):
        """Returns tickets without a reply since then, and without a reminder since the last reply."""
        not_yet = Q(reminded_at=None) | Q(reminded_at__lt=F("silent_since"))
        silent = self.waiting().filter(category=category, waiting_for="requester")
        return silent.filter(not_yet, silent_since__lte=silent_since).without_held_mail()

    def to_close(self, now):
        """Returns tickets whose closing date has come and whose category still closes tickets."""
        silent = self.waiting().filter(waiting_for="requester")
        silent = silent.filter(closes_at__lte=now, reminded_at__gte=F("silent_since"))
        return silent.exclude(category__close_after=None).without_held_mail()

    def recently_opened_by(self, person):
        """Returns the tickets that `person` had open, the latest first."""
        return self.filter(visits__person=person).order_by("-visits__seen_at")

    def newest_change_first(self):
        """Orders for staff: changes that no requester may see count too."""
        return self.order_by("-updated_at", "-pk")

    def newest_public_change_first(self):
        return self.order_by("-public_at", "-pk")

    def newest_first_for(self, user):
        return self.newest_change_first() if user.is_staff else self.newest_public_change_first()
