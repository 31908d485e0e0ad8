"""The head of the queue: chips of the active filters, and the orders that can be chosen."""

import re

import pytest

from tickets.admin.queue import changelist
from tickets.models import Category
from tickets.search import sorting
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
LIST = "/admin/tickets/ticket/"


def chips(client, query: str = "") -> dict[str, str]:
    return {chip.label: chip.url for chip in client.get(LIST + query).context["cl"].chips}


def test_each_active_filter_is_a_chip_that_removes_it(client_of, ann, alice):
    make_ticket(alice, subject="A", priority="urgent")
    client = client_of(ann)
    shown = chips(client, "?who=mine&priority=urgent")
    assert shown.keys() == {"Open", "Mine", "Urgent"}
    assert chips(client, shown["Mine"]).keys() == {"Open", "Urgent"}
    assert chips(client, shown["Urgent"]).keys() == {"Open", "Mine"}
    assert chips(client, shown["Open"]).keys() == {"Mine", "Urgent"}
    page = client.get(f"{LIST}?who=mine&priority=urgent").content.decode()
    assert all(f'href="{url.replace("&", "&amp;")}"' in page for url in shown.values())


def test_removing_the_last_chip_shows_everything_and_not_the_own_view(client_of, ann, alice, sam):
    make_ticket(alice, subject="sam's", assignee=sam)
    client = client_of(ann)
    own = chips(client)
    assert own.keys() == {"Open", "Mine and unassigned"}
    left = client.get(LIST + own["Mine and unassigned"]).context["cl"]
    assert [chip.label for chip in left.chips] == ["Open"]
    assert [ticket.subject for ticket in left.result_list] == ["sam's"]
    urgent = chips(client, "?priority=urgent")
    assert chips(client, urgent["Urgent"]).keys() == {"Open"}
    assert not chips(client, left.chips[0].url)


def test_chip_of_a_person_says_what_it_is(client_of, ann, alice):
    make_ticket(alice)
    query = f"?phase=all&requester={alice.pk}&assignee={ann.pk}"
    assert chips(client_of(ann), query).keys() == {"Requester: Alice Moreau", "Assignee: Ann Weber"}


def test_requester_filters_the_queue(client_of, ann, alice, bob):
    make_ticket(alice, subject="hers"), make_ticket(bob, subject="his")
    found = client_of(ann).get(f"{LIST}?requester={alice.pk}").context["cl"].result_list
    assert [ticket.subject for ticket in found] == ["hers"]


@pytest.fixture
def many(monkeypatch):
    """Every list is a long one, with the orders of indexes only (else: test_orders_of_few)."""
    monkeypatch.setattr(changelist, "MOST", -1)
    monkeypatch.setattr(sorting, "MOST", -1)


@pytest.mark.parametrize(
    ("query", "here", "offered"),
    [
        ("", "Most urgent first", 8),
        ("?phase=done", "Latest change first", 3),
        ("?sort=-age", "Newest ticket first", 8),
        ("?sort=-status", "By status, reversed", 8),
        ("?sort=priority", "Most urgent first", 8),
        ("?phase=done&sort=status", "Latest change first", 3),
        ("?sort=nonsense", "Most urgent first", 8),
        ("?q=printer&sort=best", "Best match first", 5),
    ],
)
def test_order_is_chosen_by_name(client_of, ann, alice, query, here, offered, many):
    make_ticket(alice, subject="Printer")
    shown = client_of(ann).get(LIST + query).context["cl"]
    assert shown.order_in_words == here
    assert len(shown.orders) == offered
    for order in shown.orders:
        there = client_of(ann).get(LIST + order.url).context["cl"]
        assert there.order_in_words == order.label


def test_filters_follow_the_categories_and_the_page(client_of, ann):
    client, new = client_of(ann), Category.objects.create(name="Phones")
    assert f'href="?category={new.pk}&amp;who=ours">Phones<' in client.get(LIST).content.decode()
    assert f'href="?category={new.pk}&amp;who=all">Phones<' in client.get(f"{LIST}?who=all").content.decode()
    Category.objects.filter(pk=new.pk).update(name="Telephones")
    assert f'href="?category={new.pk}&amp;who=ours">Telephones<' in client.get(LIST).content.decode()
    new.delete()
    assert "Telephones" not in client.get(LIST).content.decode()


def headers(client, query: str) -> dict[str, str]:
    """The headers that sort, with their order; empty: the list has another one."""
    page = client.get(LIST + query).content.decode()
    found = re.findall(
        r'<th scope="col"[^>]*?(?:aria-sort="(\w+)")?>\s*<div class="text">\s*<a [^>]*>(\w+)', page
    )
    return {name: order for order, name in found}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"Priority": "ascending", "Status": ""}),
        ("?sort=-priority", {"Priority": "descending", "Status": ""}),
        ("?sort=status", {"Priority": "", "Status": "ascending"}),
        ("?sort=-age", {"Priority": "", "Status": ""}),
        ("?phase=all", {}),  # only open tickets have an index in these orders
    ],
)
def test_headers_say_the_order(client_of, ann, alice, query, expected, many):
    make_ticket(alice)
    assert headers(client_of(ann), query) == expected


def test_status_groups_and_the_most_urgent_comes_first_in_each(client_of, ann, alice):
    for phase, priority in (("waiting", "low"), ("new", "normal"), ("waiting", "urgent"), ("new", "high")):
        make_ticket(alice, phase=phase, priority=priority)
    client = client_of(ann)
    expected = [("new", "high"), ("new", "normal"), ("waiting", "urgent"), ("waiting", "low")]
    for query, order in (("status", expected), ("-status", expected[::-1])):
        found = client.get(f"{LIST}?who=all&sort={query}").context["cl"].result_list
        assert [(ticket.phase, ticket.priority) for ticket in found] == order
