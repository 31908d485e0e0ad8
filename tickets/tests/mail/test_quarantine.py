"""The pages on which staff read mail that came in and decide about what is in quarantine."""

import pytest
from allauth.account.models import EmailAddress

from accounts.models import User
from tickets.mail.receiving import handler
from tickets.models import BlockedSender, Comment, InboundEmail, Ticket
from tickets.tests.factories import held_mail, make_ticket
from tickets.tests.mail.mails import raw

pytestmark = pytest.mark.django_db
State = InboundEmail.State


@pytest.fixture(autouse=True)
def inbound(settings):
    settings.INBOUND_DOMAIN = "in.example.com"


def url(email, part: str) -> str:
    return f"/admin/tickets/inboundemail/{email.pk}/{part}/"


def body(response) -> str:
    return response.content.decode()


def test_agent_reads_a_held_mail_and_puts_it_on_a_ticket(client_of, ann, alice):
    email, ticket, client = held_mail(), make_ticket(alice), client_of(ann)
    page = body(client.get(url(email, "change")))
    assert "The new printer arrives on Friday." in page
    assert "No one here has the sender" in page
    assert "Accept sender" not in page
    response = client.post(url(email, "decide"), {"act": "attach", "number": f"#{ticket.pk}"}, follow=True)
    assert f"Email added to #{ticket.pk}." in body(response)
    assert Comment.objects.get().is_public is False
    assert "How should this be handled?" not in body(client.get(url(email, "change")))
    on_ticket = body(client.get(f"/admin/tickets/ticket/{ticket.pk}/change/"))
    assert f'href="{url(email, "change")}"' in on_ticket


def test_mail_of_somebody_known_can_be_taken_as_genuine(client_of, ann, alice):
    email, client = held_mail(From=alice.email), client_of(ann)
    assert "Accept sender" in body(client.get(url(email, "change")))
    client.post(url(email, "decide"), {"act": "release"})
    assert Ticket.objects.get().requester == alice


@pytest.mark.parametrize("number", ["", "x", "999999"])
def test_unknown_number_changes_nothing_and_says_so(client_of, ann, unchanged, number):
    email, client = held_mail(), client_of(ann)
    client.get(url(email, "change"))
    response = client.post(url(email, "decide"), {"act": "attach", "number": number}, follow=True)
    assert "number" in body(response)
    email.refresh_from_db()
    assert email.state == State.QUARANTINED


@pytest.mark.parametrize("act", ["", "explode", "release"])
def test_what_can_not_be_done_is_said(client_of, ann, act):
    email = held_mail()
    response = client_of(ann).post(url(email, "decide"), {"act": act}, follow=True)
    assert response.status_code == 200
    assert 'class="warning"' in body(response) or "warning" in body(response)
    email.refresh_from_db()
    assert email.state == State.QUARANTINED


def test_block_ticket_and_discard(client_of, ann):
    client = client_of(ann)
    client.post(url(held_mail(), "decide"), {"act": "ticket", "invites": "vera@vendor.example"})
    assert Ticket.objects.get().requester.email == "vera@vendor.example"
    second = held_mail(**{"Message-ID": "<2@spam.example>", "From": "spam@spam.example"})
    client.post(url(second, "decide"), {"act": "block"})
    assert BlockedSender.objects.get().blocked_by == ann
    third = held_mail(**{"Message-ID": "<3@other.example>", "From": "x@other.example"})
    client.post(url(third, "decide"), {"act": "discard"})
    third.refresh_from_db()
    assert (third.state, third.reason) == (State.IGNORED, "discarded")


def posted(page, act: str, **changes) -> dict[str, str]:
    """What the browser sends when the button `act` of a mail's page is pressed."""
    form = page.context["form_of_decision"]
    return {"act": act, "invites": form["invites"].value() or "", **changes}


def test_account_is_announced_before_it_is_made(client_of, ann):
    email, client = held_mail(), client_of(ann)
    page = client.get(url(email, "change"))
    sentence = (
        "This creates an account for Vera Vendor &lt;vera@vendor.example&gt; and invites them by email."
    )
    assert sentence in body(page)
    assert '<input type="hidden" name="invites" value="vera@vendor.example"' in body(page)
    client.post(url(email, "decide"), posted(page, "ticket"))
    assert User.objects.get(email="vera@vendor.example").full_name == "Vera Vendor"
    assert Ticket.objects.get().requester.email == "vera@vendor.example"


@pytest.mark.parametrize("shown", ["", "other@vendor.example", "vera@vendor.example.evil.example", None])
def test_account_that_was_not_announced_is_not_made(client_of, ann, unchanged, shown):
    email, client = held_mail(), client_of(ann)
    client.get(url(email, "change"))
    data = {"act": "ticket"} | ({} if shown is None else {"invites": shown})
    response = client.post(url(email, "decide"), data, follow=True)
    assert "This would create an account. Check for whom, then try again." in body(response)
    assert not User.objects.filter(email__contains="vendor").exists()
    email.refresh_from_db()
    assert email.state == State.QUARANTINED


def test_account_that_is_gone_since_the_page_was_shown_is_announced_anew(client_of, ann, alice):
    email, client = held_mail(From=alice.email), client_of(ann)
    page = client.get(url(email, "change"))
    assert "Creates a ticket for Alice Moreau." in body(page)
    User.objects.filter(pk=alice.pk).update(email="alice.moreau@example.com")
    EmailAddress.objects.filter(user=alice).update(email="alice.moreau@example.com")
    client.post(url(email, "decide"), posted(page, "ticket"))
    assert not Ticket.objects.exists()
    page = client.get(url(email, "change"))
    assert "This creates an account for alice &lt;alice@example.com&gt;" in body(page)
    client.post(url(email, "decide"), posted(page, "ticket"))
    assert Ticket.objects.get().requester.email == "alice@example.com"


def test_somebody_who_signed_up_meanwhile_needs_no_account(client_of, ann):
    email, client = held_mail(), client_of(ann)
    page = client.get(url(email, "change"))
    vera = User.objects.create_user("vera@vendor.example", full_name="Vera V.")
    client.post(url(email, "decide"), posted(page, "ticket"))
    assert Ticket.objects.get().requester == vera


def test_account_that_nobody_has_confirmed_is_announced_too(client_of, ann, mailgun):
    vera = User.objects.create_user("vera@vendor.example", full_name="Vera V.")
    EmailAddress.objects.create(user=vera, email=vera.email, verified=False, primary=True)
    email, client = held_mail(), client_of(ann)
    page = client.get(url(email, "change"))
    assert "This accepts the unconfirmed account of Vera V. &lt;vera@vendor.example&gt;" in body(page)
    client.post(url(email, "decide"), {"act": "ticket"})
    assert not Ticket.objects.exists()
    client.post(url(email, "decide"), posted(page, "ticket"))
    assert Ticket.objects.get().requester == vera


@pytest.mark.parametrize(
    ("sender", "why"),
    [
        ("Vera <vera@vendor.example>, Max <max@vendor.example>", "no sender to reply to"),
        ("charlie@example.com", "account is deactivated"),
    ],
)
def test_ticket_that_can_not_be_is_not_offered(client_of, ann, charlie, sender, why):
    User.objects.filter(pk=charlie.pk).update(is_active=False)
    email, client = held_mail(From=sender), client_of(ann)
    page = body(client.get(url(email, "change")))
    assert why in page
    assert "Create ticket" not in page
    client.post(url(email, "decide"), {"act": "ticket", "invites": "charlie@example.com"})
    assert not Ticket.objects.exists()


def test_enter_in_the_number_presses_no_other_button(client_of, ann, alice):
    """A browser presses the first button of the form that holds the field."""
    page = body(client_of(ann).get(url(held_mail(From=alice.email), "change")))
    form = next(part for part in page.split("<form")[1:] if 'name="number"' in part).partition("</form>")[0]
    assert form.count("<button") == 1
    assert 'value="attach"' in form


def test_long_mail_is_shown_in_part(client_of, ann):
    raw = b"From: vera@vendor.example\r\n\r\n" + b"word " * 100_000
    email = handler.receive(raw, route=InboundEmail.Route.COMMAND)
    response = client_of(ann).get(url(email, "change"))
    assert len(response.content) < 100_000
    assert "Download the original to read all of it." in body(response)


def test_original_is_a_download_that_no_browser_runs(client_of, ann):
    email = held_mail()
    response = client_of(ann).get(url(email, "raw"))
    assert response.content == bytes(email.raw)
    assert response["Content-Type"] == "application/octet-stream"
    assert response["Content-Disposition"].startswith("attachment")
    assert "sandbox" in response["Content-Security-Policy"]


def test_html_stands_in_a_frame_and_can_neither_act_nor_load(client_of, ann):
    """I9: also no picture from elsewhere, which would tell the sender that it was read."""
    email = held_mail()
    hostile = (
        b'<p onclick="x()">Pay <a href="javascript:x()">here</a></p><script>x()</script><style>p{}</style>'
        b'<img src="https://spy.example/p.gif"><form action="https://evil.example"><input></form>'
        b'<iframe src="https://evil.example"></iframe><div style="background:url(https://spy.example)">x</div>'
    )
    raw = bytes(email.raw).replace(b"<p>The new printer arrives on <b>Friday</b>.</p>", hostile)
    InboundEmail.objects.filter(pk=email.pk).update(raw=raw)
    client = client_of(ann)
    page = client.get(url(email, "change") + "?html")
    assert f'sandbox title="Email as HTML" src="{url(email, "html")}"' in body(page)
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    frame = client.get(url(email, "html"))
    assert "sandbox" in frame["Content-Security-Policy"]
    assert frame["X-Frame-Options"] == "SAMEORIGIN"
    for word in ("script", "onclick", "spy.example", "<form", "iframe", "style"):
        assert word not in body(frame).replace("Content-Security", ""), word


def test_html_that_nests_too_deep_is_shown_in_part(client_of, ann):
    """100,000 tags in each other would keep the server for minutes."""
    lines = ["From: vera@vendor.example", "Content-Type: text/html", "", "\n".join(["<div>" * 100] * 1000)]
    email = handler.receive("\n".join(lines).encode(), route=InboundEmail.Route.COMMAND)
    assert "too large to be shown" in body(client_of(ann).get(url(email, "html")))


def test_mail_that_can_not_be_opened_can_be_kept_and_discarded(client_of, ann):
    raw = b"From: x@other.example\r\n" + b"X: y\r\n" * 100_000 + b"\r\nHello"
    email = handler.receive(raw, route="command")
    assert (email.state, email.reason) == (State.FAILED, "too_complex")
    client = client_of(ann)
    assert "You can download it." in body(client.get(url(email, "change")))
    client.post(url(email, "decide"), {"act": "discard"})
    email.refresh_from_db()
    assert email.state == State.IGNORED


def test_what_is_tried_again_and_fails_again_is_no_success(client_of, ann):
    email, client = (
        handler.receive(raw("hostile_1000_parts"), route=InboundEmail.Route.COMMAND),
        client_of(ann),
    )
    response = client.post(url(email, "decide"), {"act": "replay"}, follow=True)
    assert [message.level_tag for message in response.context["messages"]] == ["warning"]


def test_mail_that_is_ignored_asks_for_nothing(client_of, ann):
    email = handler.receive(raw("bounce_gmail"), route=InboundEmail.Route.COMMAND)
    page = body(client_of(ann).get(url(email, "change")))
    assert "No action is needed." in page
    assert "Create ticket" in page
    assert "btn-primary" not in page
