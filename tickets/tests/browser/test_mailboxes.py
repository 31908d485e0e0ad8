"""A superuser adds a mailbox by its card and tests it: each hop appears without a reload (issue 17)."""

import pytest
from playwright.sync_api import expect

from tickets.mail import probing
from tickets.models import Mailbox
from tickets.tests.dovecot import PASSWORD
from tickets.tests.mail.fetching.conftest import dovecot, start_dovecot, trust
from tickets.tests.smtp_server import SmtpServer

__all__ = ["dovecot", "start_dovecot", "trust"]
USER = "added-in-the-browser"


@pytest.mark.parametrize("width", [360, 1280])
def test_mailbox_is_added_and_tested_hop_by_hop(open_browser, root, dovecot, trust, width, settings):
    trust(dovecot)
    page = open_browser(root, viewport={"width": width, "height": 800})
    with SmtpServer() as smtp:
        page.goto("/admin/tickets/mailbox/add/")
        page.get_by_role("link", name="Another mail server").click()
        page.get_by_label("Address").fill("IT@example.com")
        page.get_by_label("User name").fill(f"{USER}-{width}")
        page.get_by_label("SMTP server").fill("127.0.0.1")
        page.get_by_label("IMAP server").fill("localhost")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_role("link", name="it@example.com").first.click()
        # This test's servers have ports of their own, and that of SMTP has no TLS.
        page.get_by_label("SMTP port").fill(str(smtp.port))
        page.get_by_label("SMTP security").select_option("none")
        page.get_by_label("IMAP port").fill(str(dovecot.tls_port))
        page.get_by_label("New secret").fill(PASSWORD)
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_role("link", name="it@example.com").first.click()
        page.get_by_role("button", name="Test it").click()
        expect(page.get_by_text("The test goes on.")).to_be_visible()
        probing.rounds.fetch(Mailbox.objects.get())
        probing.run_waiting()
        expect(page.get_by_text("Email accepted")).to_be_visible()
        _sender, recipient, raw = smtp.mails[0]
        dovecot.append(f"{USER}-{width}", f"Delivered-To: {recipient}\r\n".encode() + raw)
        probing.run_waiting()
        expect(page.get_by_text("Email moved")).to_be_visible()
        expect(page.get_by_text("The test goes on.")).to_have_count(0)
        assert page.locator(".mailbox-hops li").count() == 12
        assert page.locator('.mailbox-hops .status[data-colour="red"]').count() == 0
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
