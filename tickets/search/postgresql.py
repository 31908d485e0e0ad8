"""Search on PostgreSQL: a document is a tsvector, a match a tsquery. `sqlite` has the same functions."""

from django.db import connection
from django.db.models import Exists, OuterRef, Q
from django.db.models.expressions import RawSQL

from tickets.models import SearchDocument
from tickets.search.matching import Match, Run, Words

MOST_PLACES, LAST_PLACE = 255, 16_383  # PostgreSQL's limits for positions of a word in a tsvector
# PostgreSQL reads the hits of a common word slowly: 2,000 hits take five times as long as a page. If a sample
# of the newest 9,700 documents shows that there are more hits, they are not read.
FETCH = """
SELECT CASE WHEN are_many THEN NULL ELSE ARRAY(
    SELECT ticket_id FROM tickets_searchdocument WHERE words @@ %(query)s::tsquery LIMIT %(limit)s
) END
FROM (
    SELECT MAX(ticket_id) > 20 * %(limit)s
        AND COUNT(*) FILTER (WHERE words @@ %(query)s::tsquery) >= 5 AS are_many
    FROM tickets_searchdocument
    WHERE ticket_id IN (
        SELECT (SELECT MAX(ticket_id) FROM tickets_searchdocument) - 97 * step
        FROM generate_series(0, 99) AS step
    )
) AS guess
"""


def document(words: Words) -> str:
    """A tsvector as text. It starts with a gap, because it may be appended to another one."""
    places: dict[str, list[str]] = {}
    place = 0
    for text in words.texts:
        place += 1
        for word in text:
            place += 1
            places.setdefault(word, []).append(str(min(place, LAST_PLACE)))
    return " ".join(f"'{word}':{','.join(at[:MOST_PLACES])}" for word, at in places.items())


def query(match: Match) -> str:
    parts = [f"({' | '.join(f'({_run(run)})' for run in runs)})" for runs in match.all]
    return " & ".join([*parts, *(f"!({_run(run)})" for run in match.none)])


def _run(run: Run) -> str:
    return " <-> ".join(f"'{word}'" for word in run.words) + (":*" if run.is_begun else "")


def fetched(match: Match, most: int) -> list[int] | None:
    """The numbers of all matching tickets; None if there are more than `most`."""
    with connection.cursor() as cursor:
        cursor.execute(FETCH, {"query": query(match), "limit": most + 1})
        found = cursor.fetchone()[0]
    return found if found is not None and len(found) <= most else None


def listed(numbers: list[int]) -> RawSQL:
    """Passes many numbers as one parameter, because Django is slow with thousands of parameters."""
    return RawSQL("SELECT unnest(%s::bigint[])", [numbers])  # noqa: S611 - a parameter


def among_many(match: Match) -> Q:
    """A condition that tests the document of each shown ticket."""
    return Q(search_document__words__matches=query(match))


def without(match: Match) -> Q:
    """A condition for a query with only excluded words. Tests the document of each shown ticket."""
    return ~Q(Exists(SearchDocument.objects.filter(pk=OuterRef("pk"), words__matches=query(match))))


# Similar tickets
FEW_WORDS, MOST_PAIRED = 3, 10
# One subquery for all words: planning one for each takes longer than reading them. The inner LIMIT also keeps
# the planner from walking the numbers: it does not know that the word is rare.
HITS = """
SELECT asked.place - 1, hits.ticket_id, hits.public_size
FROM unnest(%s::tsquery[]) WITH ORDINALITY AS asked (word, place)
CROSS JOIN LATERAL (
    SELECT ticket_id, public_size FROM (
        SELECT ticket_id, public_size FROM tickets_searchdocument WHERE words @@ asked.word LIMIT %s
    ) AS found
    WHERE ticket_id < %s AND public_size < %s ORDER BY ticket_id DESC LIMIT %s
) AS hits
"""
SHARED = """
WITH few AS MATERIALIZED (
    SELECT ticket_id, strip(words) AS words FROM tickets_searchdocument WHERE ticket_id = ANY(%s)
)
SELECT ticket_id, length(words), ARRAY(
    SELECT place - 1 FROM unnest(%s::tsquery[]) WITH ORDINALITY AS asked (word, place)
    WHERE few.words @@ word
) FROM few
"""
EVENLY = """
tickets_searchdocument WHERE ticket_id IN (
    SELECT generate_series(
        MIN(ticket_id), MAX(ticket_id), (MAX(ticket_id) - MIN(ticket_id) + {most:d}) / {most:d}
    ) FROM tickets_searchdocument
) AND public_size + internal_size < {largest:d}
"""
SAMPLED = """
SELECT
    (SELECT MAX(ticket_id) - MIN(ticket_id) + 1 FROM tickets_searchdocument),
    (SELECT COUNT(*) FROM {evenly}),
    (SELECT json_object_agg(word, ndoc) FROM ts_stat('SELECT words FROM {evenly}')
     WHERE ndoc > 1 AND word !~ '^[_=@]')
"""


def sampled(most: int, *, largest: int) -> tuple[int, int, dict[str, int]]:
    """About how many documents there are, how many of up to `most` evenly spread numbers, and in how many of
    those each word stands, where in more than one. Documents of `largest` bytes and more are left out.
    """
    with connection.cursor() as cursor:
        cursor.execute(SAMPLED.format(evenly=EVENLY.format(most=most, largest=largest)))
        total, count, seen = cursor.fetchone()
    return total or 0, count, seen or {}


def hits(
    words: list[tuple[str, float]], *, before: int, largest: int, most: int, visited: int
) -> list[tuple[int, int, int]]:
    """(place of the word, number, size) of the newest documents that hold each of `words`, up to `most`.

    `words` come the rarest first, with about how many documents hold it. Here all hits of a word are read to
    find its newest, so words are asked for as long as their hits are at most `visited` together; of words
    that are more common, two of three.
    """
    asked, left = [], visited
    for word, expected in words:
        left -= expected
        if left < 0:
            break
        asked.append(f"'{word}'")
    others = [f"'{word}'" for word, expected in words[len(asked) :] if expected < MOST_PAIRED * visited]
    if len(asked) < FEW_WORDS and len(others) >= 2:
        first, second, *third = others[:3]
        pairs = f"{first} & {second}"
        if third:
            pairs = f"{first} & ({second} | {third[0]}) | {second} & {third[0]}"
        asked.append(pairs)
    if not asked:
        return []
    with connection.cursor() as cursor:
        cursor.execute(HITS, [asked, visited, before, largest, most])
        return cursor.fetchall()


def shared(numbers: list[int], words: list[str]) -> list[tuple[int, int, list[int]]]:
    """(number, how many words, places of `words` that it holds) of the documents of `numbers`."""
    with connection.cursor() as cursor:
        cursor.execute(SHARED, [numbers, [f"'{word}'" for word in words]])
        return cursor.fetchall()
