"""Every page that there is shows what people typed in its own direction: the addresses are those of urls.py."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.urls import URLPattern, get_resolver, resolve, reverse

from accounts.models import Invitation, PeopleUpload, User
from tickets.mail.writing import tokens
from tickets.models import (
    ActivityLog,
    Attachment,
    BlockedSender,
    Category,
    Comment,
    InboundEmail,
    KnownDomain,
    Macro,
    Mailbox,
    MailboxState,
    MailProbe,
    Notification,
    SavedReply,
    SavedView,
    Status,
    SuppressedAddress,
    Ticket,
)
from tickets.tests.admin.test_admin_other import person_data
from tickets.tests.directions import WORD, Directions
from tickets.tests.factories import held_mail, make_ticket

pytestmark = pytest.mark.django_db
QUEUE = "/admin/tickets/ticket/"
# They answer to POST alone, lead on, refuse everybody, or give out files and data.
NO_PAGES = {
    "account_logout", "account_confirm_login_code", "account_login", "account_set_password", "account_signup",
    "admin:logout", "admin:login", "admin:password_change", "admin:autocomplete", "admin:jsi18n",
    "admin:view_on_site", "admin:app_list", "admin:tickets_inboundemail_raw", "admin:tickets_ticket_export",
    "admin:tickets_ticket_history", "healthz", "readyz", "mailgun_tracking", "mailgun_inbound",
    "mailgun_inbound_mime", "service_tracking", "tickets:picture",
}  # fmt: skip
MODELS = [
    ActivityLog, BlockedSender, Category, InboundEmail, KnownDomain, Macro, Mailbox, Notification, SavedReply,
    SavedView, Status, SuppressedAddress, Ticket, User,
]  # fmt: skip


def routes(resolver=None, spaces: tuple[str, ...] = ()) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Name and parameters of every route that has a name."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if not isinstance(pattern, URLPattern):
            yield from routes(pattern, (*spaces, pattern.namespace) if pattern.namespace else spaces)
        elif pattern.name:
            named = getattr(pattern.pattern, "converters", None) or pattern.pattern.regex.groupindex
            yield ":".join([*spaces, pattern.name]), tuple(sorted(named))


@pytest.fixture
def rows(hebrew, root, settings, attachments_dir):
    """The newest row of each kind, Hebrew all over, and a file that is lost."""
    settings.INBOUND_DOMAIN = "in.example.com"
    held_mail(From=f"{WORD} <vera@vendor.example>", Subject=WORD)
    SuppressedAddress.objects.create(address="x@y.example", reason="bounced", detail=WORD)
    BlockedSender.objects.create(address="v@w.example")
    KnownDomain.objects.create(domain="w.example", department=WORD)
    mailbox = Mailbox.objects.create(name=WORD, sender_name=WORD, address="it@w.example", fetches_by="no")
    MailboxState.objects.create(mailbox=mailbox, send_error=WORD)
    MailProbe.objects.create(mailbox=mailbox, hops=[{"name": "login", "state": "failed", "words": WORD}])
    Notification.objects.update(last_error=WORD, state="failed")
    Comment.objects.update(trimmed=WORD)
    lost = Attachment.objects.get(name__endswith=".txt")
    lost.file.storage.delete(lost.file.name)
    found = {model._meta.model_name: model.objects.order_by("-pk").first() for model in MODELS}
    invited = User.objects.create(email="not.invited@example.com", full_name=WORD, password="!")
    Invitation.objects.create(person=invited)
    content = f"email,department,{WORD}\n{hebrew.requester.email},{WORD},\n{WORD},,\nx@y.co,{WORD},\n"
    root = User.objects.get(is_superuser=True)
    upload = PeopleUpload.objects.create(uploaded_by=root, name=WORD, content=content.encode())
    own = {"ticket": hebrew, "user": hebrew.requester, "attachment": lost, "peopleupload": upload.pk}
    return found | own


def value_of(parameter: str, name: str, rows: dict):
    """What stands for a parameter of the route `name`."""
    ticket = rows["ticket"]
    token = tokens.mute_link(ticket.pk, ticket.requester_id)
    if name in ("tickets:fixed", "tickets:not_fixed"):
        token = tokens.answer_links(ticket.pk, ticket.requester_id)[name == "tickets:not_fixed"]
    own = resolve(token.removeprefix(settings.SITE_URL)).kwargs["token"]
    model = name.partition("_")[2].partition("_")[0]
    plain = {
        "comment": Comment.objects.filter(is_public=True).first().pk, "person": rows["user"].pk, "link": 1,
        "uidb36": "1", "key": "x", "token": own, "name": "set_status", "upload": rows["peopleupload"],
    }  # fmt: skip
    if parameter in ("pk", "object_id"):
        return rows.get(model, ticket).pk
    return rows["attachment"].key if name == "tickets:attachment" else plain[parameter]


def wrong_on(response) -> list[str]:
    return Directions(response.content.decode()).wrong


def test_every_address_is_a_page_or_known_as_none(client_of, root, rows):
    """A new page is looked at as soon as it has an address, or it has to be named in NO_PAGES."""
    seen, wrong, clients = 0, {}, {"staff": client_of(root), "requester": client_of(rows["user"])}
    for name, parameters in routes():
        if name in NO_PAGES:
            continue
        address = reverse(name, kwargs={one: value_of(one, name, rows) for one in parameters})
        who = "requester" if name.startswith("tickets:") else "staff"
        response = clients[who].get(address)
        if response.status_code in (403, 405):  # of models that nobody adds, and addresses of acts
            continue
        assert response["Content-Type"].startswith("text/html"), name
        assert response.status_code in (200, 404), name
        page = Directions(response.content.decode())
        seen += page.found
        if page.wrong:
            wrong[name] = page.wrong
    assert wrong == {}
    assert seen > 150


@pytest.mark.parametrize("query", ["phase=all", f"q={WORD}", f"q={WORD}z", "q=status:x"])
def test_lists_with_what_was_asked(client_of, root, rows, query):
    for who, address in ((root, QUEUE), (rows["user"], "/tickets/")):
        assert wrong_on(client_of(who).get(f"{address}?{query}")) == []
    for model in ("user", "category", "activitylog", "notification", "inboundemail"):
        app = "accounts" if model == "user" else "tickets"
        assert wrong_on(client_of(root).get(f"/admin/{app}/{model}/?q={WORD}", follow=True)) == []


def test_conflicts(client_of, root, rows):
    ticket, person = rows["ticket"], rows["user"]
    data = {"subject": f"{WORD} 3", "description": WORD, "category": ticket.category_id, "version": "0"}
    other = make_ticket(person, subject=WORD, category=ticket.category)
    for who, address in ((person, f"/tickets/{other.pk}/edit/"), (root, f"{QUEUE}{ticket.pk}/change/")):
        form = {**data, "status": ticket.status_id, "priority": "normal", "_save": "1"}
        response = client_of(who).post(address, form)
        page = Directions(response.content.decode())
        assert response.status_code == 409
        assert page.found > 2
        assert page.wrong == []


def test_acts_on_many(client_of, root, rows):
    client, ticket = client_of(root), rows["ticket"]
    other = Status.objects.create(name=f"{WORD} 3", phase="active", position=10)
    for action, value in (
        ("set_status", other.pk),
        ("assign_to", root.pk),
        ("assign_to_me", ""),
        ("delete_selected", ""),
    ):
        queue = client.post(QUEUE, {"action": action, ACTION_CHECKBOX_NAME: [ticket.pk]})
        preview = client.post(f"{QUEUE}many/", {"action": action, "numbers": ticket.pk, "value": value})
        page = Directions(preview.content.decode())
        assert wrong_on(queue) == page.wrong == []
        assert page.found, action


def test_leaving(client_of, root, ann, hebrew):
    Category.objects.update(default_assignee=ann)
    data = {name: value for name, value in person_data(ann, role="requester").items() if value != ""}
    response = client_of(root).post(f"/admin/accounts/user/{ann.pk}/change/", data)
    page = Directions(response.content.decode())
    assert "will no longer work on tickets" in response.content.decode()
    assert page.found > 2
    assert page.wrong == []


def test_merging_refused_forms_and_messages(client_of, root, rows):
    client, ticket = client_of(root), rows["ticket"]
    other = Ticket.objects.exclude(pk=ticket.pk).latest("pk")
    merge = Directions(client.get(f"{QUEUE}{other.pk}/merge/?into={ticket.pk}").content.decode())
    assert merge.found > 3
    assert merge.wrong == []
    texts = ("subject", "description", "name", "title", "requester_name", "body", "full_name", "department")
    typed = dict.fromkeys(texts, WORD) | {"audience": "nobody"}
    people, macros = "/admin/accounts/user/add/", "/admin/tickets/macro/add/"
    for address in ("/tickets/new/", f"{QUEUE}add/", "/admin/tickets/status/add/", macros, people):
        page = Directions(client.post(address, typed).content.decode())
        assert page.found, address
        assert page.wrong == []
    page = Directions(client.post(f"{QUEUE}save-view/", {"name": f"{WORD} 2"}, follow=True).content.decode())
    assert page.found
    assert page.wrong == []
