"""What belongs to a ticket, learned in one question, so that its page asks for nothing that is not there."""

from typing import NamedTuple

from django.db import connection

# In SQL: the ORM takes longer to put one of these questions than the database to answer all of them.
AROUND = """
SELECT 'watchers', id, person_id FROM tickets_watcher WHERE ticket_id = %(ticket)s
UNION ALL SELECT 'muted_by', id, person_id FROM tickets_mutedticket WHERE ticket_id = %(ticket)s
UNION ALL SELECT 'drafts_of', id, person_id FROM tickets_draft WHERE ticket_id = %(ticket)s
UNION ALL SELECT 'files', id, id FROM tickets_attachment WHERE ticket_id = %(ticket)s
UNION ALL SELECT 'links', id, id FROM tickets_ticketlink
    WHERE ticket_id = %(ticket)s OR target_id = %(ticket)s
UNION ALL SELECT 'held_mails', id, id FROM tickets_inboundemail
    WHERE ticket_id = %(ticket)s AND state = 'quarantined'
UNION ALL SELECT 'merged', id, id FROM tickets_ticket WHERE merged_into_id = %(ticket)s
"""


class Around(NamedTuple):
    """Primary keys, oldest first: of people, of files and links, of the tickets that are merged into it,
    of mails on it that wait for review."""

    watchers: list[int]
    muted_by: list[int]
    drafts_of: list[int]
    files: list[int]
    links: list[int]
    merged: list[int]
    held_mails: list[int]


def around(ticket: int) -> Around:
    found = Around(*([] for _name in Around._fields))
    with connection.cursor() as cursor:
        cursor.execute(AROUND, {"ticket": ticket})
        for kind, _row, number in sorted(cursor.fetchall()):
            getattr(found, kind).append(number)
    return found
