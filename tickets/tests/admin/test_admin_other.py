"""Statuses, categories, people and the outbox in the admin (THREATS 2.1, 73, 120)."""

import pytest
from allauth.account.models import EmailAddress

from accounts.actor import acting_as
from accounts.models import User
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.actions import conversation, merging, undoing
from tickets.actions.conversation import Message
from tickets.models import ActivityLog, Category, Notification, Status, Ticket, TicketLink
from tickets.rules.events import Verb
from tickets.tests.factories import make_ticket, status, upload

pytestmark = pytest.mark.django_db
PEOPLE = "/admin/accounts/user/"
LOG = "/admin/tickets/activitylog/"


def body(response) -> str:
    return response.content.decode()


def person_data(person: User, **fields) -> dict:
    data = {
        "full_name": person.full_name,
        "email": person.email,
        "phone": "",
        "department": "",
        "location": "",
        "time_zone": "",
        "is_active": "on",
        "role": person.role.value,
    }
    return {**data, **fields}


# The activity log
def test_log_shows_every_kind_of_act(client_of, alice, bob, ann):
    ticket, other = make_ticket(alice), make_ticket(bob)
    with acting_as(ann):
        conversation.watch(ticket, bob)
        TicketLink.objects.create(ticket=ticket, target=other)
        conversation.note(ticket, Message(author=ann, body="Ask the supplier.", files=[upload()]))
        said = conversation.reply(
            ticket, Message(author=ann, body="Soon.", files=[upload()]), status=status("waiting")
        )
        conversation.take_back(said, author=ann)
        Ticket.objects.get(pk=ticket.pk).remind()
        merging.merge(other, ticket)
        merging.undo(other)
        conversation.unwatch(ticket, bob)
        other.refresh_from_db()
        other.delete()
    with acting_as(ann), undoing.undoable(ticket, person=ann):
        ticket.set_priority("high")
    undoing.undo(undoing.read(ticket.undo, person=ann)[0], ticket, person=ann)
    assert set(ActivityLog.objects.values_list("verb", flat=True)) >= set(Verb) - {
        Verb.ASSIGNED,
        Verb.EDITED,
        Verb.CONFIRMED,
        Verb.NOT_FIXED,
        Verb.FEEDBACK,
    }
    client = client_of(ann)
    assert client.get(LOG).status_code == 200
    for row in ActivityLog.objects.all():
        assert client.get(f"{LOG}{row.pk}/change/").status_code == 200


# Statuses and categories
def test_default_of_a_phase_moves_to_another_status(client_of, sam):
    blocked = Status.objects.create(name="Waiting for parts", phase="waiting", position=9)
    data = {"action": "make_default", "_selected_action": [blocked.pk]}
    response = client_of(sam).post("/admin/tickets/status/", data, follow=True)
    assert "Waiting for parts is now the default of the phase waiting." in body(response)
    assert status("waiting") == blocked
    assert Status.objects.filter(phase="waiting", is_default=True).count() == 1


def test_phase_never_loses_its_default(client_of, sam):
    default = status("waiting")
    data = {"name": "On Hold", "phase": "active", "colour": "amber", "position": 3}
    response = client_of(sam).post(f"/admin/tickets/status/{default.pk}/change/", data)
    assert "Make another status the default first." in body(response)
    assert (
        client_of(sam).post(f"/admin/tickets/status/{default.pk}/delete/", {"post": "yes"}).status_code == 403
    )


def test_renamed_status_is_shown_everywhere(client_of, sam, alice):
    ticket, default = make_ticket(alice), status("new")
    data = {"name": "Just in", "phase": "new", "colour": "red", "position": 1}
    client_of(sam).post(f"/admin/tickets/status/{default.pk}/change/", data)
    assert "Just in" in body(client_of(alice).get(ticket.get_absolute_url()))


def test_category_offers_staff_only_and_keeps_its_tickets(client_of, sam, ann, alice):
    ticket = make_ticket(alice)
    url = f"/admin/tickets/category/{ticket.category_id}/change/"
    content = body(client_of(sam).get(url))
    assert "Ann Weber" in content
    assert "Alice Moreau" not in content
    data = {"name": "Other", "position": 6, "default_assignee": ann.pk, "people": [ann.pk], "is_active": "on"}
    assert client_of(sam).post(url, data).status_code == 302
    assert list(Category.objects.get(pk=ticket.category_id).people.all()) == [ann]
    client_of(sam).post(f"/admin/tickets/category/{ticket.category_id}/delete/", {"post": "yes"})
    assert Category.objects.filter(pk=ticket.category_id).exists()


# The outbox
def test_failed_mail_is_sent_again_by_supervisors_only(client_of, alice, ann, sam):
    make_ticket(alice)
    Notification.objects.update(state="failed", attempts=9, last_error="refused")
    row = Notification.objects.get()
    data = {"action": "send_again", "_selected_action": [row.pk]}
    client_of(ann).post("/admin/tickets/notification/", data)
    row.refresh_from_db()
    assert row.state == "failed"
    assert "Send again" not in body(client_of(ann).get(f"/admin/tickets/notification/{row.pk}/change/"))
    assert "Send again" in body(client_of(sam).get(f"/admin/tickets/notification/{row.pk}/change/"))
    response = client_of(sam).post("/admin/tickets/notification/", data, follow=True)
    assert "1 email will be sent again." in body(response)
    row.refresh_from_db()
    assert (row.state, row.attempts, row.last_error) == ("waiting", 0, "")


def test_outbox_and_log_are_read_only(client_of, root, alice):
    make_ticket(alice)
    row = Notification.objects.get()
    for path in (f"notification/{row.pk}", f"activitylog/{row.activity_id}"):
        assert client_of(root).post(f"/admin/tickets/{path}/change/", {"state": "sent"}).status_code == 403


# People
def test_supervisor_gives_the_roles_below(client_of, sam, alice):
    url = f"{PEOPLE}{alice.pk}/change/"
    content = body(client_of(sam).get(url))
    assert 'value="agent"' in content
    assert 'value="supervisor"' not in content
    assert "is_superuser" not in content
    assert "user_permissions" not in content
    client_of(sam).post(url, person_data(alice, role="agent"))
    assert User.objects.get(pk=alice.pk).role == Role.AGENT
    assert client_of(alice).get("/admin/").status_code == 200


@pytest.mark.parametrize("extra", [{"role": "supervisor"}, {"role": "root"}])
def test_supervisor_gives_no_role_above(client_of, sam, alice, extra):
    response = client_of(sam).post(f"{PEOPLE}{alice.pk}/change/", person_data(alice, **extra))
    assert "Select a valid choice" in body(response)
    assert User.objects.get(pk=alice.pk).role == Role.REQUESTER


def test_extra_fields_give_no_rights(client_of, sam, alice):
    """THREATS 73."""
    extra = {
        "is_superuser": "on",
        "groups": [1, 2, 3],
        "user_permissions": [1],
        "is_staff": "on",
        "password": "x",
    }
    client_of(sam).post(f"{PEOPLE}{alice.pk}/change/", person_data(alice, **extra))
    alice = User.objects.get(pk=alice.pk)
    assert (alice.is_superuser, alice.role, alice.user_permissions.count()) == (False, Role.REQUESTER, 0)


@pytest.mark.parametrize("who", ["himself", "a peer", "root"])
def test_supervisor_changes_nobody_at_or_above_the_own_level(client_of, sam, root, who):
    peer = make_person("Pat Peer", role=Role.SUPERVISOR)
    target = {"himself": sam, "a peer": peer, "root": root}[who]
    url = f"{PEOPLE}{target.pk}/change/"
    assert client_of(sam).get(url).status_code == 200
    assert client_of(sam).post(url, person_data(target, email="taken@example.com")).status_code == 403
    assert not User.objects.filter(email="taken@example.com").exists()


def test_superuser_gives_every_role_but_not_to_himself(client_of, root, alice):
    client_of(root).post(f"{PEOPLE}{alice.pk}/change/", person_data(alice, role="supervisor"))
    assert User.objects.get(pk=alice.pk).role == Role.SUPERVISOR
    content = body(client_of(root).get(f"{PEOPLE}{root.pk}/change/"))
    assert 'name="role"' not in content
    assert 'name="is_superuser"' not in content


def test_new_person_is_invited_to_choose_a_password(client_of, sam):
    data = {
        "full_name": "Nora Diaz",
        "email": "Nora@Example.com",
        "role": "requester",
        "is_active": "on",
        "time_zone": "",
    }
    assert client_of(sam).post(f"{PEOPLE}add/", data).status_code == 302
    nora = User.objects.get(email="nora@example.com")
    assert not nora.has_usable_password()
    assert Notification.objects.get(person=nora).kind == "account_created"
    assert EmailAddress.objects.get(user=nora).verified


def test_changed_address_is_the_only_one_that_logs_in(client_of, sam, alice):
    client_of(sam).post(f"{PEOPLE}{alice.pk}/change/", person_data(alice, email="moreau@example.com"))
    assert list(EmailAddress.objects.filter(user=alice).values_list("email", "verified", "primary")) == [
        ("moreau@example.com", True, True)
    ]


def test_person_with_tickets_is_not_deleted(client_of, root, alice):
    """THREATS 120."""
    make_ticket(alice)
    response = client_of(root).post(f"{PEOPLE}{alice.pk}/delete/", {"post": "yes"})
    assert User.objects.filter(pk=alice.pk).exists()
    assert response.status_code in (200, 403)


def test_people_are_found_and_filtered(client_of, ann, alice, bob, sam):
    client = client_of(ann)

    def shown(query: str) -> set[str]:
        return {person.full_name for person in client.get(PEOPLE + query).context["cl"].result_list}

    assert shown("?q=alice") == {"Alice Moreau"}
    assert shown("?role=supervisor") == {"Sam Lindqvist"}
    User.objects.filter(pk=bob.pk).update(is_active=False)
    assert shown("?active=0") == {"Bob Ortiz"}


@pytest.mark.parametrize("phase", ["active", "done"])
def test_status_that_tickets_have_keeps_its_phase(client_of, sam, alice, phase):
    """What follows from it, done_at above all, is kept with each ticket."""
    blocked = Status.objects.create(name="Waiting for parts", phase="waiting", position=9)
    url = f"/admin/tickets/status/{blocked.pk}/change/"
    sent = {"name": "Blocked", "phase": phase, "colour": "grey", "position": 9}
    ticket = make_ticket(alice)
    ticket.set_status(blocked)
    response = client_of(sam).post(url, sent)
    assert response.context["adminform"].errors.keys() == {"phase"}
    ticket.close()
    assert client_of(sam).post(url, sent).status_code == 302
