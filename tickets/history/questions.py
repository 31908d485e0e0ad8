"""What IT asks the requesters of tickets that wait for their reply."""

from collections.abc import Collection
from typing import NamedTuple

from django.contrib.auth import get_user_model
from django.db.models import Exists, Max, OuterRef

from tickets.models import Comment
from tickets.rules.questions import question_in


class AskedQuestion(NamedTuple):
    """`text` is empty if the reply of `name` contains no question."""

    name: str
    text: str


NO_QUESTION = AskedQuestion("", "")


def latest_questions(numbers: Collection[int], reader) -> dict[int, AskedQuestion]:
    """Returns the question of the newest public reply by staff on each ticket, unless it is the reader's own.

    One query. The reader must be allowed to see the tickets.
    """
    staff = get_user_model().objects.staff().filter(pk=OuterRef("author"))
    public = Comment.objects.filter(ticket__in=numbers, is_public=True).visible_to(reader)
    public = public.filter(Exists(staff))
    newest = public.order_by().values("ticket").annotate(newest=Max("pk")).values("newest")
    replies = Comment.objects.filter(pk__in=newest).exclude(author=reader)
    rows = replies.values_list("ticket", "author__full_name", "body")
    return {number: AskedQuestion(name, question_in(body)) for number, name, body in rows}
