"""A reply that crosses with another one: sending asks first and shows it, and both texts are kept."""

import uuid

import pytest

from accounts.actor import acting_as
from accounts.roles import Role
from accounts.tests.cast import make_person
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.history import timeline
from tickets.models import Comment, Draft
from tickets.tests.factories import make_ticket, upload
from tickets.tests.pressing import pressed_by_two

LIST = "/admin/tickets/ticket/"
TIMES = 10


@pytest.fixture
def ticket(alice):
    return make_ticket(alice)


def say(ticket, author, body: str, *, kind=conversation.reply) -> Comment:
    with acting_as(author):
        return kind(ticket, Message(author=author, body=body))


def send(client, ticket, seen, **data):
    data = {"body": "Please restart it.", "seen_entry": seen, **data}
    return client.post(f"{LIST}{ticket.pk}/reply/", data)


def end(ticket) -> int:
    return timeline.end_of_log(ticket)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [conversation.reply, conversation.note])
def test_reply_of_somebody_else_is_shown_first_and_both_texts_are_kept(client_of, ann, sam, ticket, kind):
    client, seen = client_of(ann), end(ticket)
    say(ticket, sam, "I have ordered a new one.", kind=kind)
    response = send(client, ticket, seen)
    shown = response.content.decode()
    assert response.status_code == 409
    assert "Someone replied while you were writing" in shown
    assert shown.count("I have ordered a new one.") >= 2  # asked about, and in the conversation
    assert "Please restart it.</textarea>" in shown
    assert [said.author for said in Comment.objects.all()] == [sam]


@pytest.mark.django_db
def test_sending_again_sends_it_and_what_was_chosen(client_of, ann, sam, bob, ticket):
    with acting_as(ann):
        conversation.watch(ticket, bob)
    client, seen, key = client_of(ann), end(ticket), str(uuid.uuid4())
    say(ticket, sam, "I have ordered a new one.")
    response = send(client, ticket, seen, key=key, then="solved", not_emailed=[bob.pk])
    shown = " ".join(response.content.decode().split())
    assert '<button class="btn btn-primary" type="submit" name="then" value="solved">Send anyway' in shown
    assert f'name="key" value="{key}"' in shown
    assert f'name="not_emailed" value="{bob.pk}" checked' in shown
    assert f'name="seen_entry" value="{end(ticket)}"' in shown
    assert send(client, ticket, end(ticket), key=key, then="solved", not_emailed=[bob.pk]).status_code == 302
    ticket.refresh_from_db()
    assert ticket.is_done
    assert Comment.objects.count() == 2


@pytest.mark.django_db
def test_files_have_to_be_chosen_again(client_of, ann, sam, ticket):
    """A browser can't keep the files of a refused form, so the page says that they are gone."""
    client, seen, words = client_of(ann), end(ticket), "Your files were not saved. Choose them again."
    say(ticket, sam, "I have ordered a new one.")
    assert words in send(client, ticket, seen, attachments=[upload()]).content.decode()
    assert words not in send(client, ticket, seen).content.decode()


@pytest.mark.django_db
def test_draft_stays_until_it_is_sent(client_of, ann, sam, ticket):
    seen, key = end(ticket), uuid.uuid4()
    Draft.objects.keep(person=ann, ticket=ticket, kind="reply", body="Please restart it.", key=key)
    say(ticket, sam, "Hello")
    assert send(client_of(ann), ticket, seen, key=str(key)).status_code == 409
    assert Draft.objects.get().body == "Please restart it."


@pytest.mark.django_db
def test_own_reply_change_or_reply_taken_back_asks_nothing(client_of, ann, sam, ticket):
    seen = end(ticket)
    say(ticket, ann, "One more thing.", kind=conversation.note)
    with acting_as(sam):
        ticket.set_priority("urgent")
    taken_back = say(ticket, sam, "Oops")
    with acting_as(sam):
        conversation.take_back(taken_back, author=sam)
    assert send(client_of(ann), ticket, seen).status_code == 302


@pytest.mark.django_db
def test_what_is_sent_twice_is_answered_as_the_first_time(client_of, ann, sam, ticket):
    client, seen, key = client_of(ann), end(ticket), str(uuid.uuid4())
    assert send(client, ticket, seen, key=key).status_code == 302
    say(ticket, sam, "Good")
    assert send(client, ticket, seen, key=key).status_code == 302
    assert Comment.objects.filter(author=ann).count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("seen", ["x", "-1", "9" * 30])
def test_made_up_number_is_refused(client_of, ann, ticket, seen, unchanged):
    client = client_of(ann)
    with unchanged():
        assert send(client, ticket, seen).status_code == 200


@pytest.mark.django_db
def test_page_without_the_number_sends(client_of, ann, sam, ticket):
    say(ticket, sam, "Hello")
    assert send(client_of(ann), ticket, "").status_code == 302


@pytest.mark.django_db
def test_requester_is_never_asked_and_learns_nothing_of_a_note(client_of, alice, sam, ticket):
    seen = end(ticket)
    say(ticket, sam, "Budget is gone", kind=conversation.note)
    data = {"body": "It smokes.", "seen_entry": seen}
    assert client_of(alice).post(f"/tickets/{ticket.pk}/reply/", data).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_of_two_who_send_at_the_same_moment_one_is_asked(alice, ann):
    ben = make_person("Ben Okafor", role=Role.AGENT)
    tickets = [make_ticket(alice).pk for _number in range(TIMES)]
    read = pressed_by_two([ann, ben], "crossing reply", tickets)
    for number in tickets:
        said = Comment.objects.get(ticket=number)
        asked = ben if said.author == ann else ann
        assert "Someone replied while you were writing" in read[asked][number]
        assert "Reply sent" in read[said.author][number]
