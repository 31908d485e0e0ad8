"""The reference pages, and parts of pages by themselves. Only the benchmark's URLs include them."""

from functools import cache

from django import forms
from django.contrib.auth import get_user_model
from django.db import connection, models
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from tickets.management.demo.people import PEOPLE
from tickets.models import Comment, Status, Ticket
from tickets.rules.workflow import Phase
from tickets.search.precedents import Precedents

ROWS = 25
PAGE_BYTES = 15_000
NEWEST = "SELECT id, subject, updated_at FROM tickets_ticket ORDER BY updated_at DESC, id DESC LIMIT %s"


def floor(request: HttpRequest) -> HttpResponse:
    """The minimum of a page: session, user, one indexed query without a model, one string."""
    with connection.cursor() as cursor:
        cursor.execute(NEWEST, [ROWS])
        rows = cursor.fetchall()
    page = f"<h1>{request.user.pk}</h1>" + "".join(
        f"<p>#{number} {subject} {moment}</p>" for number, subject, moment in rows
    )
    return HttpResponse(page.ljust(PAGE_BYTES))


def plain_page(request: HttpRequest) -> HttpResponse:
    """A plain Django page: session, user, one query with related rows, one template."""
    tickets = Ticket.objects.with_people().newest_change_first()[:ROWS]
    return render(request, "plain_page.html", {"tickets": tickets})


def plain_ticket(request: HttpRequest, pk: int) -> HttpResponse:
    """A ticket as Django shows it: session, user, the ticket by its number, its comments, one template."""
    ticket = get_object_or_404(Ticket.objects.with_people(), pk=pk)
    comments = Comment.objects.filter(ticket=ticket).select_related("author").order_by("pk")
    return render(request, "plain_ticket.html", {"ticket": ticket, "comments": comments})


class PlainForm(forms.ModelForm):
    class Meta:
        model = Ticket
        fields = ("subject", "description", "category", "priority")


def plain_filing(request: HttpRequest) -> HttpResponse:
    """A ticket as Django files it: session, user, a form, one insert. No log, nobody is notified."""
    form = PlainForm(request.POST)
    if not form.is_valid():
        return HttpResponse(form.errors.as_text(), status=400)
    # Django asks the database for each constraint of the fields; Ticket leaves that out.
    unsent = {field.name for field in Ticket._meta.fields} - form.fields.keys()
    models.Model.validate_constraints(form.instance, exclude=unsent)
    ticket = form.save(commit=False)
    ticket.requester, ticket.status = request.user, Status.objects.default_for(Phase.NEW)
    models.QuerySet(Ticket).bulk_create([ticket])
    return redirect("plain_ticket", pk=ticket.pk)


@cache
def _shown(pk: int) -> tuple[Ticket, object]:
    """A ticket and somebody who reads it, which the page of the ticket has at hand."""
    reader = get_user_model().objects.get(email=PEOPLE["ann"].email)
    return Ticket.objects.with_people().get(pk=pk), reader


def similar_part(request: HttpRequest, pk: int) -> HttpResponse:
    """What the part "Similar tickets" adds to the page of a ticket."""
    ticket, reader = _shown(pk)
    precedents = Precedents(ticket, reader)
    context = {
        "original": ticket,
        "similar_tickets": precedents.shown,
        "suggestion": precedents.suggestion,
        "may_link": True,
    }
    return render(request, "admin/tickets/ticket/includes/similar.html", context)
