"""A thank-you to a done ticket is filed with a mark and opens nothing; in doubt it is a real reply."""

import pytest
from django.utils import timezone

from accounts.actor import acting_as
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.models import Notification, Ticket
from tickets.rules.thanks import is_only_thanks
from tickets.tests.factories import make_ticket, upload

pytestmark = pytest.mark.django_db
REAL = [
    "Thanks!", "Thank you so much for the quick help", "thx", "Many thanks, everything works now", "Cheers 👍", "Thanks :)",
    "Hello team, thank you. Best regards", "Thank you 🙏🏽", "Thanks again", "THANKS A LOT!!!",
    "Danke!", "Vielen Dank für die schnelle Hilfe", "Danke, läuft jetzt", "Herzlichen Dank. Viele Grüße",
    "Merci beaucoup pour votre aide", "Bonjour, merci à toute l'équipe", "Merci, ça marche",
    "¡Muchas gracias por la ayuda!", "Gracias, ya funciona",
    "Grazie mille per il vostro aiuto", "Grazie, adesso funziona tutto",
    "Muito obrigada pela ajuda", "Obrigado, já funciona",
    "Bedankt voor de snelle hulp", "Dank je wel, werkt nu prima",
]  # fmt: skip
NEAR_MISSES = [
    "Help! Thanks for your quick reply",
    "Thanks. Help",
    "", "   ", "👍", "ok", "Works now",  # no thanks in it
    "Thanks, is it working now", "Thanks?", "Thanks ¿", "Danke, geht es jetzt", "Bedankt, werkt het nu",
    "Thanks, but it does not print", "Thank you, it broke again", "No thanks", "Thanks for nothing",
    "Thanks, not working", "Thanks 👎", "Thanks :(", "Thanks 😡", "Thanks, see https://example.com", "Thanks, call 4711",
    "Danke, aber es druckt nicht", "Danke, leider wieder kaputt", "Nein danke",
    "Merci mais ça ne marche pas", "Non merci", "Gracias pero no funciona", "Grazie, non funziona",
    "Obrigado, mas não funciona", "Bedankt, maar het werkt niet", "Thanks merci danke for pour",
    "thank you you you you you you you you you you you", "Thanks\nAnn, my mouse is broken",
]  # fmt: skip


@pytest.mark.parametrize("text", REAL)
def test_words_of_thanks_are_thanks(text):
    assert is_only_thanks(text)


@pytest.mark.parametrize("text", NEAR_MISSES)
def test_in_doubt_it_is_a_real_reply(text):
    assert not is_only_thanks(text)


@pytest.fixture
def done(alice, ann):
    with acting_as(ann):
        ticket = make_ticket(alice, assignee=ann)
        ticket.close()
    return ticket


def say(client, ticket, body: str, **data):
    return client.post(f"/tickets/{ticket.pk}/reply/", {"body": body, **data})


def test_thanks_reopens_nothing_and_touches_no_figure(client_of, alice, done):
    names = ("status", "updated_at", "done_at", "first_replied_at", "version")
    before = Ticket.objects.values(*names).get(pk=done.pk)
    say(client_of(alice), done, "Thank you!")
    assert Ticket.objects.values(*names).get(pk=done.pk) == before
    assert done.comments.get().is_thanks


def test_thanks_long_after_stay_on_the_ticket(client_of, alice, done):
    Ticket.objects.filter(pk=done.pk).update(done_at=timezone.now() - timezone.timedelta(days=40))
    say(client_of(alice), done, "Thank you!")
    assert Ticket.objects.get() == done
    assert done.comments.get().is_thanks


@pytest.mark.parametrize(
    "data", [{"body": "Thanks, but it is broken"}, {"body": "Thanks", "attachments": True}]
)
def test_what_is_more_than_thanks_reopens(client_of, alice, done, data):
    if "attachments" in data:
        data = {**data, "attachments": upload()}
    say(client_of(alice), done, **data)
    done.refresh_from_db()
    assert done.phase == "active"
    assert not done.comments.get().is_thanks


@pytest.mark.parametrize(
    ("words", "sentence"),
    [("Thank you!", "The ticket stays solved."), ("It broke again", "Reply sent and ticket reopened.")],
)
def test_requester_reads_whether_the_ticket_is_open_again(client_of, alice, done, words, sentence):
    client = client_of(alice)
    page = client.get(done.get_absolute_url()).content.decode()
    assert "Still not fixed? Reply to reopen it." in page
    say(client, done, words)
    assert sentence in client.get(done.get_absolute_url()).content.decode()


@pytest.mark.parametrize("phase", ["new", "active", "waiting"])
def test_thanks_to_an_open_ticket_are_a_reply(client_of, alice, phase):
    ticket = make_ticket(alice, phase=phase)
    say(client_of(alice), ticket, "Thank you!")
    assert not ticket.comments.get().is_thanks


def test_staff_thank_as_they_answer(client_of, ann, done):
    say(client_of(ann), done, "Thank you!")
    assert not done.comments.get().is_thanks


def test_staff_see_the_mark_and_reopen_with_one_click(client_of, alice, ann, done):
    say(client_of(alice), done, "Thank you!")
    client = client_of(ann)
    page = client.get(done.get_absolute_url()).content.decode()
    assert "Thank-you replies don’t reopen a ticket." in page
    assert f'action="/tickets/{done.pk}/reopen/"' in page
    client.post(f"/tickets/{done.pk}/reopen/")
    done.refresh_from_db()
    assert done.phase == "active"


def test_the_assignee_reads_the_thanks(alice, ann, done):
    with acting_as(alice):
        conversation.reply(done, Message(author=alice, body="Thank you!"))
    assert Notification.objects.filter(kind="replied", person=ann).count() == 1
