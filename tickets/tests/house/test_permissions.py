"""Who gets what: every address x role x verb (THREATS 2.1). An address without a row fails the test."""

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import PeopleUpload
from tickets.actions.conversation import Message, reply
from tickets.mail.addresses import reply_address
from tickets.mail.writing import tokens
from tickets.models import (
    ActivityLog,
    Attachment,
    BlockedSender,
    InboundEmail,
    KnownDomain,
    Macro,
    Mailbox,
    Notification,
    SavedReply,
    SavedView,
    Status,
    SuppressedAddress,
)
from tickets.tests.factories import category, held_mail, make_ticket, shown_picture, upload

pytestmark = pytest.mark.django_db
WHO = ("visitor", "alice", "charlie", "ann", "sam", "root")
LOGIN = "login"  # 302 to the login page

# name: (arguments, {verb: answers of visitor, requester (own), requester (foreign), agent, supervisor, root})
SITE = {
    "home": ("", {"get": [200] * 6, "post": [405] * 6}),
    "about": ("", {"get": [200] * 6, "post": [405] * 6}),
    "healthz": ("", {"get": [200] * 6, "post": [405] * 6}),
    "readyz": ("", {"get": [200] * 6, "post": [405] * 6}),
    "mailgun_tracking": ("", {"get": [405] * 6, "post": [404] * 6}),
    "mailgun_inbound": ("", {"get": [405] * 6, "post": [404] * 6}),
    "mailgun_inbound_mime": ("", {"get": [405] * 6, "post": [404] * 6}),
    "service_tracking": ("service", {"get": [405] * 6, "post": [404] * 6}),
    "accounts:profile": ("", {"get": [LOGIN] + [200] * 5, "post": [LOGIN] + [200] * 5}),
    "accounts:theme": ("", {"get": [LOGIN] + [405] * 5, "post": [LOGIN] + [400] * 5}),
    "accounts:time_zone": ("", {"get": [LOGIN] + [405] * 5, "post": [LOGIN] + [400] * 5}),
    "mail_preferences": ("", {"get": [LOGIN] + [200] * 5, "post": [LOGIN] + [200] * 5}),
    "tickets:list": ("", {"get": [LOGIN] + [200] * 5, "post": [LOGIN] + [405] * 5}),
    "tickets:create": ("", {"get": [LOGIN] + [200] * 5, "post": [LOGIN] + [200] * 5}),
    "tickets:own_tickets": ("", {"get": [LOGIN] + [405] * 5, "post": [LOGIN] + [200] * 5}),
    "tickets:detail": ("ticket", {"get": [LOGIN, 200, 404, 200, 200, 200], "post": [LOGIN] + [405] * 5}),
    "tickets:update": (
        "ticket",
        {"get": [LOGIN, 200, 404, 200, 200, 200], "post": [LOGIN, 200, 404, 200, 200, 200]},
    ),
    "tickets:delete": (
        "ticket",
        {"get": [LOGIN, 200, 404, 403, 200, 200], "post": [LOGIN, 302, 404, 403, 302, 302]},
    ),
    "tickets:close": ("ticket", {"get": [LOGIN] + [405] * 5, "post": [LOGIN, 302, 404, 302, 302, 302]}),
    "tickets:reopen": ("ticket", {"get": [LOGIN] + [405] * 5, "post": [LOGIN, 302, 404, 302, 302, 302]}),
    "tickets:reply": ("ticket", {"get": [LOGIN] + [405] * 5, "post": [LOGIN, 302, 404, 302, 302, 302]}),
    # Only to one's own ticket; staff see the ticket, but it is not theirs.
    "tickets:add": ("ticket", {"get": [LOGIN] + [405] * 5, "post": [LOGIN, 302, 404, 404, 404, 404]}),
    "tickets:note": ("ticket", {"get": [LOGIN] + [405] * 5, "post": [LOGIN, 404, 404, 302, 302, 302]}),
    "tickets:draft": ("ticket", {"get": [405] * 6, "post": [401, 204, 404, 204, 204, 204]}),
    "tickets:drafts": ("", {"get": [405] * 6, "post": [401] + [204] * 5}),  # what it says is read by a script
    "tickets:discard_draft": ("", {"get": [LOGIN] + [405] * 5, "post": [LOGIN] + [403] * 5}),
    "tickets:take_back": ("comment", {"get": [LOGIN] + [405] * 5, "post": [LOGIN, 302, 404, 404, 404, 404]}),
    "tickets:trimmed": ("trimmed", {"get": [LOGIN, 200, 404, 200, 200, 200], "post": [LOGIN] + [405] * 5}),
    "tickets:watch": ("ticket", {"get": [LOGIN] + [405] * 5, "post": [LOGIN, 302, 404, 302, 302, 302]}),
    "tickets:unwatch": ("person", {"get": [LOGIN] + [405] * 5, "post": [LOGIN, 302, 404, 302, 302, 302]}),
    "tickets:timeline": (
        "ticket",
        {"get": [LOGIN, 200, 404, 200, 200, 200], "post": [LOGIN] + [405] * 5},
    ),
    "tickets:mail": ("ticket", {"get": [LOGIN] + [405] * 5, "post": [LOGIN, 302, 404, 302, 302, 302]}),
    # The signature decides; a session gives nothing.
    "tickets:fixed": ("answer", {"get": [200] * 6, "post": [200] * 6}),
    "tickets:not_fixed": ("answer", {"get": [200] * 6, "post": [200] * 6}),
    "tickets:feedback": ("answer", {"get": [405] * 6, "post": [200, 302, 200, 200, 200, 200]}),
    "tickets:mute": ("mute", {"get": [200] * 6, "post": [200] * 6}),
    "tickets:confirm_sender": ("sender", {"get": [200] * 6, "post": [200] + [404] * 5}),  # once
    "tickets:attachment": ("file", {"get": [LOGIN, 200, 404, 200, 200, 200], "post": [LOGIN] + [405] * 5}),
    "tickets:picture": ("picture", {"get": [LOGIN, 200, 404, 200, 200, 200], "post": [LOGIN] + [405] * 5}),
}
# What a form sends where an empty one would only be shown again.
DATA = {
    "tickets:reply": {"body": "It still does not print."},
    "tickets:note": {"body": "Ask the supplier."},
    "tickets:draft": {"kind": "reply", "body": "It still"},
    "tickets:drafts": {"kind": "ticket", "body": "It still"},
    "tickets:watch": {"email": "ann@example.com"},
}
# django-allauth's pages: for everybody, for visitors (who is logged in goes home), for people.
FOR_ALL = {"account_confirm_email": "key", "account_email_verification_sent": "", "account_inactive": "",
           "account_reset_password": "", "account_reset_password_done": "",
           "account_reset_password_from_key": "uid", "account_reset_password_from_key_done": ""}  # fmt: skip
FOR_VISITORS = ("account_login", "account_signup")
FOR_PEOPLE = ("account_email", "account_change_password", "account_reauthenticate", "account_set_password")
OTHER = {"account_logout", "account_confirm_login_code"}

# The admin: whoever is no staff goes to the login; what agents, supervisors and root get.
ADMIN = {
    "admin:index": [200, 200, 200],
    "admin:tickets_ticket_changelist": [200, 200, 200],
    "admin:tickets_ticket_many": [405, 405, 405],
    "admin:tickets_ticket_add": [200, 200, 200],
    "admin:tickets_ticket_change": [200, 200, 200],
    "admin:tickets_ticket_delete": [403, 200, 200],
    "admin:tickets_ticket_history": [404, 404, 404],
    "admin:tickets_ticket_reply": [405, 405, 405],
    "admin:tickets_ticket_note": [405, 405, 405],
    "admin:tickets_ticket_reopen": [405, 405, 405],
    "admin:tickets_ticket_mail": [405, 405, 405],
    "admin:tickets_ticket_take_back": [405, 405, 405],
    "admin:tickets_ticket_seen": [405, 405, 405],
    "admin:tickets_ticket_news": [200, 200, 200],
    "admin:tickets_ticket_reports": [403, 200, 200],
    "admin:tickets_ticket_export": [403, 200, 200],
    "admin:tickets_ticket_save_view": [405, 405, 405],
    "admin:tickets_ticket_take": [405, 405, 405],
    "admin:tickets_ticket_set": [200, 200, 200],
    "admin:tickets_ticket_undo": [405, 405, 405],
    "admin:tickets_ticket_timeline": [200, 200, 200],
    "admin:tickets_ticket_saved_replies": [200, 200, 200],
    "admin:tickets_ticket_macros": [200, 200, 200],
    "admin:tickets_ticket_macro": [405, 405, 405],
    "admin:tickets_savedreply_changelist": [200, 200, 200],
    "admin:tickets_savedreply_add": [200, 200, 200],
    "admin:tickets_savedreply_change": [200, 200, 200],
    "admin:tickets_savedreply_delete": [403, 200, 200],
    "admin:tickets_savedreply_history": [200, 200, 200],
    "admin:tickets_savedview_changelist": [200, 200, 200],
    "admin:tickets_savedview_add": [403, 403, 403],
    "admin:tickets_savedview_change": [200, 200, 200],
    "admin:tickets_savedview_delete": [403, 200, 200],
    "admin:tickets_savedview_history": [200, 200, 200],
    "admin:tickets_macro_changelist": [200, 200, 200],
    "admin:tickets_macro_add": [200, 200, 200],
    "admin:tickets_macro_change": [200, 200, 200],
    "admin:tickets_macro_delete": [403, 200, 200],
    "admin:tickets_macro_history": [200, 200, 200],
    "admin:tickets_ticket_similar": [405, 405, 405],
    "admin:tickets_ticket_link": [405, 405, 405],
    "admin:tickets_ticket_unlink": [405, 405, 405],
    "admin:tickets_ticket_merge": [200, 200, 200],
    "admin:tickets_ticket_unmerge": [405, 405, 405],
    "admin:tickets_ticket_split": [200, 200, 200],
    "admin:tickets_category_changelist": [200, 200, 200],
    "admin:tickets_category_add": [403, 200, 200],
    "admin:tickets_category_change": [200, 200, 200],
    "admin:tickets_category_delete": [403, 200, 200],
    "admin:tickets_category_history": [200, 200, 200],
    "admin:tickets_status_changelist": [200, 200, 200],
    "admin:tickets_status_add": [403, 200, 200],
    "admin:tickets_status_change": [200, 200, 200],
    "admin:tickets_status_delete": [403, 403, 403],
    "admin:tickets_status_history": [200, 200, 200],
    "admin:tickets_activitylog_changelist": [200, 200, 200],
    "admin:tickets_activitylog_add": [403, 403, 403],
    "admin:tickets_activitylog_change": [200, 200, 200],
    "admin:tickets_activitylog_delete": [403, 403, 403],
    "admin:tickets_activitylog_history": [200, 200, 200],
    "admin:mail": [200, 200, 200],
    "admin:palette": [200, 200, 200],
    "admin:tickets_notification_raw": [200, 200, 200],
    "admin:tickets_notification_changelist": [200, 200, 200],
    "admin:tickets_notification_add": [403, 403, 403],
    "admin:tickets_notification_change": [200, 200, 200],
    "admin:tickets_notification_delete": [403, 403, 403],
    "admin:tickets_notification_history": [200, 200, 200],
    "admin:tickets_inboundemail_changelist": [200, 200, 200],
    "admin:tickets_inboundemail_add": [403, 403, 403],
    "admin:tickets_inboundemail_change": [200, 200, 200],
    "admin:tickets_inboundemail_delete": [403, 403, 403],
    "admin:tickets_inboundemail_history": [200, 200, 200],
    "admin:tickets_inboundemail_decide": [405, 405, 405],
    "admin:tickets_inboundemail_raw": [200, 200, 200],
    "admin:tickets_inboundemail_html": [200, 200, 200],
    "admin:tickets_blockedsender_changelist": [200, 200, 200],
    "admin:tickets_blockedsender_add": [403, 200, 200],
    "admin:tickets_blockedsender_change": [200, 200, 200],
    "admin:tickets_blockedsender_delete": [403, 200, 200],
    "admin:tickets_blockedsender_history": [200, 200, 200],
    "admin:tickets_mailbox_changelist": [403, 200, 200],
    "admin:tickets_mailbox_add": [403, 403, 200],
    "admin:tickets_mailbox_change": [403, 200, 200],
    "admin:tickets_mailbox_delete": [403, 403, 200],
    "admin:tickets_mailbox_history": [403, 200, 200],
    "admin:tickets_mailbox_test": [403, 403, 200],
    "admin:tickets_mailbox_connect": [403, 403, 404],
    "admin:tickets_mailbox_connected": [403, 403, 403],
    "admin:tickets_mailbox_older": [403, 403, 200],
    "admin:tickets_knowndomain_changelist": [403, 200, 200],
    "admin:tickets_knowndomain_add": [403, 403, 200],
    "admin:tickets_knowndomain_change": [403, 200, 200],
    "admin:tickets_knowndomain_delete": [403, 403, 200],
    "admin:tickets_knowndomain_history": [403, 200, 200],
    "admin:tickets_suppressedaddress_changelist": [200, 200, 200],
    "admin:tickets_suppressedaddress_add": [403, 403, 403],
    "admin:tickets_suppressedaddress_change": [200, 200, 200],
    "admin:tickets_suppressedaddress_delete": [403, 403, 403],
    "admin:tickets_suppressedaddress_history": [200, 200, 200],
    "admin:accounts_user_changelist": [200, 200, 200],
    "admin:accounts_user_add": [403, 200, 200],
    "admin:accounts_user_import": [403, 200, 200],
    "admin:accounts_user_preview": [403, 200, 404],  # only the uploader's own
    "admin:accounts_user_invite": [403, 200, 200],
    "admin:accounts_user_change": [200, 200, 200],
    "admin:accounts_user_delete": [403, 403, 200],
    "admin:accounts_user_history": [200, 200, 200],
    "admin:jsi18n": [200, 200, 200],
    "admin:autocomplete": [403, 403, 403],
    "admin:password_change": [302, 302, 302],
    "admin:password_change_done": [200, 200, 200],
    "admin:logout": [405, 405, 405],
    "admin:app_list": [200, 200, 200],
    "admin:view_on_site": [404, 404, 404],
}
ADMIN_OPEN = {"admin:login"}


def names(resolver=None, namespace: str = "") -> set[str]:
    """Every named address of the project."""
    found = set()
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            found |= names(pattern, inner)
        elif isinstance(pattern, URLPattern) and pattern.name:
            found.add(namespace + pattern.name)
    return found


def nameless(resolver=None) -> list[str]:
    """The addresses that have no name, so no row could stand for them."""
    found = []
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLResolver):
            found += nameless(pattern)
        elif not pattern.name:
            found.append(str(pattern.pattern))
    return found


def test_every_address_has_a_row():
    rows = {*SITE, *FOR_ALL, *FOR_VISITORS, *FOR_PEOPLE, *OTHER, *ADMIN, *ADMIN_OPEN}
    assert names() == rows
    # Only the admin's own: each model's old address of a row, and the last one, which finds nothing.
    assert set(nameless()) == {"<path:object_id>/", "(?P<url>.*)$"}


@pytest.fixture
def world(alice, charlie, ann, sam, root):
    """The people, and alice's ticket with a file."""
    ticket = make_ticket(alice)
    Attachment.attach([upload()], ticket=ticket, uploader=alice)
    people = {"alice": alice, "charlie": charlie, "ann": ann, "sam": sam, "root": root}
    return people, ticket


def browser(people: dict, who: str) -> Client:
    client = Client()
    if who in people:
        client.force_login(people[who])
    return client


def question(ticket, person) -> str:
    """The link that asks `person` about a reply from another address."""
    mailbox = Mailbox.objects.create(name="IT", address="it@company.com")
    email = held_mail(To=reply_address(ticket.pk, person.pk, at=mailbox.address))
    return tokens.confirm_link(email.pk, person.pk)


def answer(response):
    is_login = response.status_code == 302 and response.url.startswith(("/accounts/login/", "/admin/login/"))
    return LOGIN if is_login else response.status_code


@pytest.mark.parametrize("verb", ["get", "post"])
@pytest.mark.parametrize("name", SITE)
def test_site(world, name, verb):
    people, ticket = world
    needs, answers = SITE[name]
    arguments = {
        "ticket": lambda: [ticket.pk],
        "file": lambda: [ticket.attachments.get().key],
        "picture": lambda: [shown_picture(ticket).key, Attachment.THUMBNAIL],
        "trimmed": lambda: [
            ticket.pk,
            reply(ticket, Message(author=people["alice"], body="Yes.", trimmed="> No?")).pk,
        ],
        "comment": lambda: [
            ticket.pk,
            reply(ticket, Message(author=people["alice"], body="Please hurry.")).pk,
        ],
        "person": lambda: [ticket.pk, people["ann"].pk],
        "answer": lambda: [tokens.answer_links(ticket.pk, people["alice"].pk)[0].split("/")[-3]],
        "mute": lambda: [tokens.mute_link(ticket.pk, people["alice"].pk).split("/")[-2]],
        "sender": lambda: [question(ticket, people["alice"]).split("/")[-2]],
        "service": lambda: ["postmark"],
        "": list,
    }[needs]()
    url = reverse(name, args=arguments)
    got = []
    for who in WHO:
        response = getattr(browser(people, who), verb)(url, DATA.get(name) if verb == "post" else None)
        got.append(answer(response))
        if response.streaming:
            b"".join(response.streaming_content)
        if name == "tickets:delete" and response.status_code == 302 and got[-1] != LOGIN:
            ticket = make_ticket(people["alice"])
            url = reverse(name, args=[ticket.pk])
    assert got == answers[verb]


def test_account_pages(world):
    people, _ticket = world
    for name, needs in FOR_ALL.items():
        arguments = {"key": ["x:y:z"], "uid": ["1", "x-y"], "": []}[needs]
        for who in WHO:
            response = browser(people, who).get(reverse(name, args=arguments))
            assert answer(response) in (200, 302), (name, who)
    for name in FOR_VISITORS:
        assert browser(people, "visitor").get(reverse(name)).status_code == 200
        assert browser(people, "alice").get(reverse(name)).url == "/"
    for name in FOR_PEOPLE:
        assert answer(browser(people, "visitor").get(reverse(name))) == LOGIN
        assert browser(people, "alice").get(reverse(name)).status_code in (200, 302)
    for who in WHO:
        assert browser(people, who).get("/accounts/logout/").status_code == 405


def admin_url(name: str, people: dict, ticket) -> str:
    """The address, of an existing row where the name asks for one."""
    objects = {
        "ticket": ticket,
        "category": category("Email Support"),
        "status": Status.objects.first(),
        "activitylog": ActivityLog.objects.first(),
        "notification": Notification.objects.first(),
        "mailbox": Mailbox.objects.get_or_create(
            address="it@example.com",
            defaults={
                "fetches_by": "imap",
                "imap_host": "127.0.0.1",
                "imap_port": 9,
                "imap_security": "none",
            },
        )[0],
        "knowndomain": KnownDomain.objects.get_or_create(domain="colleagues.example.com")[0],
        "suppressedaddress": SuppressedAddress.objects.get_or_create(
            address="gone@example.com", reason="bounced"
        )[0],
        "inboundemail": InboundEmail.objects.first() or held_mail(),
        "blockedsender": BlockedSender.objects.get_or_create(address="spam@other.example")[0],
        "user": people["charlie"],
        "savedreply": SavedReply.objects.get_or_create(title="Greeting", body="Hello")[0],
        "savedview": SavedView.objects.get_or_create(name="Urgent", query="priority=urgent")[0],
        "macro": Macro.objects.get_or_create(title="Solved", body="Hello")[0],
    }
    model = next((model for model in objects if f"_{model}_" in name), None)
    arguments = {"admin:app_list": ["tickets"], "admin:view_on_site": [999, 1]}.get(name, [])
    if name in ("admin:tickets_ticket_take_back", "admin:tickets_ticket_unlink"):
        arguments = [ticket.pk, 1]
    elif name == "admin:accounts_user_preview":
        arguments = [
            PeopleUpload.objects.create(uploaded_by=people["sam"], name="x", content=b"email\na@b.co").pk
        ]
    elif name == "admin:tickets_ticket_set":
        arguments = [ticket.pk, "set_status"]
    elif name == "admin:tickets_ticket_split":
        arguments = [ticket.pk, reply(ticket, Message(author=people["alice"], body="And the mouse?")).pk]
    elif model and not name.endswith(
        (
            *(
                "_changelist",
                "_add",
                "_news",
                "_save_view",
                "_reports",
                "_export",
                "_many",
                "_undo",
                "_connected",
            ),
            *("_import", "_invite"),
        )
    ):
        arguments = [objects[model].pk]
    return reverse(name, args=arguments)


@pytest.mark.parametrize("name", ADMIN)
def test_admin(world, name):
    people, ticket = world
    url = admin_url(name, people, ticket)
    got = [answer(browser(people, who).get(url)) for who in WHO]
    assert got[:3] == [LOGIN] * 3 or name in ("admin:logout",)
    assert got[3:] == ADMIN[name]


@pytest.mark.parametrize("name", sorted(ADMIN.keys() - {"admin:logout"}))
def test_admin_takes_nothing_from_who_may_not_enter(world, unchanged, name):
    """A POST that would confirm or save changes nothing for a visitor, requesters, or staff who get 403."""
    people, ticket = world
    url = admin_url(name, people, ticket)
    refused = [*WHO[:3], *(who for who, status in zip(WHO[3:], ADMIN[name], strict=True) if status == 403)]
    browsers = {who: browser(people, who) for who in refused}
    data = {"post": "yes", "subject": "X", "name": "X", "full_name": "X", "email": "x@example.com"}
    with unchanged():
        got = {who: answer(browsers[who].post(url, data)) for who in refused}
    for who, status in got.items():
        assert status in ((LOGIN,) if who in WHO[:3] else (403, 405)), who


def test_admin_login_is_the_sites_login(world):
    people, _ticket = world
    assert browser(people, "visitor").get("/admin/login/?next=/admin/").url == "/accounts/login/?next=/admin/"
    assert browser(people, "ann").get("/admin/login/").url == "/admin/"
    response = browser(people, "alice").get("/admin/", follow=True)
    assert response.status_code == 403
    assert "Access denied" in response.content.decode()


@pytest.mark.parametrize(
    "table", ["auth/group", "account/emailaddress", "sessions/session", "admin/logentry"]
)
def test_raw_tables_are_not_in_the_admin(world, table):
    """THREATS 74."""
    people, _ticket = world
    for who in ("ann", "sam", "root"):
        assert browser(people, who).get(f"/admin/{table}/").status_code == 404
    assert all(model._meta.app_label in ("accounts", "tickets") for model in admin.site._registry)


def test_agent_reads_names_and_addresses_but_changes_nobody(world):
    people, _ticket = world
    url = f"/admin/accounts/user/{people['charlie'].pk}/change/"
    client = browser(people, "ann")
    content = client.get(url).content.decode()
    assert "charlie@example.com" in content
    assert 'name="role"' not in content
    assert client.post(url, {"full_name": "X", "is_superuser": "on"}).status_code == 403
