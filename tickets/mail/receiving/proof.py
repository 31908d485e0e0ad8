"""Whether the sender of a message is verified: the route and the mailbox decide which headers count."""

from django.conf import settings

from tickets.mail import known_domains
from tickets.mail.receiving import authentication, exchange
from tickets.mail.receiving.authentication import Verdict
from tickets.mail.receiving.parsing import Mail
from tickets.models import InboundEmail, Mailbox

Proof, Route = Mailbox.Proof, InboundEmail.Route
MICROSOFT_IMAP = "outlook.office365.com"


def of(email: InboundEmail, mail: Mail) -> Verdict:
    if email.route not in (Route.MAILGUN, Route.COMMAND):
        return _of_fetched(email, mail)
    is_mailgun = email.route == Route.MAILGUN
    return _by_results(email, mail, authentication.MAILGUN if is_mailgun else settings.INBOUND_AUTHSERV_ID)


def is_proven(email: InboundEmail, mail: Mail) -> bool:
    return of(email, mail) == Verdict.PASS


def _of_fetched(email: InboundEmail, mail: Mail) -> Verdict:
    """By the settings of the mailbox alone, because other servers add no headers to what is fetched here."""
    mailbox = email.mailbox
    if mailbox and mailbox.proof == Proof.EXCHANGE and _is_at_microsoft(email, mailbox):
        is_of_company = _is_of_company(mail.sender, mailbox)
        return exchange.verdict(mail.headers, sender=mail.sender, is_of_company=is_of_company)
    if mailbox and mailbox.proof == Proof.RESULTS and mailbox.authserv_id != authentication.MAILGUN:
        return _by_results(email, mail, mailbox.authserv_id)
    return Verdict.NONE


def _by_results(email: InboundEmail, mail: Mail, trusted: str) -> Verdict:
    sender = {"sender": mail.sender, "envelope_sender": email.envelope_sender}
    return authentication.verdict(mail.headers, **sender, trusted=trusted.strip())


def _is_at_microsoft(email: InboundEmail, mailbox: Mailbox) -> bool:
    """Whether Exchange Online has removed forged headers of its own from what arrives there."""
    return email.route == Route.GRAPH or mailbox.imap_host.strip().lower() == MICROSOFT_IMAP


def _is_of_company(address: str, mailbox: Mailbox) -> bool:
    domains = {text.rpartition("@")[2] for text in (address, mailbox.address)}
    return len(domains) == 1 or known_domains.find(address) is not None
