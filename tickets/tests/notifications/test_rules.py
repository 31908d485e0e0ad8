"""Who gets which mail: the table of PRODUCT.md 6, row by row."""

import pytest

from accounts.actor import acting_as
from accounts.models import User
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.models import ActivityLog, Attachment, Notification
from tickets.tests.factories import category, make_ticket, status, upload

pytestmark = pytest.mark.django_db


@pytest.fixture
def kim(roles):
    """The assignee."""
    return make_person("Kim Sato", role=Role.AGENT)


@pytest.fixture
def other(sam):
    """A category whose new tickets sam is told about."""
    other = category()
    other.people.add(sam)
    return other


@pytest.fixture
def ticket(alice, kim, other):
    ticket = make_ticket(alice, assignee=kim)
    Notification.objects.all().delete()
    return ticket


def notified() -> set[tuple[str, str, str]]:
    return set(Notification.objects.values_list("person__full_name", "kind", "reason"))


def test_filing_sends_a_receipt_and_tells_assignee_and_category(alice, kim, other):
    make_ticket(alice, assignee=kim)
    assert notified() == {
        ("Alice Moreau", "created", "requester"),
        ("Kim Sato", "created", "assignee"),
        ("Sam Lindqvist", "created", "category"),
    }


ALICE, KIM = "Alice Moreau", "Kim Sato"
ACTS = {
    "status changed": (
        lambda ticket, ann: ticket.set_status(status("waiting")),
        "status_changed",
        {ALICE, KIM},
    ),
    "assigned": (lambda ticket, ann: ticket.assign(ann), "assigned", {ALICE}),
    "unassigned": (lambda ticket, ann: ticket.assign(None), "assigned", set()),
    "edited": (lambda ticket, ann: ticket.set_priority("high"), "edited", {ALICE, KIM}),
    "deleted": (lambda ticket, ann: ticket.delete(), "deleted", {ALICE, KIM}),
    "file added": (
        lambda ticket, ann: Attachment.attach([upload()], ticket=ticket, uploader=ann),
        "file_added",
        set(),
    ),
}


@pytest.mark.parametrize(("act", "kind", "people"), ACTS.values(), ids=ACTS.keys())
def test_what_staff_do_notifies_requester_and_assignee(ticket, ann, act, kind, people):
    with acting_as(ann):
        act(ticket, ann)
    assert ActivityLog.objects.filter(verb=kind).exists()
    assert {(name, verb) for name, verb, _reason in notified()} == {(name, kind) for name in people}


@pytest.mark.parametrize("act", ["status changed", "edited", "deleted"])
def test_what_the_requester_does_notifies_the_assignee_only(ticket, alice, ann, act):
    with acting_as(alice):
        ACTS[act][0](ticket, ann)
    assert {name for name, _verb, _reason in notified()} == {KIM}


def test_new_assignee_is_notified_unless_self_assigned(ticket, ann, sam):
    with acting_as(sam):
        ticket.assign(ann)
    assert ("Ann Weber", "assigned", "assignee") in notified()


def test_nobody_is_notified_twice_of_one_act(ann, sam, other):
    """Ann is requester, assignee and told about the category."""
    other.people.add(ann)
    with acting_as(sam):
        make_ticket(ann, assignee=ann)
    rows = Notification.objects.filter(person=ann)
    assert [row.reason for row in rows] == ["requester"]


@pytest.mark.parametrize("change", ["inactive", "no staff any more"])
def test_people_who_may_not_know_are_left_out(ticket, ann, kim, change):
    if change == "inactive":
        User.objects.filter(pk=kim.pk).update(is_active=False)
    else:
        kim.set_role(Role.REQUESTER)
    with acting_as(ann):
        ticket.set_priority("high")
    assert {name for name, _verb, _reason in notified()} == {ALICE}


def test_the_system_tells_everybody_concerned(ticket):
    ticket.close()
    assert {name for name, _verb, _reason in notified()} == {ALICE, KIM}
