"""The open tickets of a person that are similar to what the person is typing into a new one."""

from tickets.models import Ticket
from tickets.search.frequencies import kept
from tickets.search.similar import by_score, words_of_ticket

SHOWN = 2
FEWEST_WORDS = 2  # of a text that is compared
COMPARED = 100  # the newest
LEAST = 0.18  # the lowest score; higher than for staff, because a false question disturbs the person
COLUMNS = ("pk", "subject", "created_at")


def similar_own_tickets(user, *, subject: str, description: str) -> list[tuple]:
    """Returns rows of COLUMNS, the most similar first. At most two queries, and one for frequencies."""
    known = kept.get()
    words = words_of_ticket(subject, description, known=known)
    if len(words) < FEWEST_WORDS:
        return []
    own = Ticket.objects.visible_to(user).filter(requester=user, merged_into=None).open()
    rows = {row.pk: row for row in own.order_by("-pk").values_list(*COLUMNS, named=True)[:COMPARED]}
    if not rows:
        return []
    found = by_score(words, rows, known)
    return [rows[one.number] for one in found if one.score >= LEAST][:SHOWN]
