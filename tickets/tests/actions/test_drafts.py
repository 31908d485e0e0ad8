"""What is typed is kept on the server, each form under its own key; never sent by itself."""

import re
import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.actor import acting_as
from tickets.actions import conversation, drafts, merging
from tickets.models import Comment, Draft, Notification, Ticket
from tickets.models.draft import Save
from tickets.tests.factories import category, make_ticket, status

pytestmark = pytest.mark.django_db
NEW = "/tickets/new/"


@pytest.fixture
def ticket(alice, bob, ann):
    ticket = make_ticket(alice, assignee=ann)
    conversation.watch(ticket, bob)
    return ticket


def keep(client, ticket, body: str = "Half a sentence", *, kind: str = "reply", **data) -> int:
    return client.post(f"/tickets/{ticket.pk}/draft/", {"kind": kind, "body": body, **data}).status_code


def page(client, ticket) -> str:
    return client.get(ticket.get_absolute_url()).content.decode()


def test_draft_stands_in_the_form_until_it_is_sent(client_of, alice, ticket):
    client = client_of(alice)
    assert keep(client, ticket) == 204
    assert keep(client, ticket, "Half a sentence, and more") == 204
    assert Draft.objects.get().body == "Half a sentence, and more"
    assert "Half a sentence, and more</textarea>" in page(client, ticket)
    assert not Comment.objects.exists()
    client.post(f"/tickets/{ticket.pk}/reply/", {"body": "Half a sentence, and more, sent"})
    assert not Draft.objects.exists()


def test_reply_and_note_are_two_drafts_and_the_note_opens(client_of, ann, ticket):
    client = client_of(ann)
    keep(client, ticket, "To Alice")
    assert '<details class="say panel" data-kind="note" id="note">' in page(client, ticket)
    keep(client, ticket, "To colleagues", kind="note")
    content = page(client, ticket)
    assert "To Alice</textarea>" in content
    assert "To colleagues</textarea>" in content
    assert '<details class="say panel" data-kind="note" id="note" open>' in content
    client.post(f"/tickets/{ticket.pk}/note/", {"body": "To colleagues"})
    assert Draft.objects.get().body == "To Alice"


def test_nobody_else_sees_it(client_of, alice, bob, ann, sam, ticket):
    keep(client_of(alice), ticket)
    for other in (bob, ann, sam):
        assert "Half a sentence" not in page(client_of(other), ticket)
    assert "Half a sentence" not in page(client_of(alice), make_ticket(alice))


def test_nothing_typed_leaves_nothing(client_of, alice, ticket):
    client = client_of(alice)
    keep(client, ticket)
    assert keep(client, ticket, " \n ") == 204
    assert not Draft.objects.exists()


@pytest.mark.parametrize("body", ["x" * 20_001, "nul\0nul"])
def test_what_could_not_be_sent_is_not_kept(client_of, alice, ticket, unchanged, body):
    client = client_of(alice)
    with unchanged():
        assert keep(client, ticket, body) == 400


def test_longest_text_is_kept_with_its_line_breaks(client_of, alice, ticket):
    assert keep(client_of(alice), ticket, "x\r\n" * 10_000) == 204
    assert Draft.objects.get().body == "x\n" * 10_000


@pytest.mark.parametrize("kind", ["", "x", "\0", "note"])
def test_kind_that_is_not_the_readers_is_not_there(client_of, alice, ticket, unchanged, kind):
    client = client_of(alice)
    with unchanged():
        assert keep(client, ticket, kind=kind) == 404


def test_no_kind_at_all_is_not_there(client_of, alice, ticket):
    assert client_of(alice).post(f"/tickets/{ticket.pk}/draft/").status_code == 404


def test_draft_that_arrives_after_the_reply_is_dropped(client_of, alice, ticket):
    client, key = client_of(alice), str(uuid.uuid4())
    client.post(f"/tickets/{ticket.pk}/reply/", {"body": "Half a sentence", "key": key})
    assert keep(client, ticket, key=key) == 204
    assert not Draft.objects.exists()


@pytest.mark.parametrize("key", ["", "x", "9" * 50, "\0"])
def test_odd_key_does_no_harm(client_of, alice, ticket, key):
    assert keep(client_of(alice), ticket, key=key) == 204


def test_draft_tells_nobody_and_changes_no_ticket(client_of, alice, ticket):
    keep(client_of(alice), ticket)
    before = ticket.updated_at
    ticket.refresh_from_db()
    assert ticket.updated_at == before
    assert not Notification.objects.filter(kind="replied").exists()


# One draft for each form
def key() -> str:
    return str(uuid.uuid4())


def hidden(content: str, name: str) -> list[str]:
    return re.findall(rf'name="{name}"[^>]*value="([^"]*)"', content)


def bodies() -> set[str]:
    return set(Draft.objects.values_list("body", flat=True))


def keep_new(client, body: str = "No sound", **data) -> int:
    data = {"kind": "ticket", "body": body, "key": key(), **data}
    return client.post("/tickets/drafts/", data).status_code


def test_two_tabs_on_one_ticket_keep_two_drafts_and_sending_one_leaves_the_other(client_of, alice, ticket):
    client, first, second = client_of(alice), key(), key()
    keep(client, ticket, "From the first", key=first)
    keep(client, ticket, "From the second", key=second)
    keep(client, ticket, "From the first tab", key=first)
    assert bodies() == {"From the first tab", "From the second"}
    content = page(client, ticket)
    assert "From the first tab</textarea>" in content
    assert "From the second" in content
    assert f"?draft={second}" in content
    client.post(f"/tickets/{ticket.pk}/reply/", {"body": "Sent", "key": first, "restored": ""})
    assert bodies() == {"From the second"}


def test_other_draft_is_opened_where_it_is_asked_for(client_of, alice, ticket):
    client, first = client_of(alice), key()
    keep(client, ticket, "From the first", key=first)
    keep(client, ticket, "From the second", key=key())
    content = client.get(f"{ticket.get_absolute_url()}?draft={first}").content.decode()
    assert "From the first</textarea>" in content


def test_page_that_shows_a_draft_says_so_and_goes_on_with_it(client_of, alice, ticket):
    client = client_of(alice)
    keep(client, ticket, "Half a sentence", key=key())
    content = page(client, ticket)
    assert "Restored your draft from" in content
    (mark,), (new_key,) = hidden(content, "restored"), hidden(content, "key")
    keep(client, ticket, "Half a sentence and more", key=new_key, restored=mark)
    assert bodies() == {"Half a sentence and more"}
    client.post(f"/tickets/{ticket.pk}/reply/", {"body": "All", "key": new_key, "restored": mark})
    assert not Draft.objects.exists()


def test_restored_draft_is_gone_once_it_is_sent_without_scripts(client_of, alice, ticket):
    client = client_of(alice)
    keep(client, ticket, "Half a sentence", key=key())
    (mark,) = hidden(page(client, ticket), "restored")
    client.post(f"/tickets/{ticket.pk}/reply/", {"body": "Whole", "key": key(), "restored": mark})
    assert not Draft.objects.exists()


def test_second_tab_that_goes_on_with_a_draft_does_not_write_over_the_first(client_of, alice, ticket):
    client, first = client_of(alice), key()
    keep(client, ticket, "Half a sentence", key=first)
    (mark,) = hidden(page(client, ticket), "restored")
    keep(client, ticket, "Half a sentence of the first tab", key=first)
    keep(client, ticket, "Half a sentence of the second tab", key=key(), restored=mark)
    assert bodies() == {"Half a sentence of the first tab", "Half a sentence of the second tab"}


def test_other_words_in_place_of_a_restored_draft_leave_it(client_of, alice, ticket):
    client = client_of(alice)
    keep(client, ticket, "A long story about the printer", key=key())
    (mark,) = hidden(page(client, ticket), "restored")
    keep(client, ticket, "Thanks", key=key(), restored=mark)
    assert bodies() == {"A long story about the printer", "Thanks"}


@pytest.mark.parametrize("mark", ["x", ":", "0:1", f"{uuid.uuid4()}:", f"{uuid.uuid4()}:{'9' * 99}", "\0"])
def test_odd_mark_does_no_harm(client_of, alice, ticket, mark):
    assert keep(client_of(alice), ticket, key=key(), restored=mark) == 204
    assert Draft.objects.count() == 1


def test_mark_of_somebody_else_reaches_nothing(client_of, alice, bob, ticket):
    keep(client_of(alice), ticket, "Of Alice", key=key())
    mark = str(Draft.objects.get().mark)
    keep(client_of(bob), ticket, "Of Alice too", key=key(), restored=mark)
    client_of(bob).post("/tickets/drafts/discard/", {"discard": mark})
    assert bodies() == {"Of Alice", "Of Alice too"}


def test_discarded_draft_is_gone_and_the_page_comes_back(client_of, alice, ticket):
    client, new = client_of(alice), key()
    keep(client, ticket, "Half a sentence", key=key())
    (mark,) = hidden(page(client, ticket), "restored")
    keep(client, ticket, "Something else", key=new, restored=mark)
    back = f"http://testserver{ticket.get_absolute_url()}"
    response = client.post(
        "/tickets/drafts/discard/",
        {"discard": mark, "key": new, "body": "Something else"},
        HTTP_REFERER=back,
    )
    assert response.url == back
    assert not Draft.objects.exists()
    elsewhere = client.post(
        "/tickets/drafts/discard/", {"discard": mark}, HTTP_REFERER="https://evil.example/"
    )
    assert elsewhere.url == "/"


def test_text_typed_on_after_the_form_was_sent_is_kept(client_of, alice, ticket):
    client, sent = client_of(alice), key()
    client.post(f"/tickets/{ticket.pk}/reply/", {"body": "Hello", "key": sent})
    keep(client, ticket, "Hello", key=sent)
    assert not Draft.objects.exists()
    keep(client, ticket, "Hello, and one more thing", key=sent, resumed="yes")
    assert bodies() == {"Hello, and one more thing"}


def test_status_chosen_under_a_reply_comes_back_with_it(client_of, ann, ticket):
    client, active = client_of(ann), status("active")
    keep(
        client,
        ticket,
        "On it",
        key=key(),
        **{"field-status": active.pk, "field-claims": "", "field-files": "2"},
    )
    content = page(client, ticket)
    assert f'<option value="{active.pk}" selected>' in content
    assert "Your files were not saved. Choose them again." in content


# New tickets
def test_new_ticket_is_kept_with_all_its_fields_until_it_is_filed(client_of, alice):
    client, other = client_of(alice), category("Website Support")
    fields = {"field-subject": "Speakers", "field-category": other.pk, "field-priority": "high"}
    assert keep_new(client, "They are silent", **fields) == 204
    form = client.get(NEW).context["form"]
    shown = {name: str(form[name].value()) for name in ("subject", "description", "category", "priority")}
    assert shown == {
        "subject": "Speakers", "description": "They are silent", "category": str(other.pk), "priority": "high",
    }  # fmt: skip
    data = shown | {"submission_key": key(), "restored": form["restored"].value()}
    client.post(NEW, data)
    assert Ticket.objects.get().subject == "Speakers"
    assert not Draft.objects.exists()
    assert client.get(NEW).context["form"]["subject"].value() is None


def test_two_new_tickets_are_two_drafts_and_filing_one_leaves_the_other(client_of, alice):
    client, first = client_of(alice), key()
    keep_new(client, "No sound", key=first)
    keep_new(client, "No picture")
    fields = {"subject": "Sound", "category": category().pk, "priority": "normal", "restored": ""}
    client.post(NEW, {**fields, "description": "No sound at all", "submission_key": first})
    assert bodies() == {"No picture"}
    keep_new(client, "No sound", key=first)  # arrives late
    assert bodies() == {"No picture"}


def test_category_alone_is_nothing_typed(client_of, alice):
    assert keep_new(client_of(alice), "", **{"field-category": category().pk}) == 204
    assert not Draft.objects.exists()


@pytest.mark.parametrize("fields", [{"field-subject": "x" * 30_000}, {"field-subject": "nul\0nul"}])
def test_fields_that_no_form_takes_are_not_kept(client_of, alice, fields):
    assert keep_new(client_of(alice), **fields) == 400
    assert not Draft.objects.exists()


@pytest.mark.parametrize(("kind", "answer"), [("on_behalf", 404), ("reply", 404), ("", 404), ("ticket", 204)])
def test_kinds_that_a_requester_keeps_without_a_ticket(client_of, alice, kind, answer):
    assert keep_new(client_of(alice), kind=kind) == answer


def test_draft_that_offers_what_is_gone_breaks_nothing(client_of, alice):
    client = client_of(alice)
    keep_new(client, **{"field-category": "999999", "field-priority": "at once"})
    assert client.get(NEW).status_code == 200


# Tickets that are deleted or merged, people who lose rights
def test_text_on_a_deleted_ticket_is_offered_for_a_new_one(client_of, alice, ann, sam, ticket):
    keep(client_of(alice), ticket, "It still smokes", key=key())
    keep(client_of(ann), ticket, "Too expensive", key=key(), kind="note")
    client_of(alice).post(f"/tickets/{ticket.pk}/delete/")
    client = client_of(alice)
    content = client.get(NEW).content.decode()
    assert "It still smokes" in content
    assert "Too expensive" not in content
    assert client.get(NEW).context["form"]["description"].value() is None
    (asked,) = re.findall(r"\?draft=([\w-]+)", content)
    shown = client.get(f"{NEW}?draft={asked}")
    assert shown.context["form"]["description"].value() == "It still smokes"
    assert "Its ticket was deleted." in shown.content.decode()
    assert "Too expensive" in client_of(ann).get(NEW).content.decode()


def test_two_drafts_become_one_by_a_merge_and_an_open_tab_writes_over_neither(client_of, alice, ann, ticket):
    target, client, open_tab = make_ticket(alice), client_of(alice), key()
    keep(client, ticket, "On the first", key=key())
    keep(client, target, "On the second", key=open_tab)
    with acting_as(ann):
        merging.merge(ticket, target)
    assert bodies() == {"On the first\n\nOn the second"}
    assert "On the first\n\nOn the second</textarea>" in page(client, target)
    keep(client, target, "On the second, more", key=open_tab)
    assert bodies() == {"On the first\n\nOn the second", "On the second, more"}


def test_two_texts_too_long_for_one_stay_two(client_of, alice, ann, ticket):
    target, client = make_ticket(alice), client_of(alice)
    keep(client, ticket, "x" * 15_000, key=key())
    keep(client, target, "y" * 15_000, key=key())
    with acting_as(ann):
        merging.merge(ticket, target)
    assert {len(draft.body) for draft in Draft.objects.filter(ticket=target)} == {15_000}
    assert Draft.objects.filter(ticket=target).count() == 2


def test_who_may_not_see_the_ticket_any_more_sees_no_draft(client_of, bob, ticket):
    client = client_of(bob)
    keep(client, ticket, "Mine has it too", key=key())
    conversation.unwatch(ticket, bob)
    assert client.get(ticket.get_absolute_url()).status_code == 404
    assert "Mine has it too" not in client.get(NEW).content.decode()
    assert keep(client, ticket, "More", key=key()) == 404


# One page saves several times, and its requests overtake each other
def test_older_save_of_a_page_that_arrives_last_changes_nothing(client_of, alice, ticket):
    client, form = client_of(alice), key()
    keep(client, ticket, "Whole sentence", key=form, save="1764.5:2")
    assert keep(client, ticket, "Whole", key=form, save="1764.5:1") == 204
    assert bodies() == {"Whole sentence"}
    keep(client, ticket, "Whole sentence.", key=form, save="1764.5:3")
    assert bodies() == {"Whole sentence."}


def test_older_save_of_a_page_that_goes_on_with_a_draft_makes_no_second_one(client_of, alice, ticket):
    client, form = client_of(alice), key()
    keep(client, ticket, "Half a sentence", key=key())
    mark = str(Draft.objects.get().mark)
    keep(client, ticket, "Half a sentence, and more", key=form, restored=mark, save="1764.5:2")
    keep(client, ticket, "Half a sentence, and", key=form, restored=mark, save="1764.5:1")
    assert bodies() == {"Half a sentence, and more"}


def test_next_page_with_the_same_form_counts_from_the_start(client_of, alice, ticket):
    """A form that was refused comes back under its key."""
    client, form = client_of(alice), key()
    keep(client, ticket, "Half a sentence", key=form, save="1764.5:7")
    keep(client, ticket, "Half a sentence, and more", key=form, save="1799.5:1")
    assert bodies() == {"Half a sentence, and more"}


@pytest.mark.parametrize(
    "save", ["", "x", ":", ":1", "1764.5:", "1764.5:x", f"1:{'9' * 99}", f"{'x' * 41}:1", "\0:1"]
)
def test_odd_save_does_no_harm(client_of, alice, ticket, save):
    client, form = client_of(alice), key()
    keep(client, ticket, "Half a sentence", key=form, save="1764.5:2")
    assert keep(client, ticket, "Half a sentence, and more", key=form, save=save) == 204
    assert bodies() == {"Half a sentence, and more"}


# Limits
def test_only_the_newest_of_many_drafts_stay(client_of, alice, bob, ticket):
    keep(client_of(bob), ticket, "Of Bob", key=key())
    for number in range(Draft.MOST + 3):
        Draft.objects.keep(
            person=alice, ticket=ticket, kind="reply", body=f"Number {number}", key=uuid.uuid4()
        )
    own = Draft.objects.filter(person=alice)
    assert own.count() == Draft.MOST
    assert not own.filter(body__in=("Number 0", "Number 1", "Number 2")).exists()
    assert "Of Bob" in bodies()


def test_emptied_draft_stays_long_enough_to_stop_an_older_save(alice, ticket):
    form, page = {"person": alice, "ticket": ticket, "kind": "reply", "key": uuid.uuid4()}, "p" * 8
    Draft.objects.keep(**form, body="Old words", save=Save(page, 1))
    Draft.objects.update(updated_at=timezone.now() - timedelta(days=2))
    Draft.objects.keep(**form, body="", save=Save(page, 3))
    drafts.forget_old()
    Draft.objects.keep(**form, body="Old words, late", save=Save(page, 2))
    assert not Draft.objects.newest_first().exists()


def test_old_drafts_are_deleted(alice, ticket):
    for days in (89, 91):
        Draft.objects.keep(person=alice, ticket=ticket, kind="reply", body=f"{days}", key=uuid.uuid4())
        Draft.objects.filter(body=f"{days}").update(updated_at=timezone.now() - timedelta(days=days))
    drafts.forget_old()
    assert bodies() == {"89"}
