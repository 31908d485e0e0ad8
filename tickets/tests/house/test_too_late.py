"""Five equal posts at once: one row, the same friendly answer to all, on both databases (THREATS 137, 138)."""

import uuid
from collections import Counter

import pytest
from allauth.account.models import EmailAddress
from django.test import Client

from accounts.links import confirmation_link
from accounts.models import User
from accounts.roles import sync
from accounts.tests.cast import PASSWORD, make_person
from tickets.models import (
    Attachment,
    BlockedSender,
    Category,
    Draft,
    MailPreferences,
    MutedTicket,
    SavedView,
    Status,
    Ticket,
    TicketLink,
    Visit,
    Watcher,
)
from tickets.tests.factories import category, held_mail, make_ticket, upload
from tickets.tests.house.test_races import at_once, client_with_session
from tickets.tests.views.test_ticket_new import form

pytestmark = pytest.mark.django_db(transaction=True)
COUNT = 5


def posts(person, url: str, data, count: int = COUNT) -> list:
    """The answers to the same form, sent by one person from many windows; `data` may be a function of which."""
    cookies = client_with_session(person).cookies if person else None

    def send(number):
        browser = Client()
        if cookies:
            browser.cookies = cookies
        return browser.post(url, data(number) if callable(data) else data)

    return at_once(count, send)


def statuses(answers) -> list[int]:
    return sorted(answer.status_code for answer in answers)


@pytest.mark.parametrize("has_provider", [False, True])
def test_five_sign_ups_are_one_account_and_look_alike(roles, settings, has_provider):
    """THREATS 60: nobody learns who was first."""
    settings.HAS_MAIL_PROVIDER = has_provider
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory" if has_provider else "none"
    data = {"full_name": "Nora New", "email": "nora@example.com", "password1": PASSWORD}
    answers = posts(None, "/accounts/signup/", data)
    assert statuses(answers) == [302] * COUNT
    assert len({answer.url for answer in answers}) == 1
    assert User.objects.filter(email="nora@example.com").count() == 1
    assert EmailAddress.objects.filter(email="nora@example.com").count() == 1


def test_address_that_five_windows_change_to_is_kept_once(alice, settings):
    settings.HAS_MAIL_PROVIDER = True
    client = client_with_session(alice)
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})

    def change(number):
        browser = Client()
        browser.cookies = client.cookies
        return browser.post("/accounts/email/", {"email": "new@example.com", "action_add": ""})

    assert set(statuses(at_once(COUNT, change))) <= {200, 302}
    assert EmailAddress.objects.filter(user=alice, email="new@example.com").count() == 1


def test_address_is_confirmed_once_by_five_clicks(alice):
    EmailAddress.objects.create(user=alice, email="new@example.com")
    path = confirmation_link(alice, "new@example.com").removeprefix("http://localhost:8000")
    answers = posts(None, path, {})
    assert set(statuses(answers)) <= {200, 302, 404}
    alice.refresh_from_db()
    assert alice.email == "new@example.com"
    assert EmailAddress.objects.get(user=alice).verified


def test_of_five_people_one_confirms_an_address(roles):
    people = [make_person(f"Person{number} X") for number in range(COUNT)]
    paths = []
    for person in people:
        EmailAddress.objects.create(user=person, email="shared@example.com")
        link = confirmation_link(person, "shared@example.com")
        paths.append(link.removeprefix("http://localhost:8000"))
    answers = at_once(COUNT, lambda number: Client().post(paths[number]))
    assert max(statuses(answers)) < 500
    assert User.objects.filter(email="shared@example.com").count() == 1
    assert EmailAddress.objects.filter(email="shared@example.com", verified=True).count() == 1
    assert User.objects.filter(email="").count() == 0


ADMIN_FORMS = {
    "category": (
        "/admin/tickets/category/add/",
        {"name": "Phones", "position": "1", "is_active": "on"},
        lambda: Category.objects.filter(name="Phones"),
        "already exists",
    ),
    "category for mail": (
        "/admin/tickets/category/add/",
        lambda number: {"name": f"Phones {number}", "position": "1", "is_for_mail": "on"},
        lambda: Category.objects.filter(is_for_mail=True),
        "Another category is already for email.",
    ),
    "status": (
        "/admin/tickets/status/add/",
        {"name": "Parked", "phase": "waiting", "colour": "grey", "position": "1"},
        lambda: Status.objects.filter(name="Parked"),
        "already exists",
    ),
    "person": (
        "/admin/accounts/user/add/",
        {"full_name": "Nora New", "email": "nora@example.com", "role": "requester", "is_active": "on"},
        lambda: User.objects.filter(email="nora@example.com"),
        "Someone with this email address already exists.",
    ),
    "blocked sender": (
        "/admin/tickets/blockedsender/add/",
        lambda number: {"address": "Spam@other.example" if number % 2 else "spam@other.example"},
        lambda: BlockedSender.objects.filter(address="spam@other.example"),
        "already exists",
    ),
}


@pytest.mark.parametrize("name", ADMIN_FORMS)
def test_of_five_equal_rows_in_the_admin_one_is_saved_and_the_others_keep_what_was_typed(root, name):
    url, data, rows, words = ADMIN_FORMS[name]
    answers = posts(root, url, data)
    assert statuses(answers) == [200] * (COUNT - 1) + [302]
    assert rows().count() == 1
    for answer in answers:
        if answer.status_code == 200:
            page = answer.content.decode()
            assert words in page
            typed = answer.context["adminform"].form
            assert typed.is_bound
            assert typed.errors


def test_of_five_people_one_gets_an_address_in_the_admin(roles, root):
    people = [make_person(f"Person{number} X") for number in range(COUNT)]
    cookies = client_with_session(root).cookies

    def save(number):
        browser = Client()
        browser.cookies = cookies
        data = {"full_name": "X", "email": "one@example.com", "role": "requester", "is_active": "on"}
        return browser.post(f"/admin/accounts/user/{people[number].pk}/change/", data)

    assert statuses(at_once(COUNT, save)) == [200] * (COUNT - 1) + [302]
    assert User.objects.filter(email="one@example.com").count() == 1
    assert EmailAddress.objects.filter(email="one@example.com").count() == 1


def test_phase_has_one_default_when_five_become_it(root):
    made = [Status.objects.create(name=f"Parked {number}", phase="waiting") for number in range(COUNT)]
    answers = posts(
        root,
        "/admin/tickets/status/",
        lambda number: {"action": "make_default", "_selected_action": [made[number].pk]},
    )
    assert statuses(answers) == [302] * COUNT
    assert Status.objects.filter(phase="waiting", is_default=True).count() == 1


def test_view_is_saved_once_by_five_clicks(sam):
    data = {"name": "Urgent", "query": "priority=urgent", "is_shared": "on"}
    answers = posts(sam, "/admin/tickets/ticket/save-view/", data)
    assert {answer.url for answer in answers} == {"/admin/tickets/ticket/?priority=urgent"}
    assert SavedView.objects.count() == 1


def test_of_five_views_of_one_name_one_is_saved_and_nothing_is_replaced(ann):
    answers = posts(
        ann,
        "/admin/tickets/ticket/save-view/",
        lambda number: {"name": "Mine", "query": f"q=word{number}"},
    )
    assert statuses(answers) == [200] * (COUNT - 1) + [302]
    assert SavedView.objects.count() == 1
    for answer in answers:
        if answer.status_code == 200:
            assert "A view with this name already exists." in answer.content.decode()


def test_watcher_is_added_once_by_five_clicks(alice, bob):
    ticket = make_ticket(alice)
    answers = posts(alice, f"/tickets/{ticket.pk}/watchers/", {"email": bob.email})
    assert {answer.url for answer in answers} == {f"/tickets/{ticket.pk}/"}
    assert Watcher.objects.count() == 1


def test_somebody_new_gets_one_account_from_five_tickets_at_once(ann):
    data = {
        "requester_email": "nora@example.com",
        "requester_name": "Nora New",
        "subject": "Printer",
        "description": "Jam",
        "category": category().pk,
        "priority": "normal",
        "status": Status.objects.default_for("new").pk,
    }
    answers = posts(ann, "/admin/tickets/ticket/add/", data)
    assert statuses(answers) == [302] * COUNT
    person = User.objects.get(email="nora@example.com")
    assert EmailAddress.objects.filter(user=person).count() == 1
    assert Ticket.objects.filter(requester=person).count() == COUNT


def test_mail_of_a_stranger_becomes_one_ticket_by_five_clicks(ann, settings):
    settings.INBOUND_DOMAIN = "in.example.com"
    email = held_mail()
    data = {"act": "ticket", "invites": "vera@vendor.example"}
    answers = posts(ann, f"/admin/tickets/inboundemail/{email.pk}/decide/", data)
    assert statuses(answers) == [302] * COUNT
    assert Ticket.objects.count() == User.objects.filter(email="vera@vendor.example").count() == 1


def test_draft_is_kept_once_by_five_windows(alice):
    ticket = make_ticket(alice)
    data = {"kind": "reply", "key": str(uuid.uuid4()), "body": "Hello"}
    assert statuses(posts(alice, f"/tickets/{ticket.pk}/draft/", data)) == [204] * COUNT
    assert Draft.objects.get().body == "Hello"


def test_drafts_that_come_and_go_at_once_break_nothing(alice):
    ticket, key = make_ticket(alice), uuid.uuid4()
    answers = posts(
        alice,
        f"/tickets/{ticket.pk}/draft/",
        lambda number: {"kind": "reply", "key": str(key), "body": "Hello" if number % 2 else ""},
        count=12,
    )
    assert statuses(answers) == [204] * 12
    assert Draft.objects.count() <= 1


def test_page_is_seen_once_by_five_windows(alice, ann):
    ticket = make_ticket(alice)
    assert statuses(posts(ann, f"/admin/tickets/ticket/{ticket.pk}/seen/", {"after": "1"})) == [200] * COUNT
    assert Visit.objects.count() == 1


def test_ticket_is_muted_once_by_five_clicks(alice):
    ticket = make_ticket(alice)
    assert statuses(posts(alice, f"/tickets/{ticket.pk}/mail/", {})) == [302] * COUNT
    assert MutedTicket.objects.count() == 1


def test_wishes_are_one_row_after_five_saves(alice):
    wishes = dict.fromkeys(MailPreferences.KINDS, "now") | {"digest_at": "08:00"}
    assert statuses(posts(alice, "/accounts/profile/mail/", wishes)) == [302] * COUNT
    assert MailPreferences.objects.count() == 1


@pytest.mark.parametrize("kind", ["relates", "blocks"])
def test_tickets_are_linked_once_by_five_clicks_from_both_sides(alice, ann, kind):
    pair = [make_ticket(alice), make_ticket(alice)]
    cookies = client_with_session(ann).cookies

    def link(number):
        browser = Client()
        browser.cookies = cookies
        here, there = pair if number % 2 else reversed(pair)
        data = {"kind": kind if number % 2 or kind == "relates" else "blocked", "number": there.pk}
        return browser.post(f"/admin/tickets/ticket/{here.pk}/links/", data)

    answers = at_once(COUNT, link)
    assert statuses(answers) == [200] * (COUNT - 1) + [302]
    assert TicketLink.objects.count() == 1
    for answer in answers:
        if answer.status_code == 200:
            assert "already linked this way" in answer.content.decode()


def test_roles_are_written_by_five_commands_at_once(db):
    assert len(at_once(COUNT, lambda number: sync())) == COUNT
    assert sync() == 0


def sent(alice, count: int) -> None:
    ticket = make_ticket(alice)
    for start in range(0, count, 5):
        files = [upload(f"{number}.png") for number in range(start, min(start + 5, count))]
        Attachment.attach(files, ticket=ticket, uploader=alice)


@pytest.mark.parametrize("way", ["ticket", "reply"])
def test_no_more_files_than_a_day_allows_by_eight_uploads_at_once(alice, way):
    """THREATS 138."""
    ticket = make_ticket(alice)
    sent(alice, 45)
    url = "/tickets/new/" if way == "ticket" else f"/tickets/{ticket.pk}/reply/"

    def data(number):
        files = [upload(f"{number}-{file}.png") for file in range(5)]
        if way == "ticket":
            return form(subject=f"Number {number}", attachments=files)
        return {"body": f"Number {number}", "key": str(uuid.uuid4()), "attachments": files}

    answers = posts(alice, url, data, count=8)
    assert Counter(statuses(answers)) == {302: 1, 429: 7}
    assert Attachment.objects.count() == 50
    for answer in answers:
        if answer.status_code == 429:
            page = answer.content.decode()
            assert "more files than you can send in one day" in page
            assert "Number" in page
            assert int(answer["Retry-After"]) > 0
