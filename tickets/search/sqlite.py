"""Search on SQLite: triggers update an FTS5 table of the documents. `postgresql` has the same functions."""

import json
from collections import Counter

from django.db import connection
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.db.models.lookups import In

from tickets.models import SearchDocument
from tickets.models.planner import number_without_index
from tickets.search.matching import GAP, Match, Run, Words


def document(words: Words) -> str:
    """The document as text. It starts with a gap, because it may be appended to another one."""
    return "".join(f" {GAP} {' '.join(text)}" for text in words.texts if text)


def query(match: Match) -> str:
    wanted = " AND ".join(f"({_one_of(runs)})" for runs in match.all)
    return f"({wanted}) NOT ({_one_of(match.none)})" if match.none else wanted


def _one_of(runs: tuple[Run, ...]) -> str:
    return " OR ".join(f'"{" ".join(run.words)}"' + (" *" if run.is_begun else "") for run in runs)


def fetched(match: Match, most: int) -> list[int] | None:
    """The numbers of all matching tickets; None if there are more than `most`."""
    found = SearchDocument.objects.filter(words__matches=query(match)).values_list("pk", flat=True)
    numbers = list(found[: most + 1])
    return numbers if len(numbers) <= most else None


def listed(numbers: list[int]) -> RawSQL:
    """Passes many numbers as one parameter, because Django is slow with thousands of parameters."""
    return RawSQL("SELECT value FROM json_each(%s)", [json.dumps(numbers)])  # noqa: S611 - a parameter


def among_many(match: Match) -> Q:
    """A condition that looks up each row in the hits, while the index of the order is walked."""
    found = "SELECT rowid FROM tickets_searchindex WHERE tickets_searchindex MATCH %s"
    return Q(In(number_without_index("pk"), RawSQL(found, [query(match)])))  # noqa: S611 - a parameter


def without(match: Match) -> Q:
    """A condition for a query with only excluded words."""
    return ~Q(pk__in=SearchDocument.objects.filter(words__matches=query(match)).values_list("pk", flat=True))


# Similar tickets
SAMPLED = """
WITH RECURSIVE ends (first, last) AS (
    SELECT (SELECT MIN(ticket_id) FROM tickets_searchdocument),
           (SELECT MAX(ticket_id) FROM tickets_searchdocument)
), evenly (number) AS (
    SELECT first FROM ends
    UNION ALL
    SELECT number + (last - first + %(most)s) / %(most)s FROM evenly, ends
    WHERE number + (last - first + %(most)s) / %(most)s <= last
)
SELECT last - first + 1, words FROM ends, evenly JOIN tickets_searchdocument ON ticket_id = number
WHERE public_size + internal_size < %(largest)s
"""
HITS = """
SELECT {place}, ticket_id, public_size FROM (
    SELECT rowid FROM tickets_searchindex
    WHERE tickets_searchindex MATCH %s AND rowid < %s ORDER BY rowid DESC LIMIT %s
) JOIN tickets_searchdocument ON ticket_id = rowid WHERE public_size < %s
"""


def sampled(most: int, *, largest: int) -> tuple[int, int, dict[str, int]]:
    """About how many documents there are, how many of up to `most` evenly spread numbers, and in how many of
    those each word stands, where in more than one. Documents of `largest` bytes and more are left out.
    """
    total, count, seen = 0, 0, Counter()
    with connection.cursor() as cursor:
        cursor.execute(SAMPLED, {"most": most, "largest": largest})
        for total, words in cursor:  # noqa: B007 - the same total in each row
            count += 1
            seen.update(set(words.split()))
    return total, count, {word: times for word, times in seen.items() if times > 1 and word[0] not in "_=@"}


def hits(
    words: list[tuple[str, float]], *, before: int, largest: int, most: int, visited: int
) -> list[tuple[int, int, int]]:
    """(place of the word, number, size) of the newest documents that hold each of `words`, up to `most`.

    Here the newest come first by themselves, so each word is asked for, however common,
    and nothing else is `visited`.
    """
    sql = " UNION ALL ".join(HITS.format(place=place) for place in range(len(words)))
    params = [value for word, _expected in words for value in (f'"{word}"', before, most, largest)]
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def shared(numbers: list[int], words: list[str]) -> list[tuple[int, int, list[int]]]:
    """(number, how many words, places of `words` that it holds) of the documents of `numbers`."""
    places = {word: place for place, word in enumerate(words)}
    found = []
    for number, text in SearchDocument.objects.filter(pk__in=numbers).values_list("pk", "words"):
        held = set(text.split())
        found.append((number, len(held), [places[word] for word in held & places.keys()]))
    return found
