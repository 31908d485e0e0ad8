"""Handwritten SQL that makes queries faster than the ORM's.

Each comment names the query and the time it saves on that page. Measured on a database filled by `manage.py
benchmark --tickets 100000`, SQLite 3.40 and PostgreSQL 15, two busy cores, the shortest of 20 to 300
interleaved runs with and without the trick. A trick that saves less than 5 % on both does not belong here.
tests/queue/test_list_plans.py checks the plans.
"""

from django.db.models import DateTimeField, F, Func
from django.db.models.expressions import CombinedExpression

from accounts.roles import STAFF
from tickets.rules.events import verbs

COMPANIONS = sorted(verbs(lambda event: not event.stands_alone))

# Used by tickets.admin.queue.last_messages for the rows of the queue: the newest comment of each ticket and
# its newest public one, the older one first. `works` is UserQuerySet.staff() for the author. Two queries of
# the ORM, which takes longer to compile them than the database to answer them, take 1.9 ms longer: 5 % of the
# page on both.
LAST_COMMENTS = f"""
WITH shown (id) AS (SELECT id FROM tickets_ticket WHERE id IN ({{numbers}}))
SELECT said.id, said.ticket_id, said.author_id, said.created_at, said.is_public,
    SUBSTR(said.body, 1, %s) AS beginning, author.full_name, author.email,
    author.is_active AND (author.is_superuser OR EXISTS (
        SELECT 1 FROM accounts_user_groups
        JOIN auth_group ON auth_group.id = accounts_user_groups.group_id
        WHERE accounts_user_groups.user_id = author.id
            AND auth_group.name IN ({", ".join(f"'{role.value}'" for role in STAFF)})
    )) AS works
FROM tickets_comment AS said JOIN accounts_user AS author ON author.id = said.author_id
WHERE said.id IN (
    SELECT (SELECT MAX(id) FROM tickets_comment WHERE ticket_id = shown.id) FROM shown
    UNION ALL SELECT (SELECT MAX(id) FROM tickets_comment WHERE ticket_id = shown.id AND is_public) FROM shown
)
ORDER BY said.id
"""  # noqa: S608 - our own words

# Used by TicketQuerySet.with_unread() for the queue. Building the same Exists() with the ORM takes 1.5 ms
# longer: 6 % of the page on SQLite, 4 % on PostgreSQL.
HAS_NEWS = f"""EXISTS (
    SELECT 1 FROM tickets_activitylog AS news
    WHERE news.ticket_id = tickets_ticket.id
        AND (news.actor_id IS NULL OR news.actor_id <> %s)
        AND news.verb NOT IN ({", ".join(f"'{verb}'" for verb in COMPANIONS)})
        AND news.id > COALESCE((
            SELECT seen_number FROM tickets_visit AS visit
            WHERE visit.ticket_id = tickets_ticket.id AND visit.person_id = %s
        ), 0)
)"""  # noqa: S608 - our own words

# Used by ticket_belongings.belongings() for every ticket page. One query instead of seven, or of a union() of
# the ORM, saves 1.1 to 1.7 ms: 13 % of the page on SQLite, 7 % on PostgreSQL.
BELONGINGS = """
SELECT 'watchers', id, person_id FROM tickets_watcher WHERE ticket_id = %(ticket)s
UNION ALL SELECT 'watchers_as_staff', id, person_id FROM tickets_watcher
    WHERE ticket_id = %(ticket)s AND as_staff
UNION ALL SELECT 'mentioned', id, person_id FROM tickets_mention WHERE ticket_id = %(ticket)s
UNION ALL SELECT 'mentioned', m.id, m.person_id FROM tickets_mention AS m
    JOIN tickets_ticket AS t ON t.id = m.ticket_id WHERE t.merged_into_id = %(ticket)s
UNION ALL SELECT 'muted_by', id, person_id FROM tickets_mutedticket WHERE ticket_id = %(ticket)s
UNION ALL SELECT 'drafts_of', id, person_id FROM tickets_draft WHERE ticket_id = %(ticket)s
UNION ALL SELECT 'files', id, id FROM tickets_attachment WHERE ticket_id = %(ticket)s
UNION ALL SELECT 'links', id, id FROM tickets_ticketlink
    WHERE ticket_id = %(ticket)s OR target_id = %(ticket)s
UNION ALL SELECT 'held_mails', id, id FROM tickets_inboundemail
    WHERE ticket_id = %(ticket)s AND state = 'quarantined'
UNION ALL SELECT 'merged', id, id FROM tickets_ticket WHERE merged_into_id = %(ticket)s
"""

# Used by search.assignees for a search like assignee:ann. Jumps from one assignee to the next along an index;
# DISTINCT would read an entry for each ticket to find thirty people. Saves 1.8 ms on SQLite (14 % of the
# page) and 3.4 ms on PostgreSQL (17 %).
ASSIGNEES = """
WITH RECURSIVE found (number) AS (
    SELECT MIN(assignee_id) FROM tickets_ticket
    UNION ALL
    SELECT (SELECT MIN(assignee_id) FROM tickets_ticket WHERE assignee_id > found.number)
    FROM found WHERE found.number IS NOT NULL
)
SELECT number FROM found WHERE number IS NOT NULL
"""

# Used by history.live, which every open list of a requester polls. Returns the count and the newest public
# change of each part of TicketQuerySet.parts_for(), like "3-2026-11-25 ...". Two queries of the ORM take 0.6
# to 0.7 ms longer: 8 % of the whole list on SQLite, 3 % on PostgreSQL.
NEWEST = "ORDER BY t.public_at DESC, t.id DESC"
STATE_OF_PARTS = f"""
SELECT
    (SELECT COUNT(*) || '-' || MAX(public_at) FROM (
        SELECT t.public_at FROM tickets_ticket t
        WHERE t.requester_id = %(person)s {NEWEST} LIMIT %(most)s
    ) AS own),
    (SELECT COUNT(*) || '-' || MAX(public_at) FROM (
        SELECT t.public_at FROM tickets_ticket t JOIN tickets_watcher w ON w.ticket_id = t.id
        WHERE w.person_id = %(person)s AND NOT w.as_staff AND t.requester_id <> %(person)s
        {NEWEST} LIMIT %(most)s
    ) AS watched)
"""  # noqa: S608 - our own words


def number_without_index(name: str) -> CombinedExpression:
    """A column that SQLite must not look up by index, because another condition finds the rows.

    Used by TicketQuerySet.of_status_among_few() for the tabs of a filtered list: otherwise SQLite takes the
    index by status and reads half of all tickets, 22 ms, as long as the page of the own queue. Used by
    search.sqlite for a common word: otherwise SQLite reads and sorts all hits, 40 ms, as long as the page.
    PostgreSQL: no difference.
    """
    return F(name) + 0


class WithoutIndex(Func):
    """A time that PostgreSQL must not look up by index, because another condition finds the rows.

    Used by TicketQuerySet.filed_since() for lists by change: otherwise PostgreSQL finds the filed tickets by
    index and sorts them. Saves 2 ms for a week and 4 ms for a month of all tickets, 15 % and 30 % of the
    page; 8 ms for a month of done ones, 57 %. SQLite walks the index of the list without help.
    """

    template = "%(expressions)s"
    output_field = DateTimeField()

    def as_postgresql(self, compiler, connection, **context):
        return self.as_sql(compiler, connection, template="(%(expressions)s + interval '0')", **context)
