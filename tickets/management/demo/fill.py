"""Creates any number of demo tickets."""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.utils import timezone

from accounts import actor
from tickets.history import recording
from tickets.history.recording import PastAct
from tickets.management.demo.stories import STORIES
from tickets.models import Category, Comment, Status, Ticket
from tickets.rules import workflow
from tickets.search import documents

BATCH = 2000
REPLY = "Thank you for the exact description. I look into it and tell you here."


def people(count: int) -> list:
    """Creates `count` requesters who can't log in."""
    user_model = get_user_model()
    start = user_model.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    made_up = [
        user_model(
            email=f"person{number}@example.com",
            full_name=f"Person {number}",
            department="Sales",
            password=make_password(None),
        )
        for number in range(start + 1, start + count + 1)
    ]
    return user_model.objects.bulk_create(made_up, batch_size=BATCH)


def tickets(
    count: int,
    requesters: list,
    agents: list,
    *,
    seed: int = 1,
    postscript: Callable[[random.Random, int], str] = lambda chance, number: "",
) -> Iterator[int]:
    """Writes `count` tickets with their histories in batches. Yields the size of each batch.

    `postscript` returns the end of each description, given the number of tickets before it.
    """
    chance = random.Random(seed)  # noqa: S311 - made-up data
    now, categories, statuses = timezone.now(), list(Category.objects.all()), list(Status.objects.all())
    for start in range(0, count, BATCH):
        acts: dict[int, list[PastAct]] = {}
        batch = []
        for number in range(start, min(start + BATCH, count)):
            end = postscript(chance, number)
            ticket, story = one_ticket(chance, now, requesters, agents, categories, statuses, end)
            batch.append(ticket)
            acts[id(ticket)] = story

        def record(created: list[Ticket], acts=acts) -> None:
            recording.append(
                row for ticket in created for row in recording.history(ticket.pk, acts[id(ticket)])
            )
            load_comments(created, acts)
            documents.build(ticket.pk for ticket in created)

        Ticket.objects.bulk_load(batch, record=record, batch_size=BATCH)
        yield len(batch)


def load_comments(tickets: list[Ticket], acts: dict[int, list[PastAct]]) -> None:
    """Writes the comments of the actions, which are already in the log. `acts` has keys id(ticket)."""
    said = []
    for ticket in tickets:
        for act in acts[id(ticket)]:
            if act.comment is not None:
                act.comment.ticket = ticket
                said.append(act.comment)
    Comment.objects.bulk_load(said, record=lambda rows: None)


def one_ticket(
    chance, now, requesters, agents, categories, statuses, postscript
) -> tuple[Ticket, list[PastAct]]:
    """One demo ticket. Nine in ten are solved, spread over two years."""
    story = chance.choice(STORIES)
    requester, agent = chance.choice(requesters), chance.choice(agents)
    filed_at = now - timedelta(minutes=chance.randint(1, 2 * 365 * 24 * 60))
    new = next(status for status in statuses if status.phase == workflow.Phase.NEW)
    ticket = Ticket(
        subject=f"{story.subject} ({chance.randint(1, 99_999)})",
        description=story.description + postscript,
        category=chance.choice(categories),
        status=new,
        priority=chance.choices(Ticket.Priority.values, weights=(20, 60, 15, 5))[0],
        requester=requester,
        created_at=filed_at,
    )
    acts = [PastAct(filed_at, requester, actor.WEB, recording.snapshot_of(ticket))]
    if chance.random() < 0.97:
        at = min(filed_at + timedelta(minutes=chance.randint(2, 600)), now)
        ticket.first_replied_at = at
        ticket.assignee = agent
        reply = Comment(author=agent, body=REPLY, is_public=True, source=actor.ADMIN, created_at=at)
        acts.append(PastAct(at, agent, actor.ADMIN, recording.snapshot_of(ticket), reply))
        at = min(at + timedelta(minutes=chance.randint(10, 6000)), now)
        ends = [status for status in statuses if status.phase != workflow.Phase.NEW]
        weights = [90 if status.phase == workflow.Phase.DONE else 5 for status in ends]
        ticket.status = chance.choices(ends, weights=weights)[0]
        ticket.done_at = workflow.done_at(workflow.Phase.NEW, ticket.phase, stored=None, now=at)
        if ticket.status.is_waiting:
            # Not for the requester: nobody wants thousands of reminders to people who are made up.
            ticket.waiting_for, ticket.silent_since = Ticket.WaitingFor.SUPPLIER, at
        acts.append(PastAct(at, agent, actor.ADMIN, recording.snapshot_of(ticket)))
    recording.stamp_from(ticket, acts)
    return ticket, acts
