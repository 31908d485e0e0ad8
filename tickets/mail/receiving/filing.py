"""Creates a reply, an internal note or a ticket from a message, with the same actions as the pages."""

import hashlib
import uuid
from collections.abc import Sequence

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.links import without_keys
from accounts.validators import is_blank
from tickets.actions import conversation
from tickets.actions.conversation import Message
from tickets.mail import addresses
from tickets.mail.receiving import arrival, participants, quoting
from tickets.mail.receiving.body import WINMAIL
from tickets.mail.receiving.limits import MAX_BYTES, MAX_FILES_TAKEN
from tickets.mail.receiving.parsing import Mail, MailFile
from tickets.mail.receiving.subjects import is_about, without_prefixes
from tickets.models import Attachment, Category, Comment, InboundEmail, Mailbox, Status, Ticket
from tickets.models.attachment_querysets import TooManyFiles
from tickets.rules.file_types import identify, is_no_program, is_text
from tickets.rules.refusals import reason_of
from tickets.rules.validators import safe_name, validate_size
from tickets.rules.workflow import Phase

LONGEST = 20_000
LONGEST_WORD = 200
MOST_LINES = 30  # lines about refused files, below a text that is cut
MOST_WATCHERS = 10
SUBMISSION = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


def say(mail: Mail, email: InboundEmail, *, author, ticket: Ticket, is_internal: bool) -> Comment | Ticket:
    """Adds the message as a public reply or as an internal note. Returns the comment or a new ticket.

    A reply by staff assigns an unassigned ticket to its author. decisions.is_believed() has authenticated it.
    """
    files, left_out = _through_the_door(mail.files, author, ticket)
    words = _new_words(mail, ticket)
    # Do not show quoted text of staff, which may be internal. The original contains it.
    trimmed = "" if author.is_staff and not is_internal else _fitting(_shown(quoting.cut(mail.text, words)))
    body = _body(_under_subject(mail, words, ticket), left_out, mail.is_cut)
    message = Message(
        author=author,
        body=body,
        files=files,
        key=_key(email),
        source=Ticket.Source.EMAIL,
        trimmed=trimmed,
        subject=without_prefixes(mail.subject),
        description=_with_quotation(body, trimmed),
    )
    if is_internal:
        return conversation.note(ticket, message)
    return conversation.reply(ticket, message, claims=True)


def file_ticket(mail: Mail, email: InboundEmail, *, requester) -> Ticket:
    """Creates a ticket, watched by people in Cc. Keeps quoted text, because it may be a forward."""
    files, left_out = _through_the_door(mail.files, requester)
    text = mail.text
    if mail.whole_subject != mail.subject:
        text = f"{mail.whole_subject}\n\n{text}".rstrip()
    body = _body(text, left_out, mail.is_cut)
    ticket = _new_ticket(mail, email, requester=requester, description=body)
    Attachment.attach(files, ticket=ticket, uploader=requester)
    for person in _in_copy(mail):
        conversation.watch(ticket, person)
    return ticket


def quote(mail: Mail, email: InboundEmail, *, author, ticket: Ticket | None) -> Comment:
    """Quotes the message in an internal note by `author`. Without `ticket`, creates one for `author`."""
    name, address = mail.sender_name or mail.sender or _("unknown sender"), mail.sender or "?"
    words = {"name": name, "address": address}
    if ticket is None:
        why = _(
            "Email from %(name)s <%(address)s>. The sender could not be verified, so the email is quoted in "
            "an internal note."
        )
        ticket = _new_ticket(mail, email, requester=author, description=why % words)
    files, left_out = _through_the_door(mail.files, author, ticket)
    head = _("Email from %(name)s <%(address)s>:") % words
    body = _body(f"{head}\n\n{mail.text}", left_out, mail.is_cut)
    message = Message(author=author, body=body, files=files, key=_key(email), source=Ticket.Source.EMAIL)
    return conversation.note(ticket, message)


def _new_words(mail: Mail, ticket: Ticket) -> str:
    answers = quoting.is_answer(mail.subject, mail.references)
    known = participants.of(ticket) if answers else None
    return quoting.new_words(mail.text, is_answer=answers, participants=known)


def _under_subject(mail: Mail, words: str, ticket: Ticket) -> str:
    """The new text of a message, with its subject above if it differs from the ticket's."""
    subject = without_prefixes(mail.whole_subject)
    if not subject or is_blank(words) or is_about(subject, ticket):
        return words
    return _("Subject: %(subject)s") % {"subject": subject} + f"\n\n{words}"


def _new_ticket(mail: Mail, email: InboundEmail, *, requester, description: str) -> Ticket:
    mailbox = arrival.mailbox_of(email, mail)
    return Ticket.objects.create(
        subject=mail.subject if not is_blank(mail.subject) else _("Email without a subject"),
        description=description,
        category=_category(mailbox),
        status=Status.objects.default_for(Phase.NEW),
        requester=requester,
        source=Ticket.Source.EMAIL,
        submission_key=_key(email),
        mailbox=mailbox,
    )


def _category(mailbox: Mailbox | None) -> Category:
    """The category of the mailbox while it is active, else the one for email."""
    category = mailbox and mailbox.category
    return category if category and category.is_active else Category.objects.for_mail()


def _key(email: InboundEmail) -> uuid.UUID:
    """A unique key, with which the database rejects a second comment or ticket for the same message."""
    return uuid.uuid5(SUBMISSION, email.identity)


def _shown(text: str) -> str:
    """`text` without reply signatures and login links."""
    return without_keys(addresses.masked(text))


def _body(text: str, left_out: list[str], is_cut: bool) -> str:
    """The text of the comment, with lines about refused files and about a cut."""
    text = _("(no text)") if is_blank(text) else _shown(text)
    parts = [text, "\n".join(left_out)] if left_out else [text]
    body = "\n\n".join(parts)
    if len(body) <= LONGEST and not is_cut:
        return body
    return _fitting(text, is_cut=True, below=_few(left_out))


def _with_quotation(body: str, trimmed: str) -> str:
    """`body` with the trimmed text as a quotation, for a new ticket, which has no field for it."""
    return (
        _fitting("\n".join([body, "", *(f"> {line}" for line in trimmed.split("\n"))])) if trimmed else body
    )


def _fitting(text: str, *, is_cut: bool = False, below: str = "") -> str:
    """Cuts `text` to LONGEST characters between two words, and adds a line about it."""
    if len(text) <= LONGEST and not is_cut:
        return text
    end = f"{below}\n\n" + _("(The email is longer. IT can open the original.)")
    room = LONGEST - len(end)
    if len(text) > room:
        words = next(iter(text[: room + 1].rsplit(maxsplit=1)), "")
        text = words if len(words) > room - LONGEST_WORD else text[:room]
    return text + end


def _few(left_out: list[str]) -> str:
    """The first lines about refused files, and the number of further ones."""
    more = len(left_out) - MOST_LINES
    lines = left_out[:MOST_LINES]
    if more > 0:
        lines.append(
            ngettext("And %(count)d more file.", "And %(count)d more files.", more) % {"count": more}
        )
    return "\n\n" + "\n".join(lines) if lines else ""


def _through_the_door(
    files: Sequence[MailFile], person, ticket: Ticket | None = None
) -> tuple[list[ContentFile], list[str]]:
    """Validates files like the web form. Returns the accepted files, and a line for each refused one.

    A message may have more files than a form. Inline images that the ticket already has are left out.
    """
    taken: list[MailFile] = []
    left_out, size = [], 0
    new = _without_repeated(files, ticket)
    for file in new:
        try:
            validate_size(file.name, len(file.content))
            _validate_type(file)
            if len(taken) == MAX_FILES_TAKEN or size + len(file.content) > MAX_BYTES:
                raise ValidationError(_("Too many files in one email."))
        except ValidationError as error:
            left_out.append(_left_out(file.name, reason_of(error)))
        else:
            taken.append(file)
            size += len(file.content)
    kept = _within_the_day(taken, person)
    left_out += [_left_out(file.name, _("Too many files within a day.")) for file in taken[len(kept) :]]
    if any(file.name == WINMAIL for file in kept):
        left_out.append(_("winmail.dat could not be read completely. The original is attached."))
    if repeated := len(files) - len(new):
        why = ngettext(
            "Left out: %(count)d picture that is already on this ticket.",
            "Left out: %(count)d pictures that are already on this ticket.",
            repeated,
        )
        left_out.append(why % {"count": repeated})
    return kept, left_out


def _validate_type(file: MailFile) -> None:
    """Raises ValidationError. More tolerant than the form, which people can correct and send again.

    Accepts bytes of an unknown type (a damaged image, a document with a password), but no text with the name
    of another type, and no program.
    """
    try:
        identify(safe_name(file.name), file.content)
    except ValidationError as error:
        is_unknown = not is_text(file.content) and is_no_program(file.content)
        if error.code != "content" or not is_unknown:
            raise


def _without_repeated(files: Sequence[MailFile], ticket: Ticket | None) -> list[MailFile]:
    """Leaves out inline images that the ticket already has, such as logos of signatures."""
    if ticket is None or not any(file.is_inline for file in files):
        return list(files)
    known = set(ticket.attachments.values_list("sha256", flat=True))
    return [
        file for file in files if not (file.is_inline and hashlib.sha256(file.content).hexdigest() in known)
    ]


def _within_the_day(files: list[MailFile], person) -> list[ContentFile]:
    """The files within the daily limit: all, or without icons, or without inline images, or none."""
    without_icons = [file for file in files if not file.is_icon]
    attached = [file for file in files if not file.is_inline]
    for some in (files, without_icons, attached):
        uploads = [ContentFile(file.content, name=file.name) for file in some]
        try:
            Attachment.objects.enforce_limit(uploads, person)
        except TooManyFiles:
            continue
        return uploads
    return []


def _left_out(name: str, why: str) -> str:
    shown = "".join(character if character.isprintable() else " " for character in name)[:120]
    return _("Left out: %(name)s. %(why)s") % {"name": shown, "why": why}


def _in_copy(mail: Mail) -> list:
    """People with an account among the recipients. Creates no accounts."""
    others = set(mail.recipients) - addresses.ours_among(mail.recipients)
    people = get_user_model().objects.active().may_be_mailed().filter(email__in=others).order_by("pk")
    return list(people[:MOST_WATCHERS])
