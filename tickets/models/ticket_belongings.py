"""Loads everything that belongs to a ticket in one query, so that its page runs no query for what
is missing.
"""

from typing import NamedTuple

from django.db import connection

from tickets.models.planner import BELONGINGS


class Belongings(NamedTuple):
    """Primary keys, oldest first: watchers, mentioned staff, files, links, merged tickets, and emails that
    wait for review.
    """

    watchers: list[int]
    watchers_as_staff: list[int]
    mentioned: list[int]
    muted_by: list[int]
    drafts_of: list[int]
    files: list[int]
    links: list[int]
    merged: list[int]
    held_mails: list[int]


def belongings(ticket: int) -> Belongings:
    found = Belongings(*([] for _name in Belongings._fields))
    with connection.cursor() as cursor:
        cursor.execute(BELONGINGS, {"ticket": ticket})
        for kind, _row, number in sorted(cursor.fetchall()):
            getattr(found, kind).append(number)
    return found
