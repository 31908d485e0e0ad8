"""Text of one line holds nothing that hides or turns around what stands beside it, however it came (THREATS 13)."""

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.admin.widgets import AdminTextInputWidget
from django.db import connection, models
from django.forms import CharField, TextInput

from accounts.fields import OneLineField, OneLineFormField
from accounts.invitations import invite
from accounts.models import User
from accounts.validators import HIDDEN, without_hidden
from tickets.actions import splitting
from tickets.history.verification import problems
from tickets.mail.receiving import handler
from tickets.models import (
    ActivityLog,
    Attachment,
    Category,
    Comment,
    InboundEmail,
    Macro,
    SavedReply,
    SavedView,
    Status,
    Ticket,
)
from tickets.tests.factories import category, make_ticket, upload
from tickets.tests.rules.test_as_typed import our_forms

pytestmark = pytest.mark.django_db
TURNING = [chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))]
UNSEEN = [*TURNING, "\u00ad", "\u200b", "\u2060", "\ufeff", "\u180e", "\u206a"]
TYPED, MEANT = "\u202e שלום\u2066 a\u200bb\u202c ‏مرحبا‏ 👩‍💻\u00ad", "שלום ab ‏مرحبا‏ 👩‍💻"
# Codes of ours, addresses, what is copied from such a field; what came in by mail is cleaned when it is read.
NO_TEXTS = {
    "accounts.User.password", "accounts.User.email", "accounts.User.time_zone", "tickets.SavedView.query",
    "tickets.Attachment.key", "tickets.Attachment.content_type", "tickets.Attachment.sha256",
    "tickets.DailyFigures.basis", "tickets.DiscardedFile.path", "tickets.JobRun.name",
    "tickets.RaisedAlarm.name", "tickets.SubjectWord.word",
    "tickets.ActivityLog.actor_name", "tickets.ActivityLog.source", "tickets.Ticket.assigned_because",
    "tickets.Notification.kind", "tickets.Notification.reason", "tickets.Notification.message_id",
    "tickets.Notification.provider_id", "tickets.Notification.address", "tickets.BlockedSender.address",
    "tickets.SuppressedAddress.address", "tickets.Draft.place", "tickets.Draft.page",
    "tickets.Mailbox.address", "tickets.Arrival.place", "tickets.MailboxState.stuck_place",
    "tickets.KnownDomain.domain",
}  # fmt: skip

LINES = {TextInput, AdminTextInputWidget}
NO_LINES = {"domain", "q", "number", "into", "time_zone", "username", "email", "login"}


@pytest.mark.parametrize("sign", UNSEEN)
def test_what_nobody_sees_is_removed(alice, sign):
    ticket = make_ticket(alice, subject=f"a{sign}b")
    assert (ticket.subject, Ticket.objects.get().subject) == ("ab", "ab")


@pytest.mark.parametrize("text", ["می‌خواهم", "क्‍ष", "👩‍💻", "\u200fשלום\u200e!", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "é a b"])
def test_joiners_marks_and_tags_stay(alice, text):
    assert make_ticket(alice, subject=text).subject == text


def test_every_text_of_one_line_is_such_a_field():
    for model in (
        *apps.get_app_config("accounts").get_models(),
        *apps.get_app_config("tickets").get_models(),
    ):
        for field in model._meta.local_concrete_fields:
            is_line = isinstance(field, models.CharField) and not field.choices
            if is_line and not isinstance(field, OneLineField) and model is not InboundEmail:
                assert f"{model._meta.label}.{field.name}" in NO_TEXTS


def test_every_line_that_is_typed_is_such_a_field(rf, root):
    """Passwords stay as they are; addresses, searches, numbers and zones of time are no texts."""
    request = rf.get("/")
    request.resolver_match, request.user = None, root
    lines = {
        f"{name}: {label}": field
        for name, form in our_forms(request)
        for label, field in form.base_fields.items()
        if type(field.widget) in LINES and isinstance(field, CharField) and label not in NO_LINES
    }
    assert len(lines) > 8
    assert [name for name, field in lines.items() if not isinstance(field, OneLineFormField)] == []


@pytest.mark.parametrize(
    ("model", "name"),
    [(Category, "name"), (Category, "description"), (Status, "name"), (SavedReply, "title"), (SavedView, "name"),
     (Macro, "title"), (User, "full_name"), (User, "department"), (User, "location"), (User, "phone"),
     (Attachment, "name")],
)  # fmt: skip
def test_saved_from_a_shell(model, name):
    field = model._meta.get_field(name)
    row = model(**{name: TYPED})
    assert field.get_prep_value(TYPED) == without_hidden(TYPED)
    assert field.pre_save(row, True) == getattr(row, name) == without_hidden(TYPED)
    assert field.formfield().clean(TYPED) == MEANT
    assert not HIDDEN.search(getattr(row, name))


def test_updated_without_save(alice):
    User.objects.filter(pk=alice.pk).update(full_name=f"A{TURNING[4]}lice")
    alice.refresh_from_db()
    assert alice.full_name == "Alice"


def test_log_and_ticket_say_the_same(alice):
    ticket = make_ticket(alice, subject=TYPED)
    assert ActivityLog.objects.get().changes["subject"] == [None, ticket.subject]
    version = ticket.version
    ticket.subject += "\u202e"
    ticket.save()
    assert ticket.version == version
    assert ActivityLog.objects.count() == 1
    assert not list(problems())


def test_ticket_by_form_and_what_becomes_of_it(client_of, alice, ann):
    data = {"subject": TYPED, "description": TYPED, "category": category().pk, "priority": "normal"}
    assert client_of(alice).post("/tickets/new/", data).status_code == 302
    ticket = Ticket.objects.get()
    assert ticket.subject == MEANT
    assert set(TURNING) & set(ticket.description) == set(TURNING) & set(TYPED)  # a body keeps them
    comment = Comment.objects.create(ticket=ticket, author=alice, body="And this", is_public=True)
    assert splitting.split(comment, subject=f"\u202e{MEANT}", by=ann).subject == MEANT


@pytest.mark.parametrize("sign", UNSEEN)
def test_nothing_else_is_an_empty_field(client_of, alice, sign):
    data = {"subject": f" {sign} ", "description": "x", "category": category().pk, "priority": "normal"}
    response = client_of(alice).post("/tickets/new/", data)
    assert response.context["form"].errors["subject"] == ["Enter a subject."]
    assert not Ticket.objects.exists()


def test_profile_sign_up_and_invitation(client, client_of, alice):
    profile = dict.fromkeys(("full_name", "phone", "department", "location"), "\u2067x\u2069") | {
        "time_zone": ""
    }
    assert client_of(alice).post("/accounts/profile/", profile).status_code == 302
    alice.refresh_from_db()
    assert {alice.full_name, alice.phone, alice.department, alice.location} == {"x"}
    client.post("/accounts/signup/", {
        "full_name": TYPED, "email": "nora@example.com", "password1": "a brand new passphrase 7",
    })  # fmt: skip
    assert User.objects.get(email="nora@example.com").full_name == MEANT
    assert invite("new@example.com", full_name="N\u202eew").full_name == "New"


@pytest.mark.parametrize("name", [TYPED, "\u200b\u2060"])
def test_mail_of_somebody_new(settings, name):
    settings.INBOUND_DOMAIN, settings.INBOUND_FROM_STRANGERS = "in.example.com", True
    mail = handler.parsing.parse(
        f"From: {name} <nora@example.com>\nSubject: {TYPED}\nMessage-ID: <1@x.y>\n\nHelp".encode()
    )
    assert handler.name_of_sender(mail) == (without_hidden(mail.sender_name).strip() or "nora")
    assert not HIDDEN.search(handler.name_of_sender(mail))
    assert not set(TURNING) & set(mail.subject)


def test_macro_and_category_by_the_admin(client_of, root):
    client_of(root).post("/admin/tickets/category/add/", {"name": TYPED, "description": TYPED, "position": 1})
    made = Category.objects.get(name=MEANT)
    assert made.description == MEANT


def test_file_from_a_shell(alice):
    ticket = make_ticket(alice)
    file = Attachment.from_upload(upload(), ticket=ticket, uploader=alice)
    file.name = "a\u202egpj.exe"
    file.save()
    assert Attachment.objects.get().name == "agpj.exe"
    assert not list(problems())


def test_rows_of_before_are_cleaned():
    """The migrations write what the fields would not let through any more."""

    def put(model, name, text, **fields):
        row = model.objects.create(**{name: "x"}, **fields)
        table, column = model._meta.db_table, model._meta.get_field(name).column
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [text, row.pk])  # noqa: S608
        return row

    person = put(User, "full_name", "A\u202elice", email="a@example.com")
    plain = Category.objects.create(name="Phones")
    taken = put(Category, "name", "Pho\u200bnes")
    free = put(Category, "name", "Desks\u202e")
    for module in (
        "accounts.migrations.0010_lines_hide_nothing",
        "tickets.migrations.0095_lines_hide_nothing",
    ):
        import_module(module).clean(apps, None)
    for row in (person, plain, taken, free):
        row.refresh_from_db()
    assert (person.full_name, plain.name, taken.name, free.name) == (
        "Alice",
        "Phones",
        "Pho\u200bnes",
        "Desks",
    )
