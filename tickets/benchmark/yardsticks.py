"""What every other page is compared with. Only the benchmark's own urls lead here."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tickets.models import Ticket

ROWS = 25
PAGE_BYTES = 15_000
NEWEST = "SELECT id, subject, updated_at FROM tickets_ticket ORDER BY updated_at DESC, id DESC LIMIT %s"


def floor(request: HttpRequest) -> HttpResponse:
    """The least that a page can do: session, user, one indexed query without a model, one string."""
    with connection.cursor() as cursor:
        cursor.execute(NEWEST, [ROWS])
        rows = cursor.fetchall()
    page = f"<h1>{request.user.pk}</h1>" + "".join(
        f"<p>#{number} {subject} {moment}</p>" for number, subject, moment in rows
    )
    return HttpResponse(page.ljust(PAGE_BYTES))


def plain_page(request: HttpRequest) -> HttpResponse:
    """A page as Django makes it: session, user, one query with its related rows, one template."""
    tickets = Ticket.objects.with_people().newest_change_first()[:ROWS]
    return render(request, "plain_page.html", {"tickets": tickets})
