"""The admin's lists past what is counted: on from a place, in the order of the list (helpdesk.lists.changelists)."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User

pytestmark = pytest.mark.django_db
PEOPLE = "/admin/accounts/user/"


@pytest.fixture
def few(monkeypatch):
    """Lists count up to 100."""
    monkeypatch.setattr("helpdesk.lists.paging.MOST_COUNTED", 100)


@pytest.fixture
def crowd(ann):
    people = [User(email=f"p{n}@example.com", full_name=f"Person {n:03}", password="!") for n in range(230)]
    User.objects.bulk_create(people)


def names(response) -> list[str]:
    assert response.status_code == 200
    found = [person.full_name for person in response.context["cl"].result_list]
    return [name for name in found if name.startswith("Person")]


def link(response, words: str) -> str | None:
    found = re.search(rf'href="([^"]*)"[^>]*>{words}</a>', response.content.decode())
    return found and found[1].replace("&amp;", "&")


def test_pages_go_on_past_what_is_counted(client_of, ann, few, crowd):
    client, shown, response = client_of(ann), [], None
    response = client.get(PEOPLE)
    assert "more than 100 people" in response.content.decode()
    assert link(response, "More people") is None
    while True:
        shown += names(response)
        number = response.context["cl"].page_num
        on = link(response, number + 1) or link(response, "More people")
        if on is None:
            break
        response = client.get(PEOPLE + on)
    assert shown == [f"Person {n:03}" for n in range(230)]
    assert "from here" in response.content.decode()
    assert link(response, "Back to start") == "?"


@pytest.mark.parametrize("order", ["1", "-1", "2", "-2", "1.-2", "-2.1"])
def test_every_order_goes_on(client_of, ann, few, crowd, order):
    client = client_of(ann)
    last = client.get(f"{PEOPLE}?o={order}&p=2")
    further = client.get(PEOPLE + link(last, "More people"))
    seen = {*names(client.get(f"{PEOPLE}?o={order}")), *names(last)}
    assert len(names(further)) == 50
    assert seen.isdisjoint(names(further))


def test_links_of_headers_have_names(client_of, ann):
    page = client_of(ann).get(f"{PEOPLE}?sort=email").content.decode()
    assert 'href="?sort=-email"' in page  # the other way round
    assert page.count('aria-sort="ascending"') == 1
    assert "?o=" not in page


@pytest.mark.parametrize("order", ["3", "5", "0", "x", "-", "1.x", "99"])
def test_order_that_is_not_offered_is_passed_over(client_of, ann, crowd, order):
    assert names(client_of(ann).get(f"{PEOPLE}?o={order}"))[0] == "Person 000"


@pytest.mark.parametrize(
    "query",
    [
        "after=x",
        "after=x&after=y",
        "after=%00&after=1",
        "after=a&after=" + "9" * 30,
        "after=1&after=1&after=1",
    ],
)
def test_place_that_is_none_is_the_start(client_of, ann, crowd, query):
    assert names(client_of(ann).get(f"{PEOPLE}?{query}"))[0] == "Person 000"


def test_other_filters_begin_at_the_start_and_other_pages_do_not(client_of, ann, few, crowd):
    response = client_of(ann).get(f"{PEOPLE}?after=Person+005&after=1")
    content = response.content.decode()
    assert names(response)[0] == "Person 005"
    assert "?active=1" in content
    assert "after=" not in "".join(re.findall(r'href="([^"]*(?:active|o)=[^"]*)"', content))
    assert "after=Person+005" in link(response, "2")


def test_nothing_is_counted_to_the_end(client_of, ann, few, crowd):
    with CaptureQueriesContext(connection) as queries:
        client_of(ann).get(PEOPLE)
    counts = [query["sql"] for query in queries if "COUNT(" in query["sql"].upper()]
    assert counts
    assert all("LIMIT 101" in sql for sql in counts)
