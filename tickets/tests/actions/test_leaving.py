"""The page that ends somebody's work asks what becomes of the tickets (specs/teams-and-levels.md 1.2, T02, T04)."""

import pytest

from accounts.models import User
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.actions import conversation, handing_over
from tickets.mail.sending import delivery
from tickets.models import ActivityLog, Handover, Macro, MailPreferences, Notification, SavedReply, Ticket
from tickets.models.notification import HANDED_OVER
from tickets.tests.admin.test_admin_other import PEOPLE, body, person_data
from tickets.tests.factories import category, make_ticket

pytestmark = pytest.mark.django_db
ASKED = {"handover-asked": "1"}
OFF = {"is_active": ""}


@pytest.fixture
def kim(roles):
    return make_person("Kim Sato", role=Role.AGENT)


@pytest.fixture
def ben(roles):
    return make_person("Ben Adler", role=Role.AGENT)


@pytest.fixture
def sams(client_of, sam):
    """sams(person, **fields): sam saves the page of the person."""
    client = client_of(sam)

    def save(person, **fields):
        data = {name: value for name, value in person_data(person, **fields).items() if value != ""}
        return client.post(f"{PEOPLE}{person.pk}/change/", data, follow=True)

    return save


def notified() -> set[tuple[str, str, str]]:
    return set(Notification.objects.values_list("person__full_name", "kind", "reason"))


def test_T02_to_nobody_within_the_request(sams, alice, kim, sam):
    box = category()
    box.default_assignee = kim
    box.save()
    open_ones = [make_ticket(alice) for _number in range(6)]
    done = [make_ticket(alice, phase="done", assignee=kim) for _number in range(3)]
    page = body(sams(kim, **OFF, **ASKED, **{"handover-to": "", "handover-default_to": ""}))
    assert "6 tickets are now unassigned." in page
    assert set(Ticket.objects.filter(pk__in=[one.pk for one in open_ones]).values_list("assignee")) == {
        (None,)
    }
    assert {one.assigned_because for one in Ticket.objects.open()} == {f"left:{kim.pk}"}
    assert Ticket.objects.filter(pk__in=[one.pk for one in done], assignee=kim).count() == 3
    box.refresh_from_db()
    assert box.default_assignee is None
    handover = Handover.objects.get()
    assert (handover.asked_by, handover.tickets, handover.categories) == (sam, 6, 1)
    assert handover.done_at is not None
    assert {row.actor for row in ActivityLog.objects.filter(verb="assigned")} == {sam}


def test_T04_demoted_on_the_page_to_somebody(sams, alice, kim, ben, mailoutbox):
    tickets = [make_ticket(alice, assignee=kim, subject=f"Number {number}") for number in range(3)]
    Notification.objects.all().delete()
    sams(kim, role="requester", **ASKED, **{"handover-to": ben.pk})
    assert User.objects.get(pk=kim.pk).role == Role.REQUESTER
    assert set(Ticket.objects.values_list("assignee", flat=True)) == {ben.pk}
    assert notified() == {("Ben Adler", HANDED_OVER, "assignee")}
    delivery.deliver_due()
    (mail,) = mailoutbox
    assert all(f"#{ticket.pk} {ticket.subject}" in mail.body for ticket in tickets)


@pytest.mark.parametrize("fields", [OFF, {"role": "requester"}], ids=["switched off", "demoted"])
def test_page_asks_first_and_saves_nothing(sams, unchanged, alice, kim, ben, sam, fields):
    category().people.add(kim, ben)
    for number in range(12):
        ticket = make_ticket(alice, assignee=kim, subject=f"Number {number}.")
    conversation.watch(ticket, kim)
    SavedReply.objects.create(title="Mine", body="Hello", owner=kim)
    Macro.objects.create(title="Mine", priority="low", owner=kim)
    sams(kim)  # the session begins
    with unchanged():
        page = body(sams(kim, **fields))
    assert "12 open tickets" in page
    assert "Number 9." in page
    assert "Number 10." not in page
    assert f"phase=open&amp;assignee={kim.pk}" in page
    assert "Watches 1 ticket." in page
    assert "saved replies (1), macros (1), saved views (0)" in page
    assert "one email goes to: Ben Adler." in page
    assert f'<option value="{kim.pk}"' not in page


def test_preview_names_those_who_are_mailed_then(sams, alice, kim, sam, root):
    """Kim is the only one of the category, so others are told once Kim has left."""
    category().people.add(kim)
    make_ticket(alice, assignee=kim)
    Notification.objects.all().delete()
    page = body(sams(kim, **OFF))
    assert "If unassigned, no one will be notified." in page  # sam does it himself
    sams(kim, **OFF, **ASKED)
    assert notified() == set()


def test_choices_that_are_no_choices_are_asked_for_again(sams, alice, kim, bob):
    make_ticket(alice, assignee=kim)
    for wrong in (bob.pk, kim.pk, "x", "999999"):
        page = body(sams(kim, **OFF, **ASKED, **{"handover-to": wrong}))
        assert "Fix the errors below." in page
        assert User.objects.get(pk=kim.pk).is_active


def test_crafted_request_without_a_choice_gets_the_default(sams, alice, kim):
    ticket = make_ticket(alice, assignee=kim)
    sams(kim, **OFF, **ASKED)
    ticket.refresh_from_db()
    assert ticket.assignee is None
    assert not User.objects.get(pk=kim.pk).is_active


def test_typed_fields_survive_the_question(sams, alice, kim):
    make_ticket(alice, assignee=kim)
    page = body(sams(kim, **OFF, department="Warehouse"))
    assert '<input type="hidden" name="department" value="Warehouse">' in page
    assert 'name="is_active"' not in page


def test_nothing_is_asked_where_nothing_hangs_on_the_person(sams, kim):
    sams(kim, **OFF)
    assert not User.objects.get(pk=kim.pk).is_active
    assert Handover.objects.get().person == kim


def test_other_changes_and_requesters_are_not_asked_about(sams, alice, kim):
    make_ticket(alice, assignee=kim)
    sams(kim, department="Warehouse")
    sams(alice, **OFF)
    assert not Handover.objects.exists()
    assert not User.objects.get(pk=alice.pk).is_active


def test_new_default_and_removal_of_notices(sams, alice, kim, ben):
    box = category()
    box.default_assignee = kim
    box.save()
    box.people.add(kim)
    sams(kim, **OFF, **ASKED, **{"handover-default_to": ben.pk, "handover-ends_notices": "on"})
    box.refresh_from_db()
    assert box.default_assignee == ben
    assert not box.people.exists()


def test_deactivation_stands_where_the_handover_fails(sams, alice, kim, monkeypatch):
    make_ticket(alice, assignee=kim)

    def fail(*args, **kwargs):
        raise handing_over.DatabaseError("locked")

    monkeypatch.setattr(handing_over, "_batches", fail)
    page = body(sams(kim, **OFF, **ASKED))
    assert not User.objects.get(pk=kim.pk).is_active
    assert "The other tickets follow within minutes." in page
    monkeypatch.undo()
    handing_over.hand_over()
    assert Ticket.objects.get().assignee is None


def test_change_list_offers_no_bypass(client_of, sam, alice, kim):
    make_ticket(alice, assignee=kim)
    data = {"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", "form-0-id": kim.pk, "_save": "Save"}
    client_of(sam).post(PEOPLE, data)
    assert User.objects.get(pk=kim.pk).is_active


def test_agent_sees_no_such_page(client_of, ann, alice, kim):
    make_ticket(alice, assignee=kim)
    data = {**person_data(kim), **ASKED}
    assert client_of(ann).post(f"{PEOPLE}{kim.pk}/change/", data).status_code == 403
    assert MailPreferences.objects.count() == 0


# The categories that name the person
def test_category_marks_who_left_and_offers_only_people_who_work(client_of, sam, kim, ben, alice):
    box = category()
    box.default_assignee = kim
    box.save()
    box.people.add(kim)
    User.objects.filter(pk=kim.pk).update(is_active=False)
    gone = make_person("Uma Gone", role=Role.AGENT, is_active=False)
    client, url = client_of(sam), f"/admin/tickets/category/{box.pk}/change/"
    page = body(client.get(url))
    assert page.count("Kim Sato (deactivated)") == 2
    assert "Ben Adler" in page
    assert gone.full_name not in page
    assert body(client.get("/admin/tickets/category/")).count("Kim Sato (deactivated)") == 2
    assert "Kim Sato" not in body(client.get("/admin/tickets/category/add/"))
    data = {"name": "Other", "position": 6, "is_active": "on"}
    refused = client.post(url, {**data, "people": [gone.pk], "default_assignee": alice.pk})
    assert refused.status_code == 200
    kept = client.post(url, {**data, "people": [kim.pk, ben.pk], "default_assignee": ben.pk})
    assert kept.status_code == 302
    box.refresh_from_db()
    assert (set(box.people.all()), box.default_assignee) == ({kim, ben}, ben)


def test_category_refuses_a_default_assignee_who_left(client_of, sam, kim):
    """It stays visible, marked, until somebody else is chosen."""
    box = category()
    box.default_assignee = kim
    box.save()
    User.objects.filter(pk=kim.pk).update(is_active=False)
    data = {"name": "Other", "position": 6, "is_active": "on", "default_assignee": kim.pk}
    page = body(client_of(sam).post(f"/admin/tickets/category/{box.pk}/change/", data))
    assert "Kim Sato does not work on tickets. Choose someone else." in page
