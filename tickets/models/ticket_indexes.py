"""The indexes of tickets, each with the query that it serves. test_list_plans.py checks that it is used."""

from django.db import models

OPEN = models.Q(done_at__isnull=True)

INDEXES = [
    # a requester's lists, newest public change first (with the status, so that the tabs are counted from
    # the index alone)
    models.Index(fields=["requester", "-public_at", "-id", "status"], name="ticket_by_requester"),
    # the lists of staff, newest change first: all (with the filing time, for periods), by assignee, by
    # status, by category, by priority
    models.Index(fields=["-updated_at", "-id", "created_at"], name="ticket_by_change"),
    models.Index(fields=["assignee", "-updated_at", "-id"], name="ticket_by_assignee"),
    models.Index(fields=["status", "-updated_at", "-id"], name="ticket_by_status"),
    models.Index(fields=["category", "-updated_at", "-id"], name="ticket_by_category"),
    models.Index(fields=["urgency_rank", "-updated_at", "-id"], name="ticket_by_priority"),
    # the counts of the tabs above the filtered lists: without these it takes 100 ms to count the few waiting
    # tickets of a million
    models.Index(fields=["assignee", "status"], name="ticket_tabs_of_assignee"),
    models.Index(fields=["category", "status"], name="ticket_tabs_of_category"),
    models.Index(fields=["urgency_rank", "status"], name="ticket_tabs_of_priority"),
    # the admin's list by age, and the tickets filed in the period of a report
    models.Index(
        fields=["-created_at", "-id", "status", "category", "priority", "merged_into"], name="ticket_by_age"
    ),
    # the reports, from the index alone: tickets first answered and solved in a period
    models.Index(
        fields=["first_replied_at", "created_at", "merged_into"],
        name="ticket_by_first_reply",
        condition=models.Q(first_replied_at__isnull=False),
    ),
    models.Index(
        fields=["done_at", "created_at", "category", "priority", "assignee", "merged_into"],
        name="ticket_by_done",
        condition=models.Q(done_at__isnull=False),
    ),
    # merged tickets; partial, because SQLite would use a full index to find all tickets that are not merged
    models.Index(
        fields=["merged_into"],
        name="ticket_by_target",
        condition=models.Q(merged_into__isnull=False),
    ),
    # the jobs for waiting tickets (tickets.actions.silence)
    models.Index(
        fields=["category", "silent_since"],
        name="ticket_silent",
        condition=models.Q(waiting_for="requester"),
    ),
    models.Index(fields=["wakes_on"], name="ticket_to_wake", condition=models.Q(wakes_on__isnull=False)),
    models.Index(fields=["closes_at"], name="ticket_to_close", condition=models.Q(closes_at__isnull=False)),
    # Open tickets come last, because SQLite prefers the newer of two equally good indexes. done_at is
    # included so that they are counted from the index alone.
    models.Index(fields=["-updated_at", "-id"], name="ticket_open_by_change", condition=OPEN),
    # the queue, most urgent and oldest first: all, by status, by category, by assignee, unassigned
    models.Index(
        fields=["urgency_rank", "created_at", "id", "done_at"],
        name="ticket_queue",
        condition=OPEN,
    ),
    models.Index(
        fields=["status", "urgency_rank", "created_at", "id", "done_at"],
        name="ticket_queue_by_status",
        condition=OPEN,
    ),
    models.Index(
        fields=["category", "urgency_rank", "created_at", "id", "done_at"],
        name="ticket_queue_by_category",
        condition=OPEN,
    ),
    models.Index(
        fields=["assignee", "urgency_rank", "created_at", "id", "done_at"],
        name="ticket_queue_by_assignee",
        condition=OPEN,
    ),
    # unassigned tickets in order: PostgreSQL does not treat IS NULL as an equality in the index above
    models.Index(
        fields=["urgency_rank", "created_at", "id"],
        name="ticket_queue_unassigned",
        condition=models.Q(done_at__isnull=True, assignee__isnull=True),
    ),
    # the queue by age
    models.Index(fields=["-created_at", "-id"], name="ticket_open_by_age", condition=OPEN),
]
