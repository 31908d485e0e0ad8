"""A person's page: their tickets, their devices, and internal notes that the person never sees."""

from datetime import timedelta
from html import unescape

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import StaffNote, User
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
NOTES, DEVICES = "Prefers calls before nine.", "ThinkPad T14, tag 4711"


def url(person) -> str:
    return f"/admin/accounts/user/{person.pk}/change/"


def text(response) -> str:
    return unescape(response.content.decode())


def form(person, **changes) -> dict:
    names = ("full_name", "email", "phone", "department", "location", "devices", "time_zone")
    values = {name: getattr(person, name) for name in names}
    return {**values, "role": person.role, "is_active": "on", **changes}


@pytest.fixture
def note(alice, sam):
    return StaffNote.objects.create(person=alice, text=NOTES, changed_by=sam)


# Tickets
def test_the_newest_ten_tickets_and_a_link_to_all(client_of, alice, bob, ann):
    moment = timezone.now() - timedelta(days=1)
    for number in range(11):
        with time_machine.travel(moment + timedelta(minutes=number), tick=False):
            make_ticket(alice, subject=f"Problem {number}.")
    make_ticket(bob, subject="Of somebody else")
    client = client_of(ann)
    page = text(client.get(url(alice)))
    assert "Problem 10." in page
    assert "Problem 1." in page
    assert "Problem 0." not in page
    assert "Of somebody else" not in page
    address = f"/admin/tickets/ticket/?requester={alice.pk}&phase=all"
    assert f'href="{address}"' in page
    assert client.get(address).context["cl"].result_count == 11


def test_person_without_tickets(client_of, charlie, ann):
    assert "No tickets so far." in text(client_of(ann).get(url(charlie)))


def test_queries_do_not_grow_with_tickets(client_of, alice, ann):
    client = client_of(ann)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(url(alice))
        return len(queries)

    make_ticket(alice)
    few = count()
    for _number in range(9):
        make_ticket(alice)
    assert count() == few


# Devices
def test_devices_stand_beside_the_persons_tickets(client_of, alice, ann, sam):
    client_of(sam).post(url(alice), form(alice, devices=f"{DEVICES}\r\nPhone 12  "))
    assert User.objects.get(pk=alice.pk).devices == f"{DEVICES}\nPhone 12"
    page = text(client_of(ann).get(f"/admin/tickets/ticket/{make_ticket(alice).pk}/change/"))
    assert f"{DEVICES}\nPhone 12" in page


def test_agents_read_devices_and_notes_and_change_neither(client_of, alice, ann, note):
    User.objects.filter(pk=alice.pk).update(devices=DEVICES)
    client = client_of(ann)
    page = text(client.get(url(alice)))
    assert NOTES in page
    assert "by Sam Lindqvist." in page
    assert DEVICES in page
    assert 'name="notes"' not in page
    assert client.post(url(alice), form(alice, notes="Mine", devices="Mine")).status_code == 403
    assert StaffNote.objects.get().text == NOTES


# Internal notes
def test_supervisor_changes_notes_and_the_page_says_who(client_of, alice, sam, root, note):
    client = client_of(root)
    assert client.post(url(alice), form(alice, notes="On leave until May.\r\n")).status_code == 302
    stored = StaffNote.objects.get()
    assert (stored.text, stored.changed_by) == ("On leave until May.", root)
    assert stored.changed_at > note.changed_at
    page = text(client_of(sam).get(url(alice)))
    assert "On leave until May.</textarea>" in page
    assert "by Root Admin." in page


def test_saving_other_fields_leaves_the_notes_as_they_are(client_of, alice, root, sam, note):
    client_of(root).post(url(alice), form(alice, notes=NOTES, phone="555 0100"))
    stored = StaffNote.objects.get()
    assert (stored.changed_by, stored.changed_at) == (sam, note.changed_at)
    assert User.objects.get(pk=alice.pk).phone == "555 0100"


def test_without_notes_nothing_is_stored(client_of, alice, sam):
    client_of(sam).post(url(alice), form(alice, notes=" \r\n "))
    assert not StaffNote.objects.exists()


def test_removed_notes_say_who_removed_them(client_of, alice, root, note):
    client_of(root).post(url(alice), form(alice, notes=""))
    assert (StaffNote.objects.get().text, StaffNote.objects.get().changed_by) == ("", root)


@pytest.mark.parametrize(
    ("typed", "words"),
    [("a\0b", "Null characters are not allowed."), ("x" * 5001, "at most 5000 characters")],
)
def test_notes_are_checked_like_all_text(client_of, alice, sam, typed, words):
    assert words in text(client_of(sam).post(url(alice), form(alice, notes=typed)))
    assert not StaffNote.objects.exists()


def test_notes_are_escaped(client_of, alice, ann, note):
    StaffNote.objects.update(text="<script>alert(1)</script>")
    assert b"<script>alert" not in client_of(ann).get(url(alice)).content


def test_person_finds_no_notes_about_themselves(client_of, alice, note):
    make_ticket(alice)
    client = client_of(alice)
    for address in ("/", "/profile/", "/tickets/", "/tickets/1/"):
        assert NOTES not in text(client.get(address, follow=True))


@pytest.mark.parametrize("who", ["ann", "sam", "root"])
def test_staff_find_no_notes_about_themselves(client_of, ann, sam, root, who):
    person = {"ann": ann, "sam": sam, "root": root}[who]
    StaffNote.objects.create(person=person, text=NOTES, changed_by=root)
    client = client_of(person)
    page = text(client.get(url(person)))
    assert NOTES not in page
    assert "nternal notes" not in page
    client.post(url(person), form(person, notes="I am the best."))
    assert StaffNote.objects.get().text == NOTES


def test_history_in_the_admin_does_not_mention_notes(client_of, ann, root):
    client_of(root).post(url(ann), form(ann, notes=NOTES, phone="555 0100"))
    page = text(client_of(ann).get(f"/admin/accounts/user/{ann.pk}/history/"))
    assert "Changed Phone." in page
    assert "otes" not in page


def test_notes_go_with_the_person(client_of, charlie, root, note):
    StaffNote.objects.create(person=charlie, text=NOTES, changed_by=root)
    client_of(root).post(f"/admin/accounts/user/{charlie.pk}/delete/", {"post": "yes"})
    assert StaffNote.objects.get() == note


def test_new_person_can_have_notes(client_of, roles, sam):
    data = {"full_name": "Nia Park", "email": "nia@example.com", "role": "requester", "is_active": "on"}
    response = client_of(sam).post("/admin/accounts/user/add/", {**data, "notes": NOTES, "devices": DEVICES})
    assert response.status_code == 302, text(response)
    person = User.objects.get(email="nia@example.com")
    assert (person.devices, person.staff_note.text) == (DEVICES, NOTES)
