"""The content of a ticket's page, in the portal and in the admin."""

from collections.abc import Iterable
from functools import cached_property, partial

from django.http import Http404, QueryDict
from django.utils.translation import gettext as _

from tickets.actions import drafts
from tickets.forms.conversation import NoteForm, ReplyForm, WatcherForm
from tickets.forms.fixed import FeedbackForm
from tickets.history import owner_words, timeline
from tickets.history.questions import NO_QUESTION, AskedQuestion, latest_questions
from tickets.history.status_words import status_sentence
from tickets.mail.writing import tokens
from tickets.models import Draft, Ticket, TicketLink
from tickets.notifications.directory import OneTicketDirectory
from tickets.rules.workflow import REOPEN_PERIOD
from tickets.views.drafts import drafts_for

# The URL names that entries of the conversation link to, in the portal.
ADDRESSES = {
    "take_back": "tickets:take_back",
    "reopen": "tickets:reopen",
    "ticket": "tickets:detail",
    "split": "",  # only staff split messages, on their own page
}


def find_ticket(pk: int, reader) -> Ticket:
    """Loads the ticket for TicketPage, without its people. Raises Http404 if `reader` may not see it."""
    ticket = Ticket.objects.select_related("category", "status").get_visible(pk, reader)
    if ticket is None:
        raise Http404
    return ticket


def newest_number(pk: int, reader, *, after: int) -> int:
    """Returns the last row of the log on the page now; 0 if nothing follows the row `after`.

    Every open page polls this, so it takes only two queries. Raises Http404.
    """
    ticket = Ticket.objects.only("pk").with_has_merged().get_visible(pk, reader)
    if ticket is None:
        raise Http404
    return timeline.last_number(ticket, reader, after=after)


class TicketPage:
    """The page of `ticket` for `reader`: opened, with a refused form, or only its live updates.

    The constructor loads the log and all people in a constant number of queries, and sets requester, assignee
    and watchers on the ticket. Everything else is loaded on first access.

    `asked` is the query of the URL; the history starts after the row `after` of the log; `refused` are
    submitted forms by name, shown as they were sent; `addresses` is like ADDRESSES.
    """

    def __init__(
        self,
        ticket: Ticket,
        reader,
        *,
        asked: QueryDict | None = None,
        after: int = 0,
        refused: dict | None = None,
        addresses: dict[str, str] = ADDRESSES,
    ):
        self.ticket, self.reader, self.after = ticket, reader, after
        self.asked, self.refused, self.addresses = asked or QueryDict(), refused or {}, addresses
        self.directory = OneTicketDirectory(ticket, reader)
        find_people = self.directory.people
        self.story, self.words = timeline.read(ticket, reader, after=after, find_people=find_people)
        self.directory.attach_people()

    # The conversation
    @cached_property
    def entries(self) -> list[timeline.Entry]:
        whole = self.asked.get("whole", "")
        return timeline.entries(self.story, self.words, is_part=bool(self.after), whole=whole)

    @cached_property
    def forms(self) -> dict:
        """Returns the forms for messages of the reader by name, with unsent text."""
        if self.ticket.is_merged:
            return self.refused
        classes = {"reply_form": ReplyForm}
        if self.reader.is_staff:
            classes["note_form"] = NoteForm
        unsent = {name: form for name, form in classes.items() if name not in self.refused}
        asked = self.asked.get("draft", "")
        forms = {
            name: form(
                ticket=self.ticket,
                author=self.reader,
                directory=self.directory,
                drafts=drafts.choose(self.drafts[form.kind], asked=asked),
            )
            for name, form in unsent.items()
        }
        return forms | self.refused

    @property
    def opens_note(self) -> bool:
        """Whether the composer shows the internal note: one was refused or begun, and no reply was."""
        if "note_form" in self.refused:
            return True
        reply, note = (self.forms.get(name) for name in ("reply_form", "note_form"))
        return bool(note and note["body"].value() and not (reply and reply["body"].value()))

    @cached_property
    def drafts(self) -> dict[str, list[Draft]]:
        """Returns the reader's drafts for this ticket by kind, newest first."""
        kinds = (Draft.Kind.REPLY, Draft.Kind.NOTE, Draft.Kind.DETAILS)
        if self.reader.pk not in self.ticket.belongings.drafts_of:
            return {kind: [] for kind in kinds}
        return drafts_for(self.reader, ticket=self.ticket, kinds=kinds)

    @property
    def reply_becomes_ticket(self) -> bool:
        """Whether a requester's reply becomes a new ticket, because this one was done long ago."""
        return self._requester_may_reply and not self.ticket.takes_replies

    @property
    def reply_reopens(self) -> bool:
        """Whether a requester's reply reopens the ticket."""
        return self._requester_may_reply and self.ticket.is_done and self.ticket.takes_replies

    @property
    def answer_token(self) -> str:
        """The token of the links that ask the requester whether the problem is solved; "" if none asks."""
        ticket = self.ticket
        is_asked = ticket.is_done and ticket.takes_replies and not ticket.is_merged
        is_answered = ticket.confirmed_at and ticket.feedback
        if ticket.requester_id != self.reader.pk or not is_asked or is_answered:
            return ""
        return tokens.answer_token(ticket.pk, self.reader.pk)

    @property
    def _requester_may_reply(self) -> bool:
        return "reply_form" in self.forms and not self.reader.is_staff

    def conversation(self) -> dict:
        """Returns the context of tickets/includes/story.html and the parts beside it."""
        return {
            "ticket": self.ticket,
            "names": self.addresses,
            "folds": timeline.folded(self.entries),
            "last_number": timeline.end_of(self.entries),
            "attachments": self.ticket.files_of_its_own,
            "filed_by_mail": self.story.mail_that_filed(self.ticket),
            "actions": self.actions,
            "reopens_thanks": self.reopens_thanks,
            "watchers": self.ticket.watching,
            "is_muted": self.reader.pk in self.ticket.belongings.muted_by,
            **self.forms,
        }

    def news(self, last_number: int) -> dict:
        """Returns the context of entries after the row `after`. `last_number` is newest_number()."""
        return {
            "ticket": self.ticket,
            "names": self.addresses,
            "timeline": self.entries,
            "taken_back": timeline.taken_back(self.ticket, after=self.after),
            "last_number": last_number,
            "actions": self.actions,
            "reopens_thanks": self.reopens_thanks,
            "is_live": True,
        }

    def people(self, numbers: Iterable[int]) -> list:
        """Returns people by primary key, each loaded once for the whole page."""
        return list(self.directory.people(numbers).values())

    # What happens now
    @cached_property
    def question(self) -> AskedQuestion | None:
        """Returns what IT asks the reader; None if the ticket does not wait for their reply."""
        ticket = self.ticket
        is_asked = ticket.waiting_for == Ticket.WaitingFor.REQUESTER
        if not is_asked or ticket.requester_id != self.reader.pk:
            return None
        return latest_questions([ticket.pk], self.reader).get(ticket.pk, NO_QUESTION)

    @property
    def status_line(self) -> str:
        """Returns the status as a sentence."""
        ticket = self.ticket
        if ticket.is_merged:
            return _("This ticket was merged into another one.")
        return status_sentence(
            ticket.phase,
            assignee=ticket.assignee.full_name if ticket.assignee else "",
            waiting_for=ticket.waiting_for,
            wakes_on=ticket.wakes_on,
            is_own=ticket.requester_id == self.reader.pk,
        )

    @property
    def solves_below_reply(self) -> bool:
        """Whether "Mark as solved" stands beside the reply. Before IT's first reply it is in the details."""
        is_replied = self.ticket.first_replied_at is not None
        return self.actions["close"] and is_replied and "reply_form" in self.forms

    def before_reply(self) -> dict:
        """Returns what the requester reads above the reply of a solved ticket, which updates live."""
        context = {"reply_reopens": self.reply_reopens}
        if token := self.answer_token:
            context |= {"answer_token": token, "feedback_form": FeedbackForm(auto_id="feedback-%s")}
        return context

    # Beside the conversation
    @cached_property
    def actions(self) -> dict[str, bool]:
        """Returns what the reader may do with the ticket."""
        ticket, reader = self.ticket, self.reader
        return {
            "edit": ticket.may_be_edited_by(reader),
            "withdraw": ticket.may_be_deleted_by(reader),
            "close": ticket.may_be_closed_by(reader),
            "reopen": ticket.may_be_reopened_by(reader),
            "share": ticket.may_be_shared_by(reader),
            "admin": reader.is_staff,
        }

    @property
    def has_actions(self) -> bool:
        """Whether actions are shown below the details. Sharing is shown elsewhere."""
        return any(may for name, may in self.actions.items() if name != "share")

    @property
    def reopens_thanks(self) -> bool:
        """Whether the reader may reopen the ticket after a mere thank-you."""
        return self.actions["reopen"] and self.reader.is_staff

    @property
    def visible_target(self) -> Ticket | None:
        """Returns the ticket that it was merged into, if the reader may see that one."""
        if not self.ticket.is_merged:
            return None
        return Ticket.objects.visible_to(self.reader).filter(pk=self.ticket.merged_into_id).first()

    @property
    def why_assigned(self) -> str:
        """Returns why the assignee has it, without a full stop: it is a part of a line. For staff."""
        if self.after:
            return owner_words.why_assigned(self.ticket, reader=self.reader).removesuffix(".")
        return owner_words.why(self.ticket, self.story.rows, self.words).removesuffix(".")

    @property
    def details_draft(self) -> Draft | None:
        """Returns the reader's unsaved changes of the details."""
        return next(iter(self.drafts[Draft.Kind.DETAILS]), None)

    def facts(self) -> dict:
        """Returns the context of the details beside the conversation, which update live."""
        return {
            "ticket": self.ticket,
            "changed_at": self.ticket.changed_at_for(self.reader),
            "question": self.question,
            "status_line": self.status_line,
            "may_reply": "reply_form" in self.forms,
            "solves_below_reply": self.solves_below_reply,
            "solves_in_details": self.actions["close"] and not self.solves_below_reply,
            "address": self.ticket.get_absolute_url(),
            "actions": self.actions,
            "has_actions": self.has_actions,
            "reopen_until": None if self.ticket.is_merged else self.ticket.reopen_until,
            "links": TicketLink.objects.seen_from(self.ticket, user=self.reader),
        }

    # The portal's page
    def context(self) -> dict:
        """Returns the context of tickets/ticket_detail.html."""
        context = {
            **self.conversation(),
            **self.facts(),
            **self.before_reply(),
            "visible_target": self.visible_target,
            "reply_becomes_ticket": self.reply_becomes_ticket,
            "reopen_days": REOPEN_PERIOD.days,
        }
        if self.actions["share"]:
            # Called where the form is rendered: a process keeps what it looks like.
            context["empty_watcher_form"] = partial(WatcherForm, ticket=self.ticket, people=None)
        return context
