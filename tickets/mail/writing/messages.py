"""Builds an email from rows of the outbox. Text and HTML share templates (templates/emails/<folder>/)."""

from dataclasses import replace
from email.utils import formataddr

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext as _

from accounts import links
from accounts.events import AccountMail
from tickets.actions import silence
from tickets.history import owner_words, story
from tickets.mail.guard import check_address, check_header
from tickets.mail.writing import digest, handed_over, is_this_you, threads, tokens, weekly_report
from tickets.mail.writing.letter import AccountLetter, Letter, Link, Question, TicketLetter
from tickets.models import ActivityLog, Category, Comment, Mailbox, Notification, Ticket
from tickets.models.notification import (
    CANARY,
    HANDED_OVER,
    HELD,
    IS_THIS_YOU,
    RECEIVED_WAITS,
    WEEKLY_REPORT,
    WITHOUT_RETURN,
)
from tickets.rules.events import CHANGED_FOLDER, EVENTS, Audience, Verb, folder_for
from tickets.rules.workflow import REOPEN_PERIOD

# Marks emails as automatic, so that they get no automatic replies (RFC 3834, 5).
AUTOMATIC = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"}
MESSAGE_ID_SALT = "tickets.notifications.message_id"


def build(notifications: list[Notification]) -> EmailMultiAlternatives:
    """Builds one email to one person. Raises UnsafeMail if it must not be sent."""
    first = notifications[0]
    zone = first.person.zone if first.person else None
    with translation.override(settings.LANGUAGE_CODE), timezone.override(zone):
        letter = _letter(notifications)
        subject, text = letter.subject, render_to_string("emails/layout.txt", {"letter": letter})
        html = (
            render_to_string("emails/layout.html", {"letter": letter})
            if settings.HAS_MAIL_PROVIDER or first.mailbox
            else ""
        )
    # An answer to one email; a server that knows null return paths sends it with one (RFC 3834, 3.3 and 5).
    reply = {"Auto-Submitted": "auto-replied"} if first.kind in WITHOUT_RETURN else {}
    headers = {
        **AUTOMATIC,
        **reply,
        "List-Id": f"<helpdesk.{settings.MESSAGE_ID_DOMAIN}>",
        "Message-ID": first.message_id,
        **letter.headers,
    }
    mail = EmailMultiAlternatives(
        subject=check_header(subject),
        body=text,
        from_email=check_header(_from(first.mailbox)),
        to=[check_address(first.address)],
        headers={name: check_header(value) for name, value in headers.items()},
        reply_to=[check_address(address) for address in letter.reply_to],
    )
    if html:  # the console prints only text
        mail.attach_alternative(html, "text/html")
    return mail


def _from(mailbox: Mailbox | None) -> str:
    """The From of emails that `mailbox` sends; None: the provider of the settings."""
    if mailbox is None:
        return settings.DEFAULT_FROM_EMAIL
    return formataddr((mailbox.sender_name or settings.SITE_NAME, check_address(mailbox.address)))


def new_message_id(notification: Notification) -> str:
    """A Message-ID that stays the same when the email is sent again.

    It is secret, because an email whose In-Reply-To contains it counts as a reply.
    """
    value = f"{notification.pk}.{notification.batch}"
    secret = salted_hmac(MESSAGE_ID_SALT, value, algorithm="sha256").hexdigest()[:32]
    return f"<helpdesk-{notification.pk}-{secret}@{settings.MESSAGE_ID_DOMAIN}>"


def _letter(notifications: list[Notification]) -> Letter:
    first = notifications[0]
    if first.kind == CANARY:
        return Letter(folder=CANARY, reason=_("The helpdesk sends this email to itself."))
    if first.kind == HELD:
        reason = _("You are receiving this email because you wrote to the helpdesk.")
        headers = threads.headers_of_answer(first)
        return Letter(folder=HELD, person=first.person, reason=reason, headers=headers)
    if first.kind == RECEIVED_WAITS:
        reason = _("You are receiving this email because you wrote to the helpdesk.")
        return Letter(folder=RECEIVED_WAITS, reason=reason, headers=threads.headers_of_answer(first))
    if first.kind == IS_THIS_YOU:
        return is_this_you.letter(first)
    if first.kind == HANDED_OVER:
        return handed_over.letter(first)
    if first.kind == WEEKLY_REPORT:
        return weekly_report.letter(first)
    if first.activity_id is None:
        return _account_letter(first)
    return (
        digest.letter(notifications) if digest.tells_of_many(notifications) else _ticket_letter(notifications)
    )


def _ticket_letter(notifications: list[Notification]) -> TicketLetter:
    first = notifications[0]
    activities = [notification.activity for notification in notifications]
    ticket = Ticket.objects.with_people().filter(pk=first.ticket_id).first()
    comment = _said(activities) if ticket else None
    folder = _folder(activities, ticket, comment, reason=first.reason)
    is_receipt = first.kind == Verb.CREATED and first.reason == Audience.REQUESTER
    is_internal = any(story.is_internal(activity.verb, activity.changes) for activity in activities)
    is_first_news = (first.kind == Verb.CREATED and not is_receipt) or folder == "moved"
    invited = first.person if ticket and is_receipt and _has_no_password(first) else None
    letter = TicketLetter(
        folder="invitation" if invited else folder,
        person=first.person,
        reason=_("You are receiving this email because %(why)s.") % {"why": Audience(first.reason).label},
        thread_subject=threads.subject(first.ticket_id),
        headers=threads.headers(first, internal=is_internal),
        url=_url(ticket, invited=invited),
        reset_url=links.absolute("account_reset_password"),
        number=first.ticket_id,
        ticket=ticket,
        is_own=first.reason == Audience.REQUESTER,
        activities=[activity for activity in activities if not EVENTS[activity.verb].says],
        moved_from=_moved_from(activities),
    )
    if ticket is None:
        return letter
    if not invited:
        headers = letter.headers | threads.unsubscribe(first)
        letter = replace(letter, headers=headers, foot_links=threads.foot_links(first))
    reply_to = threads.reply_to(first, internal=is_internal)
    answers = threads.what_becomes_of_answers(internal=is_internal) if reply_to else []
    return replace(
        letter,
        own_text=_own_text(folder, ticket),
        quote=comment.body if comment else ticket.description if is_first_news else "",
        comment=comment,
        files=[file.name for file in comment.attachments.all()] if comment else (),
        closes_on=ticket.closes_on,
        why=_why(ticket, first, activities),
        question=_question(ticket, first),
        reply_to=reply_to,
        foot=_foot(ticket, subject=letter.thread_subject) + answers,
    )


def _question(ticket: Ticket, notification: Notification) -> Question | None:
    """The question "Is your problem solved?" in the email to the requester of a solved ticket."""
    if notification.reason != Audience.REQUESTER or not ticket.is_done:
        return None
    if ticket.is_merged or not ticket.takes_replies:
        return None
    fixed, not_fixed = tokens.answer_links(ticket.pk, notification.person_id)
    text = _("Is your problem solved? You can reopen the ticket within %(days)d days.") % {
        "days": REOPEN_PERIOD.days
    }
    return Question(text, [Link(_("Solved my problem"), fixed), Link(_("Not yet"), not_fixed)])


def _foot(ticket: Ticket, *, subject: str) -> list[str]:
    """Mentions the new subject of a ticket, because the Subject of its emails stays the same."""
    if threads.in_brackets(ticket.pk, ticket.subject) == subject:
        return []
    return [_("The subject is now “%(subject)s”.") % {"subject": ticket.subject}]


def _has_no_password(notification: Notification) -> bool:
    """Whether the email may invite to choose a password. An old address must not open the account."""
    person = notification.person
    return not person.has_usable_password() and notification.address == person.email


def _url(ticket: Ticket | None, *, invited) -> str:
    """The target of the button. A person who is `invited` can't log in yet."""
    if ticket is None:
        return ""
    if invited:
        return links.password_reset_link(invited)
    return settings.SITE_URL + (ticket.merged_into or ticket).get_absolute_url()


def _folder(
    activities: list[ActivityLog], ticket: Ticket | None, comment: Comment | None, *, reason: str
) -> str:
    """The folder below templates/emails/ for an action."""
    if ticket is None:
        return EVENTS[Verb.DELETED].folder
    verbs = (activity.verb for activity in activities if comment or not EVENTS[activity.verb].says)
    folder = folder_for(verbs, reason)
    if folder == "moved" and _moved_from(activities) is None:
        return CHANGED_FOLDER
    is_closing = reason == Audience.REQUESTER and _is_silent_closing(activities, ticket)
    return "closing" if is_closing and folder == CHANGED_FOLDER else folder


def _why(ticket: Ticket, notification: Notification, activities: list[ActivityLog]) -> str:
    """Why the ticket is assigned to the reader, in emails to staff about an assignment."""
    may_assign = any(EVENTS[activity.verb].may_set("assignee") for activity in activities)
    is_assignment = notification.reason == Audience.ASSIGNEE and may_assign
    if not is_assignment or not notification.person.works:
        return ""
    return owner_words.why_assigned(ticket, reader=notification.person)


def _moved_from(activities: list[ActivityLog]) -> Category | None:
    """The previous category, if the action changed it."""
    for activity in activities:
        if activity.verb == Verb.EDITED and "category" in activity.changes:
            return Category.objects.filter(pk=activity.changes["category"][0]).first()
    return None


def _is_silent_closing(activities: list[ActivityLog], ticket: Ticket) -> bool:
    """Whether the helpdesk closed the ticket after an unanswered reminder."""
    return ticket.is_done and any(
        activity.actor_id is None and activity.changes.get("reminded_at", (None,))[0] is not None
        for activity in activities
    )


def _own_text(folder: str, ticket: Ticket) -> str:
    """The category's own text for this email; "" for the default text."""
    if folder == "reminder":
        return silence.reminder_text(ticket)
    return silence.closing_text(ticket) if folder == "closing" else ""


def _said(activities: list[ActivityLog]) -> Comment | None:
    """The message of this action, unless its author undid it."""
    saying = next((activity for activity in activities if EVENTS[activity.verb].says), None)
    if saying is None:
        return None
    comments = Comment.objects.filter(ticket=saying.ticket_id, key=saying.changes["key"][1])
    return comments.select_related("author").first()


def _account_letter(notification: Notification) -> AccountLetter:
    person, kind = notification.person, AccountMail(notification.kind)
    urls = {
        AccountMail.WELCOME: lambda: links.absolute("tickets:create"),
        AccountMail.CONFIRM_ADDRESS: lambda: links.confirmation_link(person, notification.address),
        AccountMail.ACCOUNT_EXISTS: lambda: links.absolute("account_login"),
        AccountMail.ACCOUNT_CREATED: lambda: links.password_reset_link(person),
        AccountMail.PASSWORD_RESET: lambda: links.password_reset_link(person),
        AccountMail.PASSWORD_CHANGED: lambda: links.absolute("account_reset_password"),
        AccountMail.ADDRESS_CHANGED: lambda: links.absolute("about"),
    }
    return AccountLetter(
        folder=kind.value,
        person=person,
        url=urls[kind](),
        reset_url=links.absolute("account_reset_password"),
        reason=_("You are receiving this email because it concerns your account at the helpdesk."),
    )
