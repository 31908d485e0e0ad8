"""Fills a temporary database: the demo company, tickets of seed_demo, and copies of these tickets.

Python needs a millisecond per ticket, so above BASE tickets the database copies solved tickets, each copy two
years older. The number of open tickets stays realistic.
"""

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import accumulate

from django.contrib.auth import get_user_model
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.utils import timezone

from accounts import actor
from tickets.actions import conversation
from tickets.files import pictures
from tickets.history import recording
from tickets.history.recording import PastAct
from tickets.management.benchmark.place import COMMON, FIVE, LETTERS, MANY, PICTURES, RARE, ROWS, SAME, WORST
from tickets.management.demo import build, fill
from tickets.management.demo.people import PEOPLE
from tickets.models import ActivityLog, Category, Comment, SearchDocument, Status, Ticket
from tickets.rules.events import Verb
from tickets.rules.workflow import Phase
from tickets.search import documents

PEOPLE_COUNT = 1000
OWN = 60  # tickets of each measured requester, at any size
BASE = 20_000
BANDS, BAND = 5, timedelta(days=730)  # ten years
VOCABULARY = 20_000
LONGEST = 20_000  # characters of a text
WORST_REPLIES = 20
TEN = 10  # pictures
WORST_SHAPES = ("- {}\n", "> {}\nx\n", "{}@b.cd ", "http://{}.de ", "({}.com). ")


def fill_with(count: int) -> Iterator[int]:
    """Fills an empty database with `count` tickets. Yields the size of each batch."""
    yield build.load()
    users = get_user_model().objects
    requesters, agents = fill.people(PEOPLE_COUNT), list(users.staff())
    maria, jonas = (users.get(email=PEOPLE[name].email) for name in ("maria", "jonas"))
    end = postscripts()
    yield from fill.tickets(OWN, [maria], agents, seed=2, postscript=end)
    yield conversation_of(FIVE, [fill.REPLY] * 5, maria, agents[0], f"The {RARE} is on fire.")
    yield conversation_of(MANY, [fill.REPLY] * 200, maria, agents[0], "It goes on and on.")
    yield conversation_of(WORST, list(worst_texts()), maria, agents[0], "It gets worse and worse.")
    yield conversation_of(PICTURES, [fill.REPLY] * 5, maria, agents[0], "See for yourself.")
    add_pictures(Ticket.objects.get(subject=PICTURES))
    for _ticket in range(ROWS):
        yield conversation_of(SAME, [], requesters[0], agents[0], f"{LETTERS} " * (LONGEST // 3))
    yield from fill.tickets(OWN, [jonas], agents, seed=3, postscript=end)
    with actor.acting_as(maria):
        for ticket in Ticket.objects.filter(requester=maria).open():
            conversation.watch(ticket, jonas)
    rest = max(count - Ticket.objects.count(), 0)
    first = Ticket.objects.order_by("-pk").values_list("pk", flat=True).first() + 1
    yield from fill.tickets(min(rest, BASE), [maria, *requesters], agents, postscript=end)
    yield from copies(rest - min(rest, BASE), first)


# Words
def postscripts() -> Callable[[random.Random, int], str]:
    """Texts of an invented language with few common and many rare words. A tenth of them contain COMMON."""
    chance = random.Random(7)  # noqa: S311 - made-up data
    syllables = [first + second for first in "bdfghklmnprstvz" for second in "aeiou"]
    words = ["".join(chance.choices(syllables, k=chance.randint(2, 4))) for _word in range(VOCABULARY)]
    weights = list(accumulate(1 / rank for rank in range(1, VOCABULARY + 1)))

    def postscript(chance: random.Random, number: int) -> str:
        said = chance.choices(words, cum_weights=weights, k=chance.randint(20, 120))
        if number % 10 == 0:
            said.append(COMMON)
        return f"\n\n{' '.join(said)}."

    return postscript


# Conversations
def worst_texts() -> Iterator[str]:
    """Texts without a repeated word, line or link."""
    for number in range(WORST_REPLIES):
        shape = WORST_SHAPES[number % len(WORST_SHAPES)]
        pieces = (shape.format(f"{number:x}z{piece:x}") for piece in range(LONGEST // len(shape)))
        yield "".join(pieces)[:LONGEST]


def conversation_of(subject: str, replies: list[str], requester, agent, description: str) -> int:
    """Creates a ticket with `replies` by two people in turn."""
    start = timezone.now() - timedelta(days=20)
    ticket = Ticket(
        subject=subject,
        description=description,
        category=Category.objects.first(),
        status=Status.objects.default_for(Phase.ACTIVE),
        requester=requester,
        assignee=agent,
        created_at=start,
        first_replied_at=start + timedelta(hours=1),
    )
    fields = recording.snapshot_of(ticket)
    acts = [PastAct(start, requester, actor.WEB, fields)]
    for number, body in enumerate(replies, start=1):
        author, source = (agent, actor.ADMIN) if number % 2 else (requester, actor.WEB)
        at = start + timedelta(hours=number)
        comment = Comment(author=author, body=body, is_public=True, source=source, created_at=at)
        acts.append(PastAct(at, author, source, fields, comment))
    recording.stamp_from(ticket, acts)

    def record(created: list[Ticket]) -> None:
        recording.append(recording.history(created[0].pk, acts))
        fill.load_comments(created, {id(created[0]): acts})
        documents.build([created[0].pk])

    return len(Ticket.objects.bulk_load([ticket], record=record))


def add_pictures(ticket: Ticket) -> None:
    """Adds TEN equal images, of which only the first is rendered."""
    filing = ActivityLog.objects.get(ticket=ticket.pk, verb=Verb.CREATED)
    for number in range(TEN):
        recording.append(build.attach(f"screenshot {number}.png", ticket, filing))
    first = ticket.attachments.earliest("pk")
    pictures.make(first)
    first.refresh_from_db()
    shown = {name: getattr(first, name) for name in ("picture_state", "picture_width", "picture_height")}
    ticket.attachments.update(**shown)


# Copies
def copies(count: int, first: int) -> Iterator[int]:
    """Copies `count` solved tickets with their related rows, with numbers from `first`."""
    done = Ticket.objects.filter(pk__gte=first).done()
    last = Ticket.objects.order_by("-pk").values_list("pk", flat=True).first()
    each, number = done.count(), 0
    while count > 0:
        number += 1
        size = min(count, each)
        numbers = done.filter(pk__lte=last).order_by("pk").values_list("pk", flat=True)
        until = numbers[size - 1]
        with transaction.atomic(), connection.cursor() as cursor:
            for model in (Ticket, Comment, ActivityLog, SearchDocument):
                cursor.execute(copy_sql(model, number, number * (last - first + 1)), [first, until])
        count -= size
        yield size
    with connection.cursor() as cursor:
        for sql in connection.ops.sequence_reset_sql(no_style(), [Ticket]):
            cursor.execute(sql)


def copy_sql(model: type[models.Model], number: int, shift: int) -> str:
    """The statement for copy `number` of the solved tickets of a range. Adds `shift` to their numbers."""
    # The other tables have automatic keys.
    fields = [
        field
        for field in model._meta.concrete_fields
        if not field.generated and (field.name != "id" or model is Ticket)
    ]
    columns = ", ".join(field.column for field in fields)
    values = ", ".join(copied(model, field, number, shift) for field in fields)
    ticket, status = Ticket._meta.db_table, Status._meta.db_table
    key = "id" if model is Ticket else "ticket_id"
    chosen = (
        f"SELECT t.id FROM {ticket} t JOIN {status} s ON s.id = t.status_id "  # noqa: S608 - our own names
        f"WHERE s.phase = '{Phase.DONE}' AND t.id BETWEEN %s AND %s"
    )
    table = model._meta.db_table
    return (
        f"INSERT INTO {table} ({columns}) SELECT {values} FROM {table} "  # noqa: S608 - our own names
        f"WHERE {key} IN ({chosen}) ORDER BY {model._meta.pk.column}"
    )


def copied(model: type[models.Model], field: models.Field, number: int, shift: int) -> str:
    """The value of a column in copy `number`, as SQL."""
    column, is_postgres = field.column, connection.vendor == "postgresql"
    if (model is Ticket and field.primary_key) or column == "ticket_id":
        return f"{column} + {shift}"
    if isinstance(field, models.DateTimeField):
        minutes = (number % BANDS) * int(BAND.total_seconds() / 60) + number
        if is_postgres:
            return f"{column} - interval '{minutes} minutes'"
        return f"strftime('%%Y-%%m-%%d %%H:%%M:%%f', {column}, '-{minutes} minutes')"
    if isinstance(field, models.UUIDField):
        if is_postgres:
            return f"('{number:08x}' || substr({column}::text, 9))::uuid"
        return f"'{number:08x}' || substr({column}, 9)"
    if model is ActivityLog and isinstance(field, models.JSONField):
        return copied_key(column, number, is_postgres)
    return column


def copied_key(column: str, number: int, is_postgres: bool) -> str:
    """The expression for the key of a comment, which is in the log too."""
    if is_postgres:
        key = f"to_jsonb('{number:08x}' || substr({column}->'key'->>1, 9))"
        value = f"jsonb_set({column}, '{{key,1}}', {key})"
    else:
        key = f"'{number:08x}' || substr(json_extract({column}, '$.key[1]'), 9)"
        value = f"json_set({column}, '$.key[1]', {key})"
    return f"CASE WHEN verb IN ('replied', 'noted') THEN {value} ELSE {column} END"
