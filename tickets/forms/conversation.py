import uuid
from collections.abc import Sequence
from dataclasses import replace

from django import forms
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.validators import MaxLengthValidator
from django.db.models import BigIntegerField
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.validators import ADDRESS_MESSAGE, is_number, validate_visible
from tickets.actions import claiming, conversation, submissions
from tickets.actions.conversation import Message
from tickets.actions.drafts import Chosen
from tickets.forms.attachments import AttachmentsField, DailyLimitMixin
from tickets.forms.drafts import DraftFormMixin
from tickets.forms.tickets import FewRowsField, KeyField, LinesField
from tickets.forms.waiting import CHOOSE, WaitingMixin, day_field, reason_field
from tickets.models import Attachment, Comment, Draft, Status, Ticket
from tickets.notifications import audiences
from tickets.notifications.directory import Directory
from tickets.rules.events import Audience, Verb
from tickets.rules.workflow import FOLLOWERS, Phase


class LeftOutField(forms.ModelMultipleChoiceField):
    """The people who get no email of this reply. Everybody else does, also who is added meanwhile."""

    def __init__(self):
        unknown = _("Choose people from the list of recipients.")
        super().__init__(
            get_user_model().objects.all(), required=False, error_messages={"invalid_choice": unknown}
        )

    def clean(self, value):
        if not all(map(is_number, value or ())):
            raise forms.ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return super().clean(value)


class CommentForm(DraftFormMixin, DailyLimitMixin, forms.Form):
    """A message of `author` on `ticket`. Shows a saved draft. A repeated submission adds it once.

    Several forms of a page share `directory` and receive their `drafts`, so that each is loaded once.
    """

    kind: Draft.Kind
    verb: Verb

    body = LinesField(
        max_length=Draft.MAX_LENGTH,
        validators=[MaxLengthValidator(Draft.MAX_LENGTH), validate_visible],
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Enter a message.")},
    )
    attachments = AttachmentsField(label=_("Files"))
    key = KeyField()

    def __init__(
        self,
        *args,
        ticket: Ticket,
        author,
        source: str = Ticket.Source.WEB,
        directory: Directory | None = None,
        drafts: Chosen | None = None,
        **kwargs,
    ):
        kwargs.setdefault("auto_id", f"{self.kind}-%s")
        super().__init__(*args, drafts=drafts, **kwargs)
        self.ticket, self.author, self.source = ticket, author, source
        self.directory = directory
        if not self.is_bound:
            self.fields["key"].initial = Comment._meta.get_field("key").get_default()

    @cached_property
    def recipients(self) -> list:
        """Returns the people who will be emailed, computed by the code that sends the emails.

        Requesters don't read who was mentioned in an internal note.
        """
        hidden = () if self.author.is_staff else (Audience.MENTIONED,)
        how = {"actor": self.author, "directory": self.directory, "without": hidden}
        return list(audiences.recipients_of_next(self.verb, self.ticket, **how))

    def clean_key(self) -> uuid.UUID:
        """Replaces a key that belongs to a message on another ticket: otherwise this message would be
        dropped.
        """
        key = self.cleaned_data["key"]
        here = [number for number in (self.ticket.pk, self.ticket.merged_into_id) if number]
        said = Comment.objects.filter(author=self.author, key=key).exclude(ticket__in=here)
        filed = Ticket.objects.filter(requester=self.author, submission_key=key)
        filed = filed.exclude(links__target=self.ticket)
        return uuid.uuid4() if said.exists() or filed.exists() else key

    @property
    def uploader(self):
        return self.author

    def save(self) -> Comment | Ticket | None:
        """Adds the message once for each key and content.

        Returns the comment, or the new ticket that it became.

        Returns None if its files could not be stored, or if too many were uploaded meanwhile: the form has
        the error then. Raises TooManyTickets if it would become a new ticket above the limit.
        """
        said = self.file_once(
            self.cleaned_data["key"], self._content, file=self._say_with, find=self._said_with
        )
        return said and said[0]

    def _content(self) -> submissions.Content:
        files = submissions.content_of_files(self.cleaned_data["attachments"])
        return [self.kind.value, self.cleaned_data["body"], *files]

    def _say_with(self, key: uuid.UUID) -> Comment | Ticket:
        body, files = self.cleaned_data["body"], self.cleaned_data["attachments"]
        Attachment.objects.enforce_limit(files, self.author)
        return self._say(Message(author=self.author, body=body, files=files, key=key, source=self.source))

    def _said_with(self, key: uuid.UUID) -> tuple[Comment | Ticket | None, submissions.Content]:
        """Returns what the key was used for: a comment, or a new ticket that the reply became."""
        if said := Comment.objects.filter(author=self.author, key=key).first():
            return said, submissions.content_of_comment(said)
        if filed := Ticket.objects.filter(requester=self.author, submission_key=key).first():
            return filed, submissions.content_of_follow_up(filed)
        return None, []

    def _say(self, message: Message) -> Comment | Ticket:
        raise NotImplementedError


class ReplyForm(WaitingMixin, CommentForm):
    kind, verb = Draft.Kind.REPLY, Verb.REPLIED
    unseen: Sequence[Comment] = ()  # what others wrote meanwhile, which the author is asked about

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["body"].label = _("Your reply")
        if not conversation.is_asking(self.ticket, self.author):
            # A form always has the field, even if the page did not offer it: a ticked box needs a response.
            self.fields["claims"] = forms.BooleanField(label=_("Assign to me"), required=False, initial=True)
            self.fields["status"] = FewRowsField(
                label=_("Set status to"),
                queryset=Status.objects.filter(phase__in=FOLLOWERS[self.ticket.phase]),
                required=False,
                empty_label=self._words_without_status(),
            )
            self.fields["not_emailed"] = LeftOutField()
            self.fields["seen_entry"] = forms.IntegerField(
                required=False, min_value=0, max_value=BigIntegerField.MAX_BIGINT, widget=forms.HiddenInput
            )
            self.present_wait = self.ticket.wait
            self.fields |= {"waiting_for": reason_field(), "wakes_on": day_field()}
            self.ask_for_reason(unsaid=self._words_without_reason())

    @cached_property
    def offers_claim(self) -> bool:
        """Whether the reply can assign the ticket to its author."""
        return "claims" in self.fields and claiming.is_free(self.ticket)

    def _words_without_status(self):
        if self.ticket.phase == Phase.NEW and self.offers_claim:
            active = Status.objects.default_for(Phase.ACTIVE)
            return _("%(status)s if assigned to me") % {"status": active}
        return _("No change (%(status)s)") % {"status": self.ticket.status}

    def _words_without_reason(self):
        if not self.ticket.waiting_for:
            return CHOOSE
        return _("No change (%(reason)s)") % {"reason": self.ticket.get_waiting_for_display()}

    @cached_property
    def is_follow_up(self) -> bool:
        return conversation.is_asking(self.ticket, self.author) and not self.ticket.takes_replies

    @cached_property
    def recipients(self) -> list:
        if self.is_follow_up:
            return list(audiences.recipients_of_follow_up(self.ticket, actor=self.author))
        return super().recipients

    @property
    def left_out(self) -> list:
        """Returns the recipients whom the author leaves out. Ignores people who would get no email anyway."""
        chosen = self.cleaned_data.get("not_emailed") or ()
        return [person for person in self.recipients if person in chosen]

    @property
    def recipient_choices(self) -> list[tuple]:
        """Returns the recipients, and whether the refused form leaves them out."""
        chosen = {str(number) for number in self["not_emailed"].value() or ()}
        return [(person, str(person.pk) in chosen) for person in self.recipients]

    @property
    def button(self) -> str:
        if self.is_follow_up:
            return _("Send as new ticket")
        if not self.recipients:
            return _("Send")
        first, others = self.recipients[0].get_short_name(), len(self.recipients) - 1
        if not others:
            return _("Send to %(name)s") % {"name": first}
        text = ngettext(
            "Send to %(name)s and %(count)d other", "Send to %(name)s and %(count)d others", others
        )
        return text % {"name": first, "count": others}

    def _say(self, message):
        chosen = {name: self.cleaned_data.get(name) for name in ("status", "claims")}
        seen_entry = self.cleaned_data.get("seen_entry")
        message = replace(message, not_emailed=self.left_out, seen_entry=seen_entry)
        return conversation.reply(self.ticket, message, wait=self.typed_wait, **chosen)


class NoteForm(CommentForm):
    kind, verb = Draft.Kind.NOTE, Verb.NOTED

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["body"].label = _("Internal note")
        self.fields["body"].help_text = _("Only staff can read it, never the requester.")

    @property
    def button(self) -> str:
        return _("Add note")

    def _say(self, message):
        return conversation.note(self.ticket, message)


class WatcherForm(forms.Form):
    """Adds a colleague as a watcher of `ticket`, by email address."""

    email = forms.EmailField(
        label=_("Colleague's email address"),
        error_messages={
            "required": _("Enter a colleague's email address."),
            "invalid": ADDRESS_MESSAGE,
        },
    )

    def __init__(self, *args, ticket: Ticket, people, may_try: bool = True, **kwargs):
        kwargs.setdefault("auto_id", "watcher-%s")
        super().__init__(*args, **kwargs)
        self.ticket, self.people, self.may_try = ticket, people, may_try

    def clean_email(self) -> str:
        if not self.may_try:
            raise forms.ValidationError(
                _("You tried too many unknown addresses. Try again in an hour."),
                code="too_many",
            )
        email = self.cleaned_data["email"].lower()
        self.person = self.people.filter(email=email).first()
        if self.person is None:
            raise forms.ValidationError(self._unknown(), code="unknown")
        if self.person.pk == self.ticket.requester_id:
            raise forms.ValidationError(_("This person is already the requester."))
        return email

    @staticmethod
    def _unknown() -> str:
        """Returns the same error for unknown and for unconfirmed addresses, so that it reveals no
        accounts.
        """
        if settings.SIGNUP == "closed":
            return _("No one with this address uses the helpdesk yet. Ask IT to invite your colleague.")
        return _("No one with this address uses the helpdesk yet. Ask your colleague to sign up first.")

    def save(self):
        """Returns the person who watches now."""
        conversation.watch(self.ticket, self.person)
        return self.person
