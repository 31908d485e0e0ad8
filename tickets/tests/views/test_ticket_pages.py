"""Pages of the site's list: by key, so that they keep their place (helpdesk.lists.paging)."""

import re
from datetime import timedelta

import pytest
from django.utils import timezone

from helpdesk.lists.paging import in_words, short
from tickets.models import Ticket, Watcher
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
START = timezone.now() - timedelta(days=30)


def file_many(requester, count: int, *, subject: str = "printer", minutes: int = 1) -> None:
    for number in range(count):
        moment = START + timedelta(minutes=minutes * number)
        moments = dict.fromkeys(("created_at", "updated_at", "public_at"), moment)
        make_ticket(requester, subject=f"{subject} {number}", **moments)


def subjects(response) -> list[str]:
    assert response.status_code == 200
    return [ticket.subject for ticket in response.context["rows"]]


def numbers(response) -> list[int]:
    return [int(subject.split()[-1]) for subject in subjects(response)]


def follow(client, response, name: str):
    link = re.search(rf'rel="{name}" href="([^"]*)"', response.content.decode())
    return client.get("/tickets/" + link[1].replace("&amp;", "&")) if link else None


def test_older_and_newer_lead_through_all_tickets_and_back(client_of, alice):
    file_many(alice, 60)
    client = client_of(alice)
    first = client.get("/tickets/?q=printer")
    second = follow(client, first, "next")
    third = follow(client, second, "next")
    assert numbers(first) + numbers(second) + numbers(third) == list(range(59, -1, -1))
    assert follow(client, first, "prev") is follow(client, third, "next") is None
    assert numbers(follow(client, third, "prev")) == numbers(second)
    assert numbers(follow(client, second, "prev")) == numbers(first)
    assert "q=printer" in third.content.decode().partition('rel="prev"')[2].partition(">")[0]


def test_tickets_of_one_moment_are_each_shown_once(client_of, alice):
    file_many(alice, 60, minutes=0)
    client, shown, response = client_of(alice), [], None
    response = client.get("/tickets/")
    while response:
        shown += numbers(response)
        response = follow(client, response, "next")
    assert sorted(shown) == list(range(60))


def test_page_keeps_its_place_when_tickets_arrive(client_of, alice):
    file_many(alice, 60)
    client = client_of(alice)
    first = client.get("/tickets/")
    second = follow(client, first, "next")
    for _number in range(3):
        make_ticket(alice, subject="fresh 99")
    assert numbers(follow(client, first, "next")) == numbers(second)
    assert numbers(follow(client, second, "prev")) == numbers(first)


def test_newer_than_a_short_page_is_the_whole_first_page(client_of, alice):
    file_many(alice, 60)
    client = client_of(alice)
    second = follow(client, client.get("/tickets/"), "next")
    for ticket in Ticket.objects.newest_change_first()[:5]:
        ticket.delete()
    assert numbers(follow(client, second, "prev")) == list(range(54, 29, -1))


def test_page_whose_tickets_are_gone_is_the_first(client_of, alice):
    file_many(alice, 26)
    client = client_of(alice)
    first = client.get("/tickets/")
    Ticket.objects.newest_change_first().last().delete()
    assert numbers(follow(client, first, "next")) == numbers(first)


def test_watched_tickets_stand_between_the_own_ones(client_of, alice, bob):
    file_many(alice, 20, subject="own")
    file_many(bob, 20, subject="watched")
    for ticket in Ticket.objects.filter(requester=bob):
        Watcher.objects.create(ticket=ticket, person=alice)
    Watcher.objects.create(ticket=Ticket.objects.filter(requester=alice).first(), person=alice)
    client = client_of(alice)
    first = client.get("/tickets/")
    shown = subjects(first) + subjects(follow(client, first, "next"))
    assert len(shown) == len(set(shown)) == 40
    assert shown[:2] == ["watched 19", "own 19"]
    assert {str(tab["label"]): tab["count"] for tab in first.context["tabs"]}["New"] == "40"


def test_counting_ends_at_a_thousand(client_of, alice, monkeypatch):
    monkeypatch.setattr("helpdesk.lists.paging.MOST_COUNTED", 3)
    file_many(alice, 3)
    tabs = client_of(alice).get("/tickets/").context["tabs"]
    assert {str(tab["label"]): tab["count"] for tab in tabs}["New"] == "3"
    file_many(alice, 1)
    tabs = client_of(alice).get("/tickets/").context["tabs"]
    counts = {str(tab["label"]): tab["count"] for tab in tabs}
    assert counts["Open"] == counts["New"] == counts["All"] == "3+"


@pytest.mark.parametrize(
    ("count", "badge", "words"),
    [(0, "0", "0"), (1000, "1,000", "1,000"), (1001, "1,000+", "more than 1,000")],
)
def test_capped_count_says_that_there_are_more(count, badge, words):
    assert (short(count), in_words(count)) == (badge, words)
