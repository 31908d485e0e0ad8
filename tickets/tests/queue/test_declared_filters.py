"""Each filter is declared once (tickets.search.filters); every place that filters reads the declaration."""

import pytest
from django.contrib import admin

from tickets.admin.queue.changelist import MORE
from tickets.admin.queue.filters import IN_SIGHT, TICKET_FILTERS, list_filter
from tickets.forms.filters import StaffTicketFilterForm, TicketFilterForm
from tickets.forms.saved_view import normal_query, stored_query
from tickets.models import Category, SavedView, Status, Ticket
from tickets.reports.filters import ALL, FIGURES
from tickets.search.choices import Show, Sort
from tickets.search.filters import BY_NAME, FILTERS, WORDS, Filter, completions, words_for
from tickets.search.narrowing import Asking
from tickets.tests.factories import category, make_ticket

pytestmark = pytest.mark.django_db
QUEUE = "/admin/tickets/ticket/"
SITE = "/tickets/"


def test_no_name_is_declared_twice():
    assert len(ALL) == len(FILTERS) + len(FIGURES)
    assert len(WORDS) == sum(bool(declared.word) for declared in FILTERS)
    assert all(declared.narrow or declared.word for declared in ALL.values())


def test_queue_has_every_filter_that_narrows_and_no_other():
    shown = {one.parameter_name for one in TICKET_FILTERS}
    assert shown - {"sort"} == {name for name, declared in ALL.items() if declared.narrow}
    assert admin.site._registry[Ticket].list_filter == TICKET_FILTERS
    for one in TICKET_FILTERS:
        if one.parameter_name != "sort":
            assert one.declared is ALL[one.parameter_name]
            assert one.title == one.declared.label


def test_form_on_the_site_offers_what_is_declared(ann, alice):
    make_ticket(alice)
    for form, person in (
        (TicketFilterForm({}, user=alice), alice),
        (StaffTicketFilterForm({}, user=ann), ann),
    ):
        fields = [BY_NAME[name] for name in form.fields if name in BY_NAME]
        assert all(declared.may_be_used_by(person) for declared in fields)
        for declared in fields:
            offered = dict(form.fields[declared.name].choices)
            expected = dict(declared.choices(form.asking))
            assert {value for value in offered if value} == expected.keys() - {declared.default}
        behind = [field.label.lower() for field in form.more(Status.objects.all())]
        assert behind == [str(BY_NAME[name].label).lower() for name in form.hidden]


def test_requester_is_offered_nothing_that_is_for_staff(client_of, alice):
    make_ticket(alice, subject="Mine")
    page = client_of(alice).get(f"{SITE}?q=x&sort=newest").content.decode()
    for declared in FILTERS:
        if declared.is_for_staff:
            names = {declared.name, declared.box and declared.box.parameter}
            assert not any(f'name="{name}"' in page for name in names)
            assert f'value="{declared.name}:' not in page
    assert [one.name for one in words_for(alice)] == [
        "status",
        "category",
        "priority",
        "before",
        "after",
        "is",
        "has",
    ]
    # Nor does it filter where it is asked for all the same.
    shown = client_of(alice).get(f"{SITE}?who=unassigned&period=today&assignee=ann").context["rows"]
    assert [row.subject for row in shown] == ["Mine"]


def test_words_are_completed_as_they_are_declared(ann, alice):
    offered = completions(ann, ["Email", "Email Support"])
    assert offered[:4] == ["status:open", "status:closed", "status:new", "status:active"]
    assert {'category:"Email Support"', "category:Email", "assignee:me", "has:file"} <= set(offered)
    assert not [one for one in completions(alice, []) if one.startswith(("assignee", "requester"))]
    assert {one.partition(":")[0] for one in offered} == WORDS.keys()


@pytest.mark.parametrize("declared", [one for one in FILTERS if one.word], ids=lambda one: one.name)
def test_example_of_a_word_makes_sense(declared, alice, ann, client_of):
    Category.objects.update_or_create(name="Other")
    make_ticket(alice)
    page = client_of(ann).get(QUEUE, {"q": declared.word.example})
    assert not list(page.context["messages"])


@pytest.mark.parametrize("name", [*IN_SIGHT, "phase", "status"])
def test_site_and_queue_find_the_same(name, client_of, ann, sam, alice):
    """For each value: the same declaration does the same to both lists."""
    for number, phase in enumerate(["new", "active", "waiting", "done"]):
        owner = [None, ann, sam, ann][number]
        make_ticket(
            alice, subject=phase, phase=phase, assignee=owner, priority=Ticket.Priority.values[number]
        )
    client = client_of(ann)
    asking = Asking(ann, dict(Category.objects.values_list("pk", "name")), Status.objects.all())
    for value, _label in BY_NAME[name].choices(asking):
        query = f"{name}={value}" if name == "phase" else f"phase=all&{name}={value}"
        site = {row.subject for row in client.get(f"{SITE}?{query}").context["rows"]}
        queue = {ticket.subject for ticket in client.get(f"{QUEUE}?{query}").context["cl"].result_list}
        assert site == queue


def test_new_filter_needs_its_declaration_alone(rf, ann, alice):
    declared = Filter(
        "loud",
        "loudness",
        narrow=lambda tickets, value, asking: tickets.filter(subject__startswith=value),
        values=lambda asking: [("HELP", "shouting")],
    )
    request = rf.get(f"{QUEUE}?loud=HELP")
    request.user = ann
    make_ticket(alice, subject="HELP me"), make_ticket(alice, subject="A question")
    shown = list_filter(declared)(request, {"loud": ["HELP"]}, Ticket, admin.site._registry[Ticket])
    assert (shown.title, shown.lookup_choices) == ("loudness", [("HELP", "shouting")])
    assert [ticket.subject for ticket in shown.queryset(request, Ticket.objects.all())] == ["HELP me"]


def test_more_filters_of_the_queue_are_what_is_declared(client_of, ann, alice):
    make_ticket(alice)
    page = client_of(ann).get(QUEUE)
    fields = page.context["cl"].more_fields()
    assert [field.label.lower() for field in fields] == [str(BY_NAME[name].label) for name in MORE]
    assert all(f'name="with_{WORDS[name].word.name}"' in page.content.decode() for name in MORE)
    statuses = [(status.name, status.name) for status in Status.objects.all()]
    assert fields[0].choices == [("", "Any status"), *statuses]


# Saved views
def opened(client, view) -> dict:
    return next(one for one in client.get(QUEUE).context["cl"].views if one["name"] == view.name)


def remarks(page) -> list[str]:
    return [str(message) for message in page.context["messages"]]


def test_unknown_filter_is_kept_and_reported(client_of, ann, alice):
    make_ticket(alice, subject="A")
    view = SavedView.objects.create(owner=ann, name="Old", query="tag=5&who=all")
    client = client_of(ann)
    shown = opened(client, view)
    sentence = "The filter “tag” does not exist, so it is left out here."
    assert (shown["count"], shown["problems"]) == ("1", [sentence])
    page = client.get(f"{QUEUE}?{shown['query']}")
    assert remarks(page) == [sentence]
    assert [ticket.subject for ticket in page.context["cl"].result_list] == ["A"]
    assert next(one for one in page.context["cl"].views if one["is_here"])["name"] == "Old"
    assert "not complete" in page.content.decode()
    assert sentence in client.get("/admin/tickets/savedview/").content.decode()
    # Saved again, from the page that was shown without it, it is still there.
    client.post(f"{QUEUE}save-view/", {"name": "Again", "query": page.context["query_to_save"]})
    assert stored_query(SavedView.objects.get(name="Again").query) == "phase=open&who=all&tag=5"
    view.refresh_from_db()
    assert view.query == "tag=5&who=all"


def test_value_that_is_not_offered_is_reported(client_of, ann, alice):
    make_ticket(alice)
    SavedView.objects.create(owner=ann, name="Old", query="category=999&who=all")
    page = client_of(ann).get(f"{QUEUE}?category=999&who=all")
    assert remarks(page) == ["“999” is not a valid value for “category”, so it is left out here."]
    assert len(page.context["cl"].result_list) == 1


def test_filter_of_a_report_is_kept_in_a_view(client_of, ann, alice):
    """It was left out of the link, so the view showed more than what was saved."""
    status = Status.objects.get(phase="new", is_default=True)
    make_ticket(alice, subject="new"), make_ticket(alice, subject="waits", phase="waiting")
    query = f"assignee=0&phase=open&status={status.pk}&who=all"
    view = SavedView.objects.create(owner=ann, name="New ones", query=query)
    client = client_of(ann)
    assert opened(client, view)["query"] == query
    assert opened(client, view)["count"] == "1"


def test_unknown_filter_of_an_address_is_refused_as_before(client_of, ann):
    assert client_of(ann).get(f"{QUEUE}?tag=5").status_code == 400


@pytest.mark.parametrize("unknown", ["%00=1", "tag=%3Cb%3E", "q%3Dx%26unknown%3Dy", "=", "a=1&a=2"])
def test_odd_unknown_filters_do_no_harm(client_of, ann, alice, unknown):
    make_ticket(alice, subject="A")
    page = client_of(ann).get(QUEUE, {"unknown": unknown, "who": "all"})
    assert page.status_code == 200
    assert [ticket.subject for ticket in page.context["cl"].result_list] == ["A"]
    assert "<b>" not in "".join(remarks(page))


def test_export_reads_the_view_too(client_of, root, alice):
    make_ticket(alice, subject="Low", priority="low")
    make_ticket(alice, subject="High", priority="high")
    page = client_of(root).get(f"{QUEUE}export/?priority=low&unknown=tag%3D5&who=all&sort=-age")
    text = b"".join(page.streaming_content).decode()
    assert "Low" in text
    assert "High" not in text


# Orders
def test_links_of_orders_have_names(client_of, ann, alice):
    make_ticket(alice, subject="Printer")
    page = client_of(ann).get(f"{QUEUE}?who=all&q=printer&sort=best").content.decode()
    assert '<a href="?q=printer&amp;sort=age&amp;who=all">Oldest ticket first</a>' in page
    assert "&amp;o=" not in page
    assert "?o=" not in page
    page = client_of(ann).get(f"{QUEUE}?who=all&sort=age").content.decode()
    assert '<a href="?sort=-age&amp;who=all">Newest ticket first</a>' in page
    assert '<a href="?sort=age&amp;who=all" aria-current="true">Oldest ticket first</a>' in page
    assert '<a href="?who=all">Most urgent first</a>' in page


@pytest.mark.parametrize(
    ("position", "name"), [("8", "age"), ("-8", "-age"), ("8.-2", "age"), ("-8.x", "-age")]
)
def test_old_position_is_the_same_as_the_name(client_of, ann, alice, position, name):
    for subject in "abc":
        make_ticket(alice, subject=subject)
    client = client_of(ann)
    orders = [
        [ticket.subject for ticket in client.get(f"{QUEUE}?who=all&{query}").context["cl"].result_list]
        for query in (f"o={position}", f"sort={name}")
    ]
    assert orders[0] == orders[1] == sorted("abc", reverse=name.startswith("-"))


def test_position_is_understood_beside_the_passages_too(client_of, ann, alice):
    make_ticket(alice, subject="Paper jam")
    page = client_of(ann).get(f"{QUEUE}?q=paper&o=-9")
    assert str(page.context["cl"].order) == "-age"


@pytest.mark.parametrize(
    "query", ["sort=number", "sort=-snippet", "sort=nonsense", "sort=-newest", "o=2", "o=99"]
)
def test_order_that_is_not_offered_is_passed_over(client_of, ann, alice, query):
    make_ticket(alice)
    page = client_of(ann).get(f"{QUEUE}?who=all&{query}")
    assert (page.status_code, page.context["cl"].order) == (200, None)
    assert [one.startswith(f"“{query[5:]}” is not a valid value for “order”") for one in remarks(page)] == (
        [True] if query.startswith("sort") else []
    )


def test_view_is_saved_with_names(client_of, ann):
    client_of(ann).post(f"{QUEUE}save-view/", {"name": "Old ones", "query": "who=mine&o=8.-2"})
    assert SavedView.objects.get().query == "who=mine&sort=age"


def test_view_of_a_position_that_was_never_offered_is_reported(client_of, ann):
    view = SavedView.objects.create(owner=ann, name="Odd", query="o=77&who=all")
    assert opened(client_of(ann), view)["problems"] == [
        "The filter “o” does not exist, so it is left out here."
    ]


def test_equal_views_are_written_alike():
    assert (
        normal_query("who=all&o=8&p=3&after=1")
        == normal_query("sort=age&who=all")
        == "phase=open&sort=age&who=all"
    )
    assert normal_query(normal_query("tag=5&who=all")) == normal_query("who=all&tag=5")
    assert normal_query("phase=&q=%20") == f"phase={Show.OPEN}"
    assert Sort.values == ["newest", "best"]


def test_category_that_was_renamed_has_its_new_name(client_of, ann, alice):
    one = category()
    make_ticket(alice, category=one)
    Category.objects.filter(pk=one.pk).update(name="Brand new")
    page = client_of(ann).get(f"{QUEUE}?category={one.pk}").content.decode()
    assert "Brand new" in page
