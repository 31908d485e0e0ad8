"""Rows of the outbox as a mail. Text and HTML are made from the same words (templates/emails/<kind>/)."""

import re
from email.utils import parseaddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from accounts import links
from accounts.events import AccountMail
from tickets import owner_words, silence, timeline
from tickets.events import Verb
from tickets.models import ActivityLog, Category, Comment, Notification, Ticket
from tickets.models.notification import CANARY, HANDED_OVER, HELD
from tickets.notifications import digest, handed_over, threads, tokens
from tickets.notifications.guard import check_address, check_header
from tickets.notifications.rules import Audience
from tickets.story import SAID
from tickets.workflow import REOPEN_PERIOD

# Mails of machines say so, and answering machines stay quiet (RFC 3834, 5; RFC 2919).
AUTOMATIC = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
MESSAGE_ID_SALT = "tickets.notifications.message_id"


def build(notifications: list[Notification]) -> EmailMultiAlternatives:
    """One mail to one person. Raises UnsafeMail where it must not leave."""
    first = notifications[0]
    zone = first.person.zone if first.person else None
    with translation.override(settings.LANGUAGE_CODE), timezone.override(zone):
        words = _words(notifications)
        letter = _letter(words, first)
    headers = {
        **AUTOMATIC,
        "List-Id": f"<helpdesk.{settings.MESSAGE_ID_DOMAIN}>",
        "Message-ID": first.message_id,
        **words.get("headers", {}),
    }
    mail = EmailMultiAlternatives(
        subject=check_header(letter["subject"]),
        body=render_to_string("emails/layout.txt", letter),
        to=[check_address(first.address)],
        headers={name: check_header(value) for name, value in headers.items()},
        reply_to=[check_address(address) for address in letter["reply_to"]],
    )
    if settings.HAS_MAIL_PROVIDER:  # on the console HTML would only be in the way
        mail.attach_alternative(render_to_string("emails/layout.html", letter), "text/html")
    return mail


def new_message_id(notification: Notification) -> str:
    """An id that stays with the mail: what is sent a second time is recognised as the same.

    Who knows it may answer by it, so it can't be told from that of another person's mail.
    """
    value = f"{notification.pk}.{notification.batch}"
    secret = salted_hmac(MESSAGE_ID_SALT, value, algorithm="sha256").hexdigest()[:32]
    return f"<helpdesk-{notification.pk}-{secret}@{settings.MESSAGE_ID_DOMAIN}>"


def _words(notifications: list[Notification]) -> dict:
    first = notifications[0]
    if first.kind == CANARY:
        return {"folder": CANARY, "reason": _("The helpdesk sends this mail to itself.")}
    if first.kind == HELD:
        return {"folder": HELD, "reason": _("You get this email because you wrote to the helpdesk.")}
    if first.kind == HANDED_OVER:
        return handed_over.words(first)
    if first.activity_id is None:
        return _account_words(first)
    return (
        digest.words(notifications) if digest.tells_of_many(notifications) else _ticket_words(notifications)
    )


def _letter(words: dict, notification: Notification) -> dict:
    """The parts of a mail in words, for both layouts."""
    context = {**words, "person": notification.person, "site_url": settings.SITE_URL}
    folder = f"emails/{words['folder']}"
    return {
        "subject": words.get("subject") or render_to_string(f"{folder}/subject.txt", context).strip(),
        "heading": render_to_string(f"{folder}/subject.txt", context).strip(),
        "paragraphs": _paragraphs(f"{folder}/body.txt", context),
        "quote": words.get("quote", ""),
        "sections": words.get("sections", []),
        "afterwards": _paragraphs(f"{folder}/after.txt", context) if words.get("comment") else [],
        **_buttons(words, context, folder),
        "reply_to": words.get("reply_to", []),
        "foot": [*words.get("foot", []), words["reason"]],
        "foot_links": words.get("foot_links", []),
        "sender": parseaddr(settings.DEFAULT_FROM_EMAIL)[0] or _("Helpdesk"),
        "language": settings.LANGUAGE_CODE,
    }


def _buttons(words: dict, context: dict, folder: str) -> dict:
    """Where the mail leads: to a question that it asks, and to its page."""
    if not words.get("url"):
        return {}
    page = [(render_to_string(f"{folder}/button.txt", context).strip(), words["url"])]
    if not words.get("question"):
        return {"buttons": page}
    return {"question": words["question"], "buttons": words["answers"], "links": page}


def _paragraphs(template: str, context: dict) -> list[str]:
    text = render_to_string(template, context)
    return [part.strip() for part in re.split(r"\n\s*\n", text) if part.strip()]


def _ticket_words(notifications: list[Notification]) -> dict:
    first = notifications[0]
    activities = [notification.activity for notification in notifications]
    ticket = Ticket.objects.with_people().filter(pk=first.ticket_id).first()
    subject = threads.subject(first.ticket_id)
    is_internal = any(activity.verb == Verb.NOTED for activity in activities)
    reply_to = threads.reply_to(first, internal=is_internal) if ticket else []
    is_receipt = first.kind == Verb.CREATED and first.reason == Audience.REQUESTER
    is_new = first.kind == Verb.CREATED and not is_receipt
    is_invited = is_receipt and _has_no_password(first)
    comment = _said(activities) if ticket else None
    folder = _folder(activities, ticket, comment, reason=first.reason)
    is_first_news = is_new or folder == "moved"
    headers, foot_links = threads.headers(first), []
    if ticket and not is_invited:
        headers |= threads.unsubscribe(first)
        foot_links = threads.foot_links(first)
    told = [activity for activity in activities if activity.verb not in SAID]
    return {
        "folder": "invitation" if is_invited and ticket else folder,
        "subject": subject,
        "headers": headers,
        "number": first.ticket_id,
        "ticket": ticket,
        "is_own": first.reason == Audience.REQUESTER,
        "own_text": _own_text(activities, ticket),
        "closes_on": ticket.closes_on if ticket else None,
        # Names cost a query, and most mails have words of their own.
        "sentences": SimpleLazyObject(lambda: timeline.sentences(told, reader=first.person)),
        "why": _why(ticket, first, activities),
        "moved_from": _moved_from(activities),
        "comment": comment,
        "files": [file.name for file in comment.attachments.all()] if comment else [],
        **_question(ticket, first),
        "quote": comment.body if comment else ticket.description if ticket and is_first_news else "",
        "url": _url(ticket, invited=first.person if is_invited else None),
        "reset_url": links.absolute("account_reset_password"),
        "reply_to": reply_to,
        "foot": _foot(ticket, subject=subject)
        + (threads.what_becomes_of_answers(internal=is_internal) if reply_to else []),
        "foot_links": foot_links,
        "reason": _("You get this mail because %(why)s.") % {"why": Audience(first.reason).label},
    }


def _question(ticket: Ticket | None, notification: Notification) -> dict:
    """What the mail that says done asks the requester, and the buttons that answer it."""
    if not (ticket and notification.reason == Audience.REQUESTER and ticket.is_done):
        return {}
    if ticket.is_merged or not ticket.takes_replies:
        return {}
    fixed, not_fixed = tokens.answer_links(ticket.pk, notification.person_id)
    text = _("Is it fixed? Within %(days)d days you can open it again.") % {"days": REOPEN_PERIOD.days}
    return {"question": text, "answers": [(_("Fixed"), fixed), (_("Not fixed"), not_fixed)]}


def _foot(ticket: Ticket | None, *, subject: str) -> list[str]:
    """What the mail says of a ticket that has got another name."""
    if ticket is None or threads.in_brackets(ticket.pk, ticket.subject) == subject:
        return []
    return [_("The ticket is called “%(subject)s” now.") % {"subject": ticket.subject}]


def _has_no_password(notification: Notification) -> bool:
    """Whether the mail may ask to choose one. A mail to an address of before must not open the account."""
    person = notification.person
    return not person.has_usable_password() and notification.address == person.email


def _url(ticket: Ticket | None, *, invited) -> str:
    """Where the button leads; somebody who is `invited` can't log in yet."""
    if ticket is None:
        return ""
    if invited:
        return links.password_reset_link(invited)
    return settings.SITE_URL + (ticket.merged_into or ticket).get_absolute_url()


def _folder(
    activities: list[ActivityLog], ticket: Ticket | None, comment: Comment | None, *, reason: str
) -> str:
    """Where the words for an act are, below templates/emails/."""
    verbs = {activity.verb for activity in activities}
    if ticket is None:
        return "deleted"
    if comment:
        return "said"
    if Verb.CREATED in verbs:
        return "receipt" if reason == Audience.REQUESTER else "filed"
    if Verb.REMINDED in verbs:
        return "reminder"
    if reason in (Audience.CATEGORY, Audience.FALLBACK) and _moved_from(activities):
        return "moved"
    is_closing = reason == Audience.REQUESTER and _is_silent_closing(activities, ticket)
    return "closing" if is_closing else "changed"


def _why(ticket: Ticket | None, notification: Notification, activities: list[ActivityLog]) -> str:
    """Why the ticket is the reader's, where the mail says that it is. For staff."""
    verbs = {activity.verb for activity in activities}
    is_told = notification.reason == Audience.ASSIGNEE and verbs & {Verb.CREATED, Verb.ASSIGNED}
    if ticket is None or not is_told or not notification.person.works:
        return ""
    return owner_words.why_assigned(ticket, reader=notification.person)


def _moved_from(activities: list[ActivityLog]) -> Category | None:
    """The category that the act moved the ticket from."""
    for activity in activities:
        if activity.verb == Verb.EDITED and "category" in activity.changes:
            return Category.objects.filter(pk=activity.changes["category"][0]).first()
    return None


def _is_silent_closing(activities: list[ActivityLog], ticket: Ticket) -> bool:
    """Closed by the helpdesk itself, because a reminder did not help."""
    return ticket.is_done and any(
        activity.actor_id is None and activity.changes.get("reminded_at", (None,))[0] is not None
        for activity in activities
    )


def _own_text(activities: list[ActivityLog], ticket: Ticket | None) -> str:
    """What the category says instead of our words, where it says something."""
    if ticket is None:
        return ""
    if any(activity.verb == Verb.REMINDED for activity in activities):
        return silence.reminder_text(ticket)
    return silence.closing_text(ticket) if _is_silent_closing(activities, ticket) else ""


def _said(activities: list[ActivityLog]) -> Comment | None:
    """What somebody wrote in this act, if it still stands."""
    saying = next((activity for activity in activities if activity.verb in SAID), None)
    if saying is None:
        return None
    comments = Comment.objects.filter(ticket=saying.ticket_id, key=saying.changes["key"][1])
    return comments.select_related("author").first()


def _account_words(notification: Notification) -> dict:
    person, kind = notification.person, AccountMail(notification.kind)
    urls = {
        AccountMail.WELCOME: lambda: links.absolute("tickets:create"),
        AccountMail.CONFIRM_ADDRESS: lambda: links.confirmation_link(person, notification.address),
        AccountMail.ACCOUNT_EXISTS: lambda: links.absolute("account_login"),
        AccountMail.PASSWORD_RESET: lambda: links.password_reset_link(person),
        AccountMail.PASSWORD_CHANGED: lambda: links.absolute("account_reset_password"),
        AccountMail.ADDRESS_CHANGED: lambda: links.absolute("about"),
    }
    return {
        "folder": kind.value,
        "url": urls[kind](),
        "reset_url": links.absolute("account_reset_password"),
        "reason": _("You get this mail because it concerns your account at the helpdesk."),
    }
