"""The indexes of tickets, each with the question that needs it. test_list_plans.py shows that it is used."""

from django.db import models

OPEN = models.Q(done_at__isnull=True)

INDEXES = [
    # the lists, newest change first: all (with the time of filing, for periods), a requester's
    # (with the status, so that tabs are counted from the index alone), an agent's, by status, by
    # category, by priority
    models.Index(fields=["-updated_at", "-id", "created_at"], name="ticket_by_change"),
    models.Index(fields=["requester", "-updated_at", "-id", "status"], name="ticket_by_requester"),
    models.Index(fields=["assignee", "-updated_at", "-id"], name="ticket_by_assignee"),
    models.Index(fields=["status", "-updated_at", "-id"], name="ticket_by_status"),
    models.Index(fields=["category", "-updated_at", "-id"], name="ticket_by_category"),
    models.Index(fields=["urgency_rank", "-updated_at", "-id"], name="ticket_by_priority"),
    # the tabs above the filtered ones: of a million it takes 100 ms to count the few that wait
    models.Index(fields=["assignee", "status"], name="ticket_tabs_of_assignee"),
    models.Index(fields=["category", "status"], name="ticket_tabs_of_category"),
    models.Index(fields=["urgency_rank", "status"], name="ticket_tabs_of_priority"),
    # the admin's order by age; and what was filed in the period of a report
    models.Index(
        fields=["-created_at", "-id", "status", "category", "priority", "merged_into"], name="ticket_by_age"
    ),
    # the reports, from the index alone: what was first answered and what was solved in a period
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
    # what is merged into a ticket; of the few alone, else SQLite takes it for all that are not merged
    models.Index(
        fields=["merged_into"],
        name="ticket_by_target",
        condition=models.Q(merged_into__isnull=False),
    ),
    # the jobs over waiting tickets (tickets.silence)
    models.Index(
        fields=["category", "silent_since"],
        name="ticket_silent",
        condition=models.Q(waiting_for="requester"),
    ),
    models.Index(fields=["wakes_on"], name="ticket_to_wake", condition=models.Q(wakes_on__isnull=False)),
    models.Index(fields=["closes_at"], name="ticket_to_close", condition=models.Q(closes_at__isnull=False)),
    # What is open stands last: of two that fit as well SQLite takes the newer one. With done_at, which is
    # empty, it counts them from the index alone.
    # newest change first: it may be little among what is done
    models.Index(fields=["-updated_at", "-id"], name="ticket_open_by_change", condition=OPEN),
    # the queue, most urgent and oldest first: everybody's, by status, by category, an
    # agent's, what is nobody's
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
    # (IS NULL is no equality to PostgreSQL: the index above does not bring them in order)
    models.Index(
        fields=["urgency_rank", "created_at", "id"],
        name="ticket_queue_unassigned",
        condition=models.Q(done_at__isnull=True, assignee__isnull=True),
    ),
    # the queue by age
    models.Index(fields=["-created_at", "-id"], name="ticket_open_by_age", condition=OPEN),
]
