"""The admin's page of a ticket is made of parts that know nothing of each other."""

import re

import pytest
import time_machine
from django.contrib import admin
from django.http import HttpResponse
from django.utils import timezone

from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.admin.ticket.parts import Part, page_of
from tickets.admin.ticket.ticket import TicketAdmin
from tickets.models import Ticket, TicketLink
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
CHANGING = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[A-Za-z0-9]{64}|nonce=\S+")


class MadeUp(Part):
    def urls(self):
        return [self.path("made-up/<int:number>", self.view, "made_up")]

    def context(self, request, page):
        return {"made_up": f"{page.ticket.requester} and {len(page.entries)}"}

    def view(self, request, pk, number):
        return HttpResponse(f"{self.ticket_or_404(request, pk)}, {number}")


@pytest.fixture
def model_admin():
    return admin.site.get_model_admin(Ticket)


@pytest.fixture
def ticket(alice, ann):
    ticket = make_ticket(alice, assignee=ann)
    conversation.reply(ticket, Message(author=ann, body="Is it plugged in?"))
    TicketLink.objects.create(ticket=ticket, target=make_ticket(alice, subject="Another one"))
    return ticket


def page(client, ticket) -> str:
    return CHANGING.sub("", client.get(f"/admin/tickets/ticket/{ticket.pk}/change/").content.decode())


@pytest.mark.parametrize("part", TicketAdmin.PARTS)
def test_part_is_a_plain_class(part):
    assert issubclass(part, Part)
    assert not issubclass(part, admin.ModelAdmin)


def test_no_two_parts_add_one_address(model_admin):
    names = [url.name for part in model_admin.parts for url in part.urls()]
    routes = [str(url.pattern) for part in model_admin.parts for url in part.urls()]
    assert len(names) > 15
    assert len(set(names)) == len(names)
    assert len(set(routes)) == len(routes)


def test_order_of_the_parts_means_nothing(client_of, ann, ticket, model_admin, monkeypatch):
    client = client_of(ann)
    with time_machine.travel(timezone.now(), tick=False):
        before = page(client, ticket)
        monkeypatch.setattr(model_admin, "parts", model_admin.parts[::-1])
        assert page(client, ticket) == before
    assert "Is it plugged in?" in before
    assert "Another one" in before


def test_no_two_parts_say_the_same(rf, ann, ticket, model_admin):
    """So that none overwrites what another one has said."""
    request = rf.get("/")
    request.user = ann
    said = [name for part in model_admin.parts for name in part.context(request, page_of(ticket, request))]
    assert len(set(said)) == len(said)


def test_part_that_is_added_is_shown_and_reached(client_of, ann, alice, ticket, model_admin, monkeypatch):
    made_up = MadeUp(model_admin)
    monkeypatch.setattr(model_admin, "parts", [*model_admin.parts, made_up])
    context = client_of(ann).get(f"/admin/tickets/ticket/{ticket.pk}/change/").context
    assert context["made_up"].startswith(f"{alice} and ")
    (url,) = [url for url in model_admin.get_urls() if url.name == "tickets_ticket_made_up"]
    assert url.pattern.match(f"{ticket.pk}/made-up/7/")[2] == {"pk": ticket.pk, "number": 7}


@pytest.mark.parametrize(("who", "status"), [("alice", 302), ("ann", 200)])
def test_address_of_a_part_is_for_staff(rf, request, ticket, model_admin, who, status):
    asked = rf.get("/")
    asked.user = request.getfixturevalue(who)
    (url,) = MadeUp(model_admin).urls()
    assert url.callback(asked, pk=ticket.pk, number=7).status_code == status
