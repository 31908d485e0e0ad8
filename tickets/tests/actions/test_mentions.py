"""“@name” in an internal note: who is meant, who is notified, and that requesters learn nothing."""

import pytest

from accounts.actor import acting_as
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.actions import conversation, merging
from tickets.actions.conversation import Message
from tickets.models import Mention, Notification, Ticket
from tickets.rules.mentions import mentioned
from tickets.tests.factories import make_ticket

NAMES = {1: "Ann Weber", 2: "Ann-Kathrin Moser", 3: "Ben Okafor", 4: "Ben Okafor Junior", 5: "Zoë Brontë"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@Ann Weber please look", [1]),
        ("@ann, and @BEN OKAFOR: look", [1, 3]),
        ("@Ben Okafor Junior", [4]),
        ("@ben", []),  # two people
        ("@okafor", []),
        ("@weber @weber", [1]),
        ("(@Junior)", [4]),
        ("@zoë", [5]),
        ("@Ann-Kathrin", [2]),
        ("@Annabel", []),
        ("ann@weber.example, me@ann", []),
        ("@ ann", []),
        ("@@ann", []),
        ("@", []),
        ("@nobody", []),
        ("Ann Weber", []),
    ],
)
def test_who_is_meant(text, found):
    assert mentioned(text, NAMES) == found


def test_two_people_of_one_name_are_nobody():
    assert mentioned("@Ann Weber", {1: "Ann Weber", 2: "Ann Weber"}) == []


def test_only_the_first_fifty_are_read():
    assert mentioned("@x " * 50 + "@ann", NAMES) == []


@pytest.fixture
def ticket(alice, sam):
    return make_ticket(alice, assignee=sam)


@pytest.fixture
def ben(roles):
    return make_person("Ben Okafor", role=Role.AGENT)


def note(ticket, author, body: str):
    with acting_as(author):
        return conversation.note(ticket, Message(author=author, body=body))


def reply(ticket, author, body: str = "Hello"):
    with acting_as(author):
        return conversation.reply(ticket, Message(author=author, body=body))


def notified(kind: str) -> dict:
    return {row.person: row.reason for row in Notification.objects.filter(kind=kind)}


@pytest.mark.django_db
def test_who_is_mentioned_is_notified_of_the_note_and_of_what_follows(alice, ann, ben, ticket):
    note(ticket, ann, "@ben, do you know this one?")
    assert notified("noted")[ben] == "mentioned"
    reply(ticket, alice)
    assert notified("replied")[ben] == "mentioned"


@pytest.mark.django_db
@pytest.mark.parametrize("body", ["@alice look", "@bob", "@ann", "@nobody", "ben@example.com"])
def test_requesters_oneself_and_nobody_are_not_mentioned(alice, bob, ann, ben, ticket, body):
    note(ticket, ann, body)
    assert not Mention.objects.exists()
    assert set(notified("noted")) == {ticket.assignee}


@pytest.mark.django_db
def test_at_sign_in_a_public_reply_is_text(alice, ann, ben, ticket):
    reply(ticket, ann, "@ben knows it")
    assert not Mention.objects.exists()
    assert ben not in notified("replied")


@pytest.mark.django_db
def test_who_has_muted_the_ticket_gets_nothing(ann, ben, ticket):
    conversation.mute(ticket, ben)
    note(ticket, ann, "@ben?")
    assert ben not in notified("noted")


@pytest.mark.django_db
def test_who_works_no_more_is_not_notified(alice, ann, ben, ticket):
    note(ticket, ann, "@ben?")
    ben.set_role(Role.REQUESTER)
    reply(ticket, alice)
    assert ben not in notified("replied")


@pytest.mark.django_db
def test_page_says_who_was_mentioned_and_offers_them_as_recipients(client_of, ann, ben, ticket):
    client, url = client_of(ann), f"/admin/tickets/ticket/{ticket.pk}/"
    answer = client.post(f"{url}note/", {"body": "@ben?"}, follow=True).content.decode()
    assert "Mentioned: Ben Okafor" in answer
    assert f'name="not_emailed" value="{ben.pk}"' in answer


@pytest.mark.django_db
def test_requester_reads_the_same_page_as_before(client_of, alice, ann, ben, ticket):
    client = client_of(alice)
    before = client.get(ticket.get_absolute_url()).context
    note(ticket, ann, "@ben?")
    after = client.get(ticket.get_absolute_url())
    assert "Ben" not in after.content.decode()
    for name in ("last_number", "watchers", "changed_at"):
        assert after.context[name] == before[name]


@pytest.mark.django_db
def test_mentions_go_with_a_merge_and_come_back_with_its_undo(client_of, alice, bob, ann, ben, ticket):
    target = make_ticket(bob, assignee=ann)
    note(ticket, ann, "@ben?")
    with acting_as(ann):
        merging.merge(ticket, target)
    reply(target, bob)
    assert ben in notified("replied")
    page = client_of(ann).get(f"/admin/tickets/ticket/{target.pk}/change/").content.decode()
    assert page.count(f'name="not_emailed" value="{ben.pk}"') == 1
    with acting_as(ann):
        merging.undo(Ticket.objects.get(pk=ticket.pk))
    Notification.objects.all().delete()
    reply(target, bob)
    assert ben not in notified("replied")
    reply(ticket, alice)
    assert ben in notified("replied")
