"""The mail page accounts for every mail, out and in; an outgoing mail is shown without its secrets."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.tests.cast import make_person
from tickets.models import InboundEmail, Notification
from tickets.notifications import outbox
from tickets.reports import mail as ledger
from tickets.reports.periods import DAY, Span
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
URL = "/admin/mail/"


def incoming(state: str = "filed", reason: str = "", **fields) -> InboundEmail:
    number = InboundEmail.objects.count() + 1
    values = {"sender": "nora@example.org", "subject": f"Mail {number}", "raw": b"x", "size": 1}
    values |= {"identity": f"<{number}@example.org>", "route": "command", **fields}
    return InboundEmail.objects.create(state=state, reason=reason, **values)


def outgoing(person, state: str = "sent", **fields) -> Notification:
    values = {"kind": "welcome", "person": person, "address": person.email, "state": state, **fields}
    return Notification.objects.create(**values)


def today() -> Span:
    return Span(timezone.localdate(), timezone.localdate())


def shown(client, query: str = "") -> list:
    return [line.mail for line in client.get(URL + query).context["lines"]]


# The balance
def test_states_add_up_to_all_mails(alice):
    for state in Notification.State.values:
        outgoing(alice, state)
    outgoing(alice)
    for state in InboundEmail.State.values:
        incoming(state)
    for reason in ("automatic", "automatic", "list"):
        incoming("ignored", reason)
    incoming("quarantined", "unknown_sender")
    balance = ledger.balance(today())
    assert {str(figure.part): figure.count for figure in balance.out} == {
        f"out.{state}": 2 if state == "sent" else 1 for state in Notification.State.values
    }
    assert {str(figure.part): figure.count for figure in balance.came_in} == {
        "in.received": 1,
        "in.filed": 1,
        "in.ignored": 4,
        "in.ignored.automatic": 2,
        "in.ignored.list": 1,
        "in.quarantined": 2,
        "in.quarantined.unknown_sender": 1,
        "in.failed": 1,
    }
    assert balance.all_out.count == Notification.objects.count()
    assert balance.all_in.count == InboundEmail.objects.count()


def test_rows_of_one_mail_are_one_mail_that_left(alice):
    for message_id in ("<1@x>", "<1@x>", "<2@x>"):
        outgoing(alice, message_id=message_id, sent_at=timezone.now())
    outgoing(alice, "waiting", message_id="<3@x>")
    assert ledger.balance(today()).letters == 2


def test_only_the_period_counts(alice):
    outgoing(alice, created_at=timezone.now() - 8 * DAY)
    incoming(received_at=timezone.now() - 8 * DAY)
    balance = ledger.balance(Span(today().first - 6 * DAY, today().last))
    assert (balance.all_out.count, balance.all_in.count) == (0, 0)


# The page
def test_every_figure_opens_the_mails_it_counts(client_of, ann, alice):
    for state in Notification.State.values:
        outgoing(alice, state)
    incoming("ignored", "automatic")
    incoming("ignored", "list")
    incoming("quarantined", "unknown_sender")
    client = client_of(ann)
    balance = client.get(URL).context["balance"]
    content = client.get(URL).content.decode()
    for figure in [*balance.out, *balance.came_in, balance.all_out, balance.all_in]:
        assert len(shown(client, f"?period=7&part={figure.part}")) == figure.count
        assert (f"part={figure.part}#" in content) == (figure.count > 0)


def test_list_turns_pages_without_gap_or_repeat(client_of, ann, alice):
    """Many mails of one moment in both directions."""
    moment = timezone.now() - timedelta(minutes=1)
    for number in range(60):
        outgoing(alice, created_at=moment - timedelta(seconds=number // 20))
        incoming(received_at=moment - timedelta(seconds=number // 20))
    client, query, pages = client_of(ann), "", []
    while True:
        context = client.get(f"{URL}?{query}").context
        pages.append([line.mail for line in context["lines"]])
        if not context["older"]:
            break
        query = context["older"]
    assert [len(page) for page in pages] == [50, 50, 20]
    everything = [mail for page in pages for mail in page]
    assert len(set(everything)) == 120
    times = [getattr(mail, "created_at", None) or mail.received_at for mail in everything]
    assert times == sorted(times, reverse=True)
    assert "after" not in client.get(f"{URL}?{query}").context["newest"]


def test_mails_are_found_by_address_subject_and_number(client_of, ann, alice, bob):
    ticket = make_ticket(alice, subject="The scanner hums")
    welcome = outgoing(bob)
    letter = incoming(subject="About the hum", sender="Nora.Diaz@example.org", ticket=ticket)
    receipt = Notification.objects.get(ticket=ticket)
    client = client_of(ann)
    assert shown(client, "?q=bob@example") == [welcome]
    assert shown(client, "?q=nora.diaz") == [letter]
    assert set(shown(client, "?q=hum")) == {letter, receipt}
    assert set(shown(client, f"?q=%23{ticket.pk}")) == {letter, receipt}
    assert shown(client, "?q=nothing-has-this") == []


@pytest.mark.parametrize(
    "query",
    ["period=99", "part=out.nonsense", "part=out.sent.automatic", "part=x", "part=in.ignored.automatic.x",
     "after=1", "after=9.out.9999999999999999999", "after=999999999999999999.out.1", "after=x.y.z", "after=%00",
     "q=a%00b",
     "q=" + "x" * 300],
)  # fmt: skip
def test_senseless_values_are_passed_over(client_of, ann, alice, query):
    outgoing(alice)
    response = client_of(ann).get(f"{URL}?{query}")
    assert response.status_code == 200
    assert query.startswith("q") or response.context["lines"]


def test_number_of_queries_does_not_grow(client_of, ann, alice):
    ticket = make_ticket(alice)
    client = client_of(ann)

    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as found:
            client.get(URL)
        return len(found)

    incoming(ticket=ticket)
    before = queries()
    for _number in range(100):
        outgoing(alice, ticket=ticket)
        incoming(ticket=ticket)
    assert queries() == before


def test_deleted_ticket_and_mail_without_person_are_listed(client_of, ann, alice):
    ticket = make_ticket(alice)
    number = ticket.pk
    ticket.delete()
    Notification.objects.update(person=None)
    incoming(sender="", subject="")
    content = client_of(ann).get(URL).content.decode()
    assert f"#{number}</a>" in content
    assert "unknown sender" in content


def test_only_supervisors_send_again_and_land_on_the_page(client_of, ann, sam, alice):
    row = outgoing(alice, "failed", last_error="refused")
    client = client_of(ann)
    assert "Send again" not in client.get(URL).content.decode()
    assert client.post(URL, {"send_again": row.pk}).status_code == 403
    client = client_of(sam)
    assert "Send again" in client.get(URL).content.decode()
    response = client.post(f"{URL}?part=out.failed", {"send_again": row.pk})
    assert response.url == f"{URL}?part=out.failed"
    row.refresh_from_db()
    assert row.state != "failed"
    assert client.post(URL, {"send_again": "x"}).status_code == 302


def test_start_page_leads_there(client_of, ann):
    assert f'href="{URL}"' in client_of(ann).get("/admin/").content.decode()


# A mail as it would leave now
def raw(client, row) -> str:
    return client.get(f"/admin/tickets/notification/{row.pk}/raw/").content.decode()


def test_mail_is_shown_with_its_own_message_id(client_of, ann, alice):
    make_ticket(alice, subject="The <b>scanner</b> hums")
    row = Notification.objects.get()
    row.message_id = "<helpdesk-1@example.com>"
    row.save()
    content = raw(client_of(ann), row)
    assert "Message-ID: &lt;helpdesk-1@example.com&gt;" in content
    assert "Auto-Submitted: auto-generated" in content
    assert "The &lt;b&gt;scanner&lt;/b&gt; hums" in content
    assert Notification.objects.get().message_id == "<helpdesk-1@example.com>"


@pytest.mark.parametrize("kind", ["password_reset", "welcome", "password_changed"])
def test_mail_about_an_account_shows_its_headers_only(client_of, root, alice, kind):
    outbox.enqueue_account_mail(alice, kind, address=alice.email)
    content = raw(client_of(root), Notification.objects.get())
    assert "To: alice@example.com" in content
    assert "The text is not shown" in content
    assert "/accounts/" not in content.partition("raw-mail")[2]


def test_link_of_an_invitation_is_not_shown(client_of, root, settings, mailgun):
    settings.INBOUND_DOMAIN = "in.example.com"
    nora = make_person("Nora Diaz")
    nora.set_unusable_password()
    nora.save()
    make_ticket(nora)
    content = raw(client_of(root), Notification.objects.get()).partition("raw-mail")[2]
    assert "/accounts/password/reset/key/…" in content
    assert "support+" in content
    assert "…@in.example.com" in content
    assert "text/html" in content


def test_mail_that_cannot_be_made_any_more_says_why(client_of, ann, alice):
    row = outgoing(alice, kind="confirm_address", address="gone@example.com")
    orphan = outgoing(alice)
    Notification.objects.filter(pk=orphan.pk).update(person=None)
    client = client_of(ann)
    assert "no longer be shown" in raw(client, row)
    assert "The person was deleted" in raw(client, orphan)


def test_daily_mail_is_shown_with_all_it_will_tell(client_of, ann, alice):
    for subject in ("The scanner hums", "The mouse is deaf"):
        make_ticket(alice, subject=subject)
    Notification.objects.update(is_digest=True)
    content = raw(client_of(ann), Notification.objects.first())
    assert "The scanner hums" in content
    assert "The mouse is deaf" in content
