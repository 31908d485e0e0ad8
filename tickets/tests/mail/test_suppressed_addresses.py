"""Staff see whom mail does not reach, and supervisors release the address (THREATS 90)."""

import pytest

from tickets.mail.sending.delivery import deliver_due
from tickets.models import Notification, SuppressedAddress, Watcher
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
LIST = "/admin/tickets/suppressedaddress/"
State = Notification.State
WORDS = "An email to %s bounced on"


@pytest.fixture
def suppressed(alice):
    return SuppressedAddress.objects.create(address=alice.email, reason="bounced", detail="550 unknown")


def test_ticket_says_that_mail_does_not_reach_its_people(client_of, ann, alice, bob, suppressed):
    ticket = make_ticket(alice)
    SuppressedAddress.objects.create(address=bob.email, reason="complained")
    Watcher.objects.create(ticket=ticket, person=bob)
    other = make_ticket(ann)
    content = client_of(ann).get(f"/admin/tickets/ticket/{ticket.pk}/change/").content.decode()
    assert WORDS % "alice@example.com" in content
    assert "An email to bob@example.com was reported as spam on" in content
    content = client_of(ann).get(f"/admin/tickets/ticket/{other.pk}/change/").content.decode()
    assert "bounced" not in content
    assert "bounced" not in client_of(alice).get(ticket.get_absolute_url()).content.decode()


def test_person_says_it_too(client_of, ann, sam, alice, bob, suppressed):
    for viewer in (ann, sam):
        content = client_of(viewer).get(f"/admin/accounts/user/{alice.pk}/change/").content.decode()
        assert WORDS % "alice@example.com" in content
        content = client_of(viewer).get(f"/admin/accounts/user/{bob.pk}/change/").content.decode()
        assert "bounced" not in content


def act(client, action: str, suppressed: SuppressedAddress):
    return client.post(LIST, {"action": action, "_selected_action": [suppressed.pk]}, follow=True)


def test_supervisor_releases_an_address(mailgun, client_of, sam, alice, suppressed, caplog):
    make_ticket(alice)
    with caplog.at_level("INFO", logger="security"):
        response = act(client_of(sam), "release", suppressed)
    assert "1 address released. Emails are sent to it again." in response.content.decode()
    assert not SuppressedAddress.objects.exists()
    logged = [record.message for record in caplog.records if record.name == "security"]
    assert logged == [f"Person {sam.pk} released the address alice@example.com."]
    assert deliver_due() == 1


def test_what_did_not_arrive_is_sent_again_with_the_release(mailgun, client_of, sam, alice, bob, suppressed):
    make_ticket(alice)
    make_ticket(alice)
    make_ticket(bob)
    Notification.objects.filter(person=bob).update(state=State.FAILED)
    first = Notification.objects.order_by("pk").first()
    Notification.objects.filter(pk=first.pk).update(state=State.BOUNCED, address="Alice@example.com")
    assert deliver_due() == 0
    response = act(client_of(sam), "release_and_send_again", suppressed)
    assert "2 emails will be sent again." in response.content.decode()
    assert deliver_due() == 2
    assert Notification.objects.get(person=bob).state == State.FAILED


def test_agent_sees_the_list_and_releases_nothing(client_of, ann, suppressed, unchanged):
    client = client_of(ann)
    assert "alice@example.com" in client.get(LIST).content.decode()
    content = client.get(f"{LIST}{suppressed.pk}/change/").content.decode()
    assert "550 unknown" in content
    assert "Release" not in content
    with unchanged():
        for action in ("release", "release_and_send_again"):
            act(client, action, suppressed)


def test_supervisor_releases_from_the_address_own_page(client_of, sam, suppressed):
    content = client_of(sam).get(f"{LIST}{suppressed.pk}/change/").content.decode()
    assert "Release and send undelivered emails" in content
