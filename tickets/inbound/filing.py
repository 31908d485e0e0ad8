"""Makes of a mail what a person would have made on the site: a reply, a note, a new ticket."""

import hashlib
import uuid
from collections.abc import Sequence
from functools import partial

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.core.files.base import ContentFile
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.links import without_keys
from accounts.validators import is_blank
from tickets import conversation
from tickets.file_types import identify
from tickets.inbound import addresses, participants, quoting
from tickets.inbound.limits import MAX_BYTES, MAX_FILES_TAKEN
from tickets.inbound.parsing import Mail, MailFile
from tickets.inbound.subjects import is_about, without_prefixes
from tickets.models import Attachment, Category, Comment, InboundEmail, Status, Ticket
from tickets.querysets import TooManyFiles
from tickets.validators import safe_name, validate_size
from tickets.workflow import Phase

LONGEST = 20_000
MOST_WATCHERS = 10
SUBMISSION = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")


def say(mail: Mail, email: InboundEmail, *, author, ticket: Ticket, is_internal: bool) -> Comment | Ticket:
    """The mail as a public reply or as an internal note; what tickets.conversation makes of it.

    An answer of staff claims the ticket: it stands here because it is proven (decisions.is_believed).
    """
    files, left_out = _through_the_door(mail.files, author, ticket)
    reply = partial(conversation.reply, claims=True, subject=without_prefixes(mail.subject))
    act = conversation.note if is_internal else reply
    words = _new_words(mail, ticket)
    # Staff may quote what others must not read; the original has it.
    trimmed = "" if author.is_staff and not is_internal else _shown(quoting.cut(mail.text, words))[:LONGEST]
    return act(
        ticket,
        author=author,
        body=_body(_under_subject(mail, words, ticket), left_out, mail.is_cut),
        trimmed=trimmed,
        files=files,
        key=_key(email),
        source=Ticket.Source.EMAIL,
    )


def file_ticket(mail: Mail, email: InboundEmail, *, requester) -> Ticket:
    """The mail as a new ticket, which the colleagues in copy watch. Nothing is cut: it may be a forward."""
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
    """The mail of somebody who may not speak, as an internal note of the `author`.

    Without a ticket on a new one, which is the `author`'s.
    """
    name, address = mail.sender_name or mail.sender or _("unknown sender"), mail.sender or "?"
    words = {"name": name, "address": address}
    if ticket is None:
        why = _(
            "Email from %(name)s <%(address)s>. The sender could not be verified, so the email is quoted in "
            "an internal note."
        )
        ticket = _new_ticket(mail, email, requester=author, description=why % words)
    files, left_out = _through_the_door(mail.files, author, ticket)
    head = _("Mail from %(name)s <%(address)s>:") % words
    body = _body(f"{head}\n\n{mail.text}", left_out, mail.is_cut)
    return conversation.note(
        ticket, author=author, body=body, files=files, key=_key(email), source=Ticket.Source.EMAIL
    )


def _new_words(mail: Mail, ticket: Ticket) -> str:
    answers = quoting.is_answer(mail.subject, mail.references)
    known = participants.of(ticket) if answers else None
    return quoting.new_words(mail.text, is_answer=answers, conversation=known)


def _under_subject(mail: Mail, words: str, ticket: Ticket) -> str:
    """The new words of a mail, below its subject where that is not the ticket's."""
    subject = without_prefixes(mail.whole_subject)
    if not subject or is_blank(words) or is_about(subject, ticket):
        return words
    return _("Subject: %(subject)s") % {"subject": subject} + f"\n\n{words}"


def _new_ticket(mail: Mail, email: InboundEmail, *, requester, description: str) -> Ticket:
    return Ticket.objects.create(
        subject=mail.subject if not is_blank(mail.subject) else _("Mail without a subject"),
        description=description,
        category=Category.objects.for_mail(),
        status=Status.objects.default_for(Phase.NEW),
        requester=requester,
        source=Ticket.Source.EMAIL,
        submission_key=_key(email),
    )


def _key(email: InboundEmail) -> uuid.UUID:
    """What is filed twice is refused by the database."""
    return uuid.uuid5(SUBMISSION, email.identity)


def _shown(text: str) -> str:
    """Without what opens a door."""
    return without_keys(addresses.masked(text))


def _body(text: str, left_out: list[str], is_cut: bool) -> str:
    """The text as it is stored, with what became of files that can't be taken and of what is too long."""
    text = _("(no text)") if is_blank(text) else _shown(text)
    parts = [text, "\n".join(left_out)] if left_out else [text]
    body = "\n\n".join(parts)
    if len(body) <= LONGEST and not is_cut:
        return body
    end = "\n\n" + _("(The mail is longer. IT has all of it.)")
    if left_out:
        end = f"\n\n{parts[1][:2000]}{end}"
    return text[: LONGEST - len(end)] + end


def _through_the_door(
    files: Sequence[MailFile], person, ticket: Ticket | None = None
) -> tuple[list[ContentFile], list[str]]:
    """The files by the rules of the web's form, and a line for each that they refuse.

    A mail may bring more files than a form. What its pictures show comes last, and not again on one ticket.
    """
    taken: list[MailFile] = []
    left_out, size = [], 0
    new = _without_repeated(files, ticket)
    for file in new:
        try:
            validate_size(file.name, len(file.content))
            identify(safe_name(file.name), file.content)
            if len(taken) == MAX_FILES_TAKEN or size + len(file.content) > MAX_BYTES:
                raise ValidationError(_("There are too many files in one mail."))
        except ValidationError as error:
            left_out.append(_left_out(file.name, " ".join(error.messages)))
        else:
            taken.append(file)
            size += len(file.content)
    kept = _within_the_day(taken, person)
    left_out += [_left_out(file.name, _("Too many files came within a day.")) for file in taken[len(kept) :]]
    if repeated := len(files) - len(new):
        why = ngettext(
            "Left out: %(count)d picture that is on this ticket already.",
            "Left out: %(count)d pictures that are on this ticket already.",
            repeated,
        )
        left_out.append(why % {"count": repeated})
    return kept, left_out


def _without_repeated(files: Sequence[MailFile], ticket: Ticket | None) -> list[MailFile]:
    """Without the pictures that came before: the logo below each answer, and what a quotation repeats."""
    if ticket is None or not any(file.is_inline for file in files):
        return list(files)
    known = set(ticket.attachments.values_list("sha256", flat=True))
    return [
        file for file in files if not (file.is_inline and hashlib.sha256(file.content).hexdigest() in known)
    ]


def _within_the_day(files: list[MailFile], person) -> list[ContentFile]:
    """The first of the files that the day's limit allows: all, those without icons or pictures, or none."""
    without_icons = [file for file in files if not file.is_icon]
    attached = [file for file in files if not file.is_inline]
    for some in (files, without_icons, attached):
        uploads = [ContentFile(file.content, name=file.name) for file in some]
        try:
            Attachment.objects.hold_to_limit(uploads, person)
        except TooManyFiles:
            continue
        return uploads
    return []


def _left_out(name: str, why: str) -> str:
    shown = "".join(character if character.isprintable() else " " for character in name)[:120]
    return _("Left out: %(name)s. %(why)s") % {"name": shown, "why": why}


def _in_copy(mail: Mail) -> list:
    """People of the helpdesk among the recipients; nobody becomes one by it."""
    others = [address for address in mail.recipients if not addresses.is_ours(address)]
    people = get_user_model().objects.active().may_be_mailed().filter(email__in=others).order_by("pk")
    return list(people[:MOST_WATCHERS])
