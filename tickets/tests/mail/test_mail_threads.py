"""A conversation goes on by mail: from its first mail on, under another subject, and while an answer is held."""

from types import SimpleNamespace

import pytest
import time_machine
from django.urls import reverse
from django.utils import timezone

from tickets.actions import conversation, merging, silence
from tickets.actions.conversation import Message
from tickets.mail.addresses import reply_address
from tickets.mail.receiving import handler
from tickets.mail.writing import messages, threads
from tickets.models import ActivityLog, InboundEmail, Notification, Ticket, TicketLink
from tickets.models.notification import HELD
from tickets.rules.events import Verb
from tickets.rules.waiting import Wait
from tickets.tests.factories import make_ticket, status

pytestmark = pytest.mark.django_db
State, Reason = InboundEmail.State, InboundEmail.Reason
FIRST = "<first@laptop.example>"


@pytest.fixture(autouse=True)
def inbound(settings):
    settings.INBOUND_DOMAIN, settings.INBOUND_AUTHSERV_ID = "in.example.com", "mx.example.net"
    settings.SITE_URL = "https://helpdesk.example.com"


def came_in(sender, text="Hello.", *, to="support@in.example.com", proof="pass", **headers) -> InboundEmail:
    number = InboundEmail.objects.count()
    head = {"From": sender.email, "To": to, "Subject": "No print", "Message-ID": f"<{number}@x.example>"}
    head |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"Authentication-Results: mx.example.net; dmarc={proof}"] if proof else []
    lines += [f"{name}: {value}" for name, value in head.items()]
    return handler.receive("\r\n".join([*lines, "", text]).encode(), route="command")


# From the first mail on
def test_colleague_in_copy_answers_the_first_mail(alice, bob):
    ticket = came_in(alice, Cc="bob@example.com", Message_ID=FIRST).ticket
    answer = came_in(bob, "Mine too.", Subject="Re: No print", In_Reply_To=FIRST)
    assert (answer.ticket, answer.comment.author, answer.comment.is_public) == (ticket, bob, True)
    later = came_in(alice, "And mine.", References=f"{FIRST} <0@x.example> {answer.identity}")
    assert later.ticket == ticket


def test_who_may_not_see_the_ticket_or_proves_nothing_does_not_land_on_it(alice, bob, charlie):
    ticket = came_in(alice, Cc="bob@example.com", Message_ID=FIRST).ticket
    assert came_in(charlie, "What is it?", In_Reply_To=FIRST).ticket != ticket
    forged = came_in(bob, "Mine too.", In_Reply_To=FIRST, proof="")
    assert (forged.state, forged.reason) == (State.QUARANTINED, Reason.NOT_AUTHENTIC)
    assert not ticket.comments.exists()


def test_unproven_answer_of_a_colleague_waits_on_the_ticket_and_lands_there_when_staff_accept_it(
    alice, bob, ann
):
    ticket = came_in(alice, Cc="bob@example.com", Message_ID=FIRST).ticket
    held = came_in(bob, "Mine too.", In_Reply_To=FIRST, proof="")
    assert (held.state, held.ticket) == (State.QUARANTINED, ticket)
    released = handler.release(held, by=ann)
    assert (released.ticket, released.comment.author, released.comment.is_public) == (ticket, bob, True)


def test_unproven_answer_to_a_mail_that_became_a_note_is_never_public(alice, ann, sam):
    ticket = came_in(alice).ticket
    note = reply_address(ticket.pk, ann.pk, internal=True)
    came_in(ann, "Psst.", to=note, Message_ID="<n@x.example>")
    held = came_in(sam, "Yes.", In_Reply_To="<n@x.example>", proof="")
    comment = handler.release(held, by=ann).comment
    assert (comment.author, comment.is_public) == (ann, False)


def linked(ticket) -> set[int]:
    links = TicketLink.objects.of(ticket)
    return {link.target_id if link.ticket_id == ticket.pk else link.ticket_id for link in links}


def test_answer_that_comes_before_the_first_mail_is_linked_to_its_ticket(alice, bob, ann, client_of):
    early = came_in(bob, "Mine too.", Subject="Re: No print", In_Reply_To=FIRST).ticket
    assert linked(early) == set()
    late = came_in(alice, Cc="bob@example.com", Message_ID=FIRST).ticket
    assert (late != early, linked(late), linked(early)) == (True, {early.pk}, {late.pk})
    assert ActivityLog.objects.get(verb=Verb.LINKED).actor is None
    page = client_of(ann).get(reverse("admin:tickets_ticket_change", args=[early.pk])).content.decode()
    assert reverse("admin:tickets_ticket_change", args=[late.pk]) in page
    assert f"#{early.pk}" not in client_of(alice).get(late.get_absolute_url()).content.decode()


def test_answer_of_who_may_not_see_the_ticket_is_linked_to_it_for_staff(alice, charlie, client_of):
    ticket = came_in(alice, Message_ID=FIRST).ticket
    new = came_in(charlie, "What is it?", In_Reply_To=FIRST).ticket
    assert linked(new) == {ticket.pk}
    assert f"#{ticket.pk}" not in client_of(charlie).get(new.get_absolute_url()).content.decode()


def test_mails_that_have_nothing_to_do_with_each_other_are_not_linked(alice, bob):
    came_in(alice, In_Reply_To="<gone@x.example>")
    came_in(bob)
    assert not TicketLink.objects.exists()


def test_answer_to_a_mail_that_became_a_note_is_a_note(alice, ann, sam):
    ticket = came_in(alice).ticket
    note = came_in(
        ann, "Psst.", to=reply_address(ticket.pk, ann.pk, internal=True), Message_ID="<n@x.example>"
    )
    assert not note.comment.is_public
    answer = came_in(sam, "Yes.", In_Reply_To="<n@x.example>")
    assert (answer.ticket, answer.comment.is_public) == (ticket, False)


def test_our_mails_name_the_mail_of_the_requester(alice, ann):
    ticket = came_in(alice, Message_ID=FIRST).ticket
    receipt = Notification.objects.get(ticket=ticket.pk, person=alice)
    headers = threads.headers(receipt)
    assert headers["In-Reply-To"] == FIRST
    assert headers["References"].split()[2:] == [FIRST]
    Notification.objects.filter(pk=receipt.pk).update(message_id="<r@mg.example.com>", sent_at=timezone.now())
    conversation.reply(ticket, Message(author=ann, body="Is it on?"))
    headers = threads.headers(Notification.objects.filter(person=alice).latest("pk"))
    assert headers["In-Reply-To"] == "<r@mg.example.com>"
    assert headers["References"].split()[2:] == [FIRST, "<r@mg.example.com>"]


def test_ticket_of_the_web_names_no_mail(alice):
    ticket = make_ticket(alice)
    came_in(alice, to=reply_address(ticket.pk, alice.pk))
    assert threads.first_mail(ticket.pk) == ""


# Subjects
def test_long_subject_is_cut_at_a_word_and_stands_whole_in_the_description(alice):
    subject = " ".join(f"word{number}" for number in range(60))
    ticket = came_in(alice, Subject=subject).ticket
    assert len(ticket.subject) <= 150
    assert subject.startswith(ticket.subject.removesuffix("…"))
    assert subject[len(ticket.subject) - 1] == " "
    assert ticket.description == f"{subject}\n\nHello."


@pytest.mark.parametrize(
    "subject",
    ["Re: No print", "AW: Re: [#7] No print", "SV:  no  print", "No print", "", "Antw: [#7] no print"],
)
def test_reply_under_the_same_subject_does_not_repeat_it(alice, subject):
    ticket = make_ticket(alice, subject="No print")
    ticket.subject = "Paper jam"
    ticket.save(update_fields=["subject"])
    assert came_in(alice, to=reply_address(ticket.pk, alice.pk), Subject=subject).comment.body == "Hello."


def test_reply_under_another_subject_shows_it(alice):
    ticket = make_ticket(alice, subject="No print")
    answer = came_in(alice, to=reply_address(ticket.pk, alice.pk), Subject="Re: Toner, too")
    assert answer.comment.body == "Subject: Toner, too\n\nHello."


def test_follow_up_by_mail_has_the_subject_of_the_mail(alice, ann):
    ticket = make_ticket(alice, subject="No print")
    conversation.reply(ticket, Message(author=ann, body="Done."), status=status("done"))
    with time_machine.travel(timezone.now() + timezone.timedelta(days=20)):
        new = came_in(alice, to=reply_address(ticket.pk, alice.pk), Subject="Re: Toner is empty").ticket
    assert new != ticket
    assert new.subject == "Toner is empty"


def test_pasted_mail_of_somebody_else_is_part_of_the_reply(alice, ann):
    ticket = make_ticket(alice)
    pasted = "From: Vera <vera@vendor.example>\nSent: Monday\nTo: Alice\nSubject: Part\n\nIt is out of stock."
    history = f"From: {ann.full_name}\nSent: Monday\nTo: Alice\nSubject: x\n\nDid you ask?"
    conversation.reply(ticket, Message(author=ann, body="Did you ask?"))
    text = f"They say:\n\n{pasted}\n\n{history}"
    answer = came_in(alice, text, to=reply_address(ticket.pk, alice.pk), In_Reply_To="<1@mg.example.com>")
    assert answer.comment.body.endswith(f"They say:\n\n{pasted}")


# Through a group
GROUP = {"List_ID": "<it.example.com>", "List_Post": "<mailto:it@example.com>", "Precedence": "list"}


def test_mail_of_a_known_person_through_a_group_of_the_own_organisation_is_filed(alice):
    assert came_in(alice, **GROUP).ticket.requester == alice


@pytest.mark.parametrize("proof", ["", "fail"])
def test_unproven_mail_through_a_group_is_held(alice, proof):
    email = came_in(alice, proof=proof, **GROUP)
    assert (email.state, email.reason) == (State.QUARANTINED, Reason.NOT_AUTHENTIC)
    assert not Notification.objects.exists()


@pytest.mark.parametrize(
    "headers",
    [
        {"List_ID": "<news.shop.example>"},
        {"List_ID": "<it.notexample.com>"},
        {"List_ID": "<example.com.evil.example>"},
        {"List_Unsubscribe": "<mailto:u@shop.example>"},
        {**GROUP, "Auto_Submitted": "auto-replied"},
    ],
)
def test_lists_of_others_and_machines_are_ignored(alice, headers):
    assert came_in(alice, **headers).state == State.IGNORED


# While an answer is held
@pytest.fixture
def held(alice):
    ticket = make_ticket(alice)
    email = came_in(alice, to=f"support+{ticket.pk}@in.example.com")
    assert (email.state, email.ticket) == (State.QUARANTINED, ticket)
    return email


def test_staff_alone_see_on_the_ticket_that_a_reply_waits(held, alice, ann, client_of):
    words, link = (
        "A reply is waiting for review.",
        reverse("admin:tickets_inboundemail_change", args=[held.pk]),
    )
    address = reverse("admin:tickets_ticket_change", args=[held.ticket.pk])
    page = client_of(ann).get(address).content.decode()
    assert words in page
    assert link in page
    page = client_of(alice).get(held.ticket.get_absolute_url()).content.decode()
    assert words not in page
    assert link not in page
    handler.discard(held, by=ann)
    assert words not in client_of(ann).get(address).content.decode()


def test_queue_marks_the_ticket(held, ann, client_of):
    url = reverse("admin:tickets_ticket_changelist") + "?phase=open&who=everybody"
    client = client_of(ann)
    assert client.get(url, follow=True).content.decode().count("Reply in review") == 1
    handler.discard(held, by=ann)
    assert "Reply in review" not in client.get(url, follow=True).content.decode()


def test_silence_of_a_requester_whose_answer_is_held_is_none(held, ann):
    ticket = held.ticket
    category = ticket.category
    category.remind_after, category.close_after = 1, 1
    category.save()
    ticket.set_status(status("waiting"), Wait("requester"))
    with time_machine.travel(timezone.now() + timezone.timedelta(days=14)):
        assert silence.remind() == 0
        handler.discard(held, by=ann)
        assert silence.remind() == 1
    again = came_in(ticket.requester, to=f"support+{ticket.pk}@in.example.com")
    with time_machine.travel(timezone.now() + timezone.timedelta(days=40)):
        assert silence.close() == 0
        handler.discard(again, by=ann)
        assert silence.close() == 1


@pytest.mark.parametrize(
    ("sender", "signed_for", "proof", "shows"),
    [
        ("alice@example.com", None, "pass", True),
        ("alice@example.com", None, "", True),
        ("alice@example.com", None, "fail", False),
        ("alice@example.com", "alice", "fail", True),
        ("alice@private.example", "alice", "pass", True),
        ("bob@example.com", "alice", "pass", True),
        ("bob@example.com", None, "pass", False),
        ("stranger@other.example", None, "pass", False),
        ("stranger@other.example", None, "", False),
    ],
)
def test_only_what_may_be_from_somebody_of_the_ticket_is_its_answer(
    alice, bob, sender, signed_for, proof, shows
):
    ticket = make_ticket(alice)
    to = reply_address(ticket.pk, alice.pk) if signed_for else f"support+{ticket.pk}@in.example.com"
    held = came_in(SimpleNamespace(email=sender), to=to, proof=proof)
    assert (held.state, held.ticket) == (State.QUARANTINED, ticket if shows else None)
    assert Ticket.objects.without_held_mail().filter(pk=ticket.pk).exists() != shows


def test_answer_in_review_goes_along_with_a_merge(held, alice):
    target = make_ticket(alice)
    merging.merge(held.ticket, target)
    again = came_in(alice, to=f"support+{held.ticket.pk}@in.example.com")
    held.refresh_from_db()
    assert (held.ticket, again.ticket) == (target, target)
    assert not Ticket.objects.without_held_mail().filter(pk=target.pk).exists()


def test_proven_sender_is_notified_once_a_day(held, alice):
    came_in(alice, "Again.", to=f"support+{held.ticket.pk}@in.example.com")
    notice = Notification.objects.get(kind=HELD)
    assert (notice.person, notice.address) == (alice, alice.email)
    with time_machine.travel(timezone.now() + timezone.timedelta(hours=25)):
        came_in(alice, "Hello?", to=f"support+{held.ticket.pk}@in.example.com")
    assert Notification.objects.filter(kind=HELD).count() == 2


def test_mail_that_tells_of_it_says_no_secret(held):
    letter = messages.build([Notification.objects.get(kind=HELD)])
    assert letter.subject == "We received your email"
    assert "A person reviews it" in letter.body
    assert held.ticket.subject not in letter.body
    assert not letter.reply_to


@pytest.mark.parametrize("proof", ["", "fail"])
def test_who_is_not_proven_is_not_notified(alice, proof):
    ticket = make_ticket(alice)
    before = Notification.objects.count()
    came_in(alice, to=f"support+{ticket.pk}@in.example.com", proof=proof)
    assert Notification.objects.count() == before
    assert Ticket.objects.count() == 1


# What was cut
HISTORY = "On Mon, Aug 24, 2026 at 4:37 PM Helpdesk <support@in.example.com> wrote:\n> Did you ask?"
ANSWERS = {"In_Reply_To": "<1@mg.example.com>"}


def test_trimmed_text_can_be_opened_by_who_reads_the_message(alice, bob, charlie, ann, client_of):
    ticket = make_ticket(alice, subject="No print")
    conversation.watch(ticket, bob)
    secret = reply_address(ticket.pk, alice.pk)
    comment = came_in(
        alice, f"Yes.\n\n{HISTORY}\n> {secret}", to=secret, In_Reply_To="<1@mg.example.com>"
    ).comment
    assert comment.body == "Yes."
    url = reverse("tickets:trimmed", args=[ticket.pk, comment.pk])
    for person in (alice, bob, ann):
        assert url in client_of(person).get(ticket.get_absolute_url()).content.decode()
        text = client_of(person).get(url).content.decode()
        assert "Did you ask?" in text
        assert secret not in text
    assert client_of(charlie).get(url).status_code == 404
    assert (
        url in client_of(ann).get(reverse("admin:tickets_ticket_change", args=[ticket.pk])).content.decode()
    )


def test_trimmed_text_is_a_whole_page_without_scripts(alice, client_of):
    ticket = make_ticket(alice, subject="No print")
    comment = came_in(alice, f"Yes.\n\n{HISTORY}", to=reply_address(ticket.pk, alice.pk), **ANSWERS).comment
    url, client = reverse("tickets:trimmed", args=[ticket.pk, comment.pk]), client_of(alice)
    page = client.get(url)
    assert "HX-Request" in page["Vary"]
    text = page.content.decode()
    assert f'href="{ticket.get_absolute_url()}#message-{comment.pk}"' in text
    assert "</html>" in text
    part = client.get(url, headers={"HX-Request": "true"}).content.decode()
    assert "</html>" not in part
    assert "Did you ask?" in part
    assert "<blockquote" not in part  # who asked for it need not ask again


def test_trimmed_text_that_is_too_long_says_so(alice, client_of):
    ticket = make_ticket(alice, subject="No print")
    text = f"Yes.\n\n{HISTORY}\n" + "> What else is there?\n" * 2000
    comment = came_in(alice, text, to=reply_address(ticket.pk, alice.pk), **ANSWERS).comment
    assert comment.body == "Yes."
    assert len(comment.trimmed) <= 20_000
    assert comment.trimmed.endswith("(The email is longer. IT can open the original.)")


def test_nothing_of_a_mail_that_became_a_new_ticket_is_trimmed(alice, ann):
    ticket = make_ticket(alice, subject="No print")
    conversation.reply(ticket, Message(author=ann, body="Done."), status=status("done"))
    with time_machine.travel(timezone.now() + timezone.timedelta(days=20)):
        text = f"Again.\n\n{HISTORY}"
        new = came_in(alice, text, to=reply_address(ticket.pk, alice.pk), **ANSWERS).ticket
    first, *quoted = new.description.split("\n\n", 1)
    assert first == "Again."
    assert quoted == ["\n".join(f"> {line}" for line in HISTORY.split("\n"))]


def test_staff_alone_open_the_original_of_the_first_mail(alice, ann, client_of):
    filed = came_in(alice)
    came_in(alice, "And again.", to=reply_address(filed.ticket.pk, alice.pk))
    address = reverse("admin:tickets_inboundemail_change", args=[filed.pk])
    link = f'<a href="{address}">View original</a>'
    own = filed.ticket.get_absolute_url()
    assert link not in client_of(alice).get(own).content.decode()
    staff = client_of(ann)
    for page in (own, reverse("admin:tickets_ticket_change", args=[filed.ticket.pk])):
        assert staff.get(page).content.decode().count(link) == 1
    assert staff.get(address).status_code == 200


def test_original_of_a_merged_ticket_stands_below_its_text(alice, ann, client_of):
    filed, target = came_in(alice), make_ticket(alice)
    merging.merge(filed.ticket, target)
    address = reverse("admin:tickets_inboundemail_change", args=[filed.pk])
    page = client_of(ann).get(reverse("admin:tickets_ticket_change", args=[target.pk])).content.decode()
    assert page.count(f'<a href="{address}">View original</a>') == 1


def test_ticket_of_the_web_has_no_original(alice, ann, client_of):
    ticket = make_ticket(alice)
    answer = came_in(alice, to=reply_address(ticket.pk, alice.pk))
    answer.comment = None
    answer.save()
    page = client_of(ann).get(reverse("admin:tickets_ticket_change", args=[ticket.pk])).content.decode()
    assert "View original" not in page


def test_what_staff_quote_is_kept_for_staff(alice, ann, client_of):
    ticket = make_ticket(alice, subject="No print")
    text, answers = f"Yes.\n\n{HISTORY}", {"In_Reply_To": "<1@mg.example.com>"}
    public = came_in(ann, text, to=reply_address(ticket.pk, ann.pk), **answers).comment
    note = came_in(ann, text, to=reply_address(ticket.pk, ann.pk, internal=True), **answers).comment
    assert (public.trimmed, note.trimmed) == ("", HISTORY)
    url = reverse("tickets:trimmed", args=[ticket.pk, note.pk])
    assert client_of(alice).get(url).status_code == 404
    assert client_of(ann).get(url).status_code == 200
