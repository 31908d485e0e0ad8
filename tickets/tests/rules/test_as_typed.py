"""A text is shown as somebody typed it: on pages and in mails, with its indents, columns and empty lines."""

import pytest
from django.contrib import admin
from django.forms import BaseForm, Textarea

from accounts.actor import acting_as
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.forms.tickets import LinesField
from tickets.mail.writing import messages
from tickets.models import Comment, Macro, Notification, SavedReply, Ticket
from tickets.templatetags.tickets_text import mail_text
from tickets.tests.factories import category, make_ticket

pytestmark = pytest.mark.django_db
QUEUE = "/admin/tickets/ticket/"
TYPED = "    Name      Room\n    Alice     204\n\n> 5 V\n- a list\n\n\n  end"
FORM = {"subject": "Table", "priority": "normal"}


@pytest.mark.parametrize("first", ["    x", "\tx", "\r\n  \r\n    x\r\n   y  \r\n"])
def test_first_line_stays_indented(client_of, alice, ann, first):
    client = client_of(alice)
    client.post("/tickets/new/", {**FORM, "description": first, "category": category().pk})
    ticket = Ticket.objects.get()
    meant = first.replace("\r\n", "\n").lstrip("\n").removeprefix("  \n").rstrip()
    assert ticket.description == meant
    client.post(f"/tickets/{ticket.pk}/reply/", {"body": first})
    client_of(ann).post(f"{QUEUE}{ticket.pk}/note/", {"body": first})
    assert set(Comment.objects.values_list("body", "is_public")) == {(meant, True), (meant, False)}
    for model, path in ((SavedReply, "savedreply"), (Macro, "macro")):
        data = {"title": "Table", "body": first, "audience": "me"}
        client_of(ann).post(f"/admin/tickets/{path}/add/", data)
        assert model.objects.get().body == meant


def our_forms(request):
    """Every form that people type into, those of the admin too: what they are called, and the form.

    Nobody types into the forms of the commands: the rows of an import, the benchmark's plain form.
    """
    for number, form in enumerate(_below(BaseForm)):
        typed = not form.__module__.startswith("tickets.management")
        if typed and form.__module__.startswith(("accounts", "tickets")):
            yield f"{form.__module__}.{form.__qualname__} {number}", form
    for model, model_admin in admin.site._registry.items():
        if model_admin.has_change_permission(request):
            yield f"admin of {model.__name__}", model_admin.get_form(request)


def _below(form):
    for one in form.__subclasses__():
        yield one
        yield from _below(one)


def test_every_field_of_several_lines_keeps_its_first_line(rf, root):
    request = rf.get("/")
    request.resolver_match, request.user = None, root
    found = [
        (f"{name}: {label}", field)
        for name, form in our_forms(request)
        for label, field in form.base_fields.items()
        if isinstance(field.widget, Textarea)
    ]
    assert len(found) > 8
    assert [label for label, field in found if not isinstance(field, LinesField)] == []


@pytest.mark.parametrize("nothing", ["", "   ", "\t\r\n \r\n", "\u3000", "\u200b \xa0"])
def test_text_of_spaces_is_empty(client_of, alice, nothing):
    """THREATS 2."""
    response = client_of(alice).post(
        "/tickets/new/", {**FORM, "description": nothing, "category": category().pk}
    )
    assert response.status_code == 200
    assert "description" in response.context["form"].errors
    assert not Ticket.objects.exists()


def test_pages_show_what_was_typed(client_of, alice, ann):
    ticket = make_ticket(alice, description=TYPED)
    with acting_as(ann, source=Ticket.Source.ADMIN):
        conversation.reply(ticket, Message(author=ann, body=TYPED, source=Ticket.Source.ADMIN))
    for person, url in ((alice, f"/tickets/{ticket.pk}/"), (ann, f"{QUEUE}{ticket.pk}/change/")):
        page = client_of(person).get(url).content.decode()
        assert page.count("&gt; 5 V\n- a list\n\n\n  end</div>") == 2
        assert page.count('tabindex="0">    Name      Room\n    Alice     204\n</pre>') == 2
        assert "Show what is quoted" not in page


def test_what_came_by_mail_keeps_its_quotes_folded(client_of, alice):
    with acting_as(alice, source=Ticket.Source.EMAIL):
        ticket = make_ticket(alice, description="x", source=Ticket.Source.EMAIL)
        conversation.reply(ticket, Message(author=alice, body="Yes.\n> Is it?", source=Ticket.Source.EMAIL))
    with acting_as(alice, source=Ticket.Source.WEB):
        conversation.reply(ticket, Message(author=alice, body="> 5 V", source=Ticket.Source.WEB))
    page = client_of(alice).get(f"/tickets/{ticket.pk}/").content.decode()
    assert page.count("Show what is quoted") == 1
    assert '<blockquote dir="auto">Is it?</blockquote>' in page
    assert '<div dir="auto">&gt; 5 V</div>' in page


def test_mail_holds_it_as_it_was_typed(alice, ann, mailgun):
    ticket = make_ticket(alice)
    with acting_as(ann):
        conversation.reply(ticket, Message(author=ann, body=TYPED))
    row = Notification.objects.get(person=alice, kind="replied")
    mail = messages.build([row])
    assert f"\n\n{TYPED}\n\n" in mail.body
    html = mail.alternatives[0][0]
    columns = "&nbsp;&nbsp;&nbsp; Name&nbsp;&nbsp;&nbsp;&nbsp;&nbsp; Room<br>&nbsp;&nbsp;&nbsp; Alice"
    assert f'monospace;">{columns}' in html
    assert '<div dir="auto">&gt; 5 V<br>- a list<br><br><br>&nbsp; end</div>' in html


@pytest.mark.parametrize(
    ("text", "html"),
    [
        (" a", "&nbsp;a"),
        ("a b", "a b"),
        ("a.  b", "a.&nbsp; b"),
        ("<b>\n &", "&lt;b&gt;<br>&nbsp;&amp;"),
        ("a\n\nb", "a<br><br>b"),
    ],
)
def test_spaces_are_written_out_in_mail(text, html):
    assert mail_text(text) == f'<div dir="auto">{html}</div>'
