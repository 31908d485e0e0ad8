import uuid

from django import forms
from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.validators import validate_visible
from tickets import claiming, conversation, submissions
from tickets.drafts import Chosen
from tickets.events import Verb
from tickets.forms.attachments import AttachmentsField, DailyLimitMixin, files_unavailable
from tickets.forms.drafts import DraftFormMixin
from tickets.forms.tickets import FewRowsField, KeyField, LinesField
from tickets.models import Attachment, Comment, Draft, Status, Ticket
from tickets.notifications import rules
from tickets.notifications.directory import Directory
from tickets.querysets import TooManyFiles
from tickets.storage.access import StoreUnavailable
from tickets.workflow import FOLLOWERS, Phase


class CommentForm(DraftFormMixin, DailyLimitMixin, forms.Form):
    """What `author` says on `ticket`. A draft that is kept stands in it; what is sent twice is said once.

    Several forms of one page share `directory` and are given their `drafts`, to ask once.
    """

    kind: Draft.Kind
    verb: Verb

    body = LinesField(
        max_length=Draft.MAX_LENGTH,
        validators=[MaxLengthValidator(Draft.MAX_LENGTH), validate_visible],
        widget=forms.Textarea(attrs={"rows": 4}),
        error_messages={"required": _("Please write something first.")},
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
        """The people who will be mailed, by the very rules that mail them."""
        return list(
            rules.recipients_of_next(self.verb, self.ticket, actor=self.author, directory=self.directory)
        )

    def clean_key(self) -> uuid.UUID:
        """A key that stands for something said on another ticket would swallow what is said here."""
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
        """Says it, once for each key and content. Returns the comment, or the new ticket that it became.

        None where its files could not be stored, or too many came meanwhile: the form has the error then.
        Raises TooManyTickets where it would become one too many.
        """
        body, files = self.cleaned_data["body"], self.cleaned_data["attachments"]

        def say(key: uuid.UUID) -> Comment | Ticket:
            Attachment.objects.hold_to_limit(files, self.author)
            said = {"body": body, "files": files, "key": key, "source": self.source}
            return self._say(self.ticket, author=self.author, **said)

        try:
            content = [self.kind.value, body, *submissions.content_of_files(files)]
            said, _is_new = submissions.file_once(
                self.cleaned_data["key"], content, file=say, find=self._said_with
            )
        except TooManyFiles as error:
            self.refuse_files(error.wait)
            return None
        except (StoreUnavailable, OSError):  # an upload waits in a temporary folder, which may fail too
            self.add_error("attachments", files_unavailable())
            return None
        return said

    def _said_with(self, key: uuid.UUID) -> tuple[Comment | Ticket | None, submissions.Content]:
        """What the key was used for before: a comment, or a new ticket that the reply became."""
        if said := Comment.objects.filter(author=self.author, key=key).first():
            return said, submissions.content_of_comment(said)
        if filed := Ticket.objects.filter(requester=self.author, submission_key=key).first():
            return filed, submissions.content_of_follow_up(filed)
        return None, []

    def _say(self, ticket: Ticket, **said) -> Comment | Ticket:
        raise NotImplementedError


class ReplyForm(CommentForm):
    kind, verb = Draft.Kind.REPLY, Verb.REPLIED

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["body"].widget.attrs["data-key"] = "r"  # static/js/admin_keys.js
        if not conversation.is_asking(self.ticket, self.author):
            self.fields["body"].label = _("Your reply")
            # Also where the page does not offer it (any more): what was ticked gets an answer.
            self.fields["claims"] = forms.BooleanField(label=_("Assign to me"), required=False, initial=True)
            self.fields["status"] = FewRowsField(
                label=_("Then the status is"),
                queryset=Status.objects.filter(phase__in=FOLLOWERS[self.ticket.phase]),
                required=False,
                empty_label=self._words_without_status(),
            )
        else:
            self.fields["body"].label = _("Your answer")

    @cached_property
    def offers_claim(self) -> bool:
        """Whether the answer can make its author the assignee."""
        return "claims" in self.fields and claiming.is_free(self.ticket)

    def _words_without_status(self):
        if self.ticket.phase == Phase.NEW and self.offers_claim:
            active = Status.objects.default_for(Phase.ACTIVE)
            return _("%(active)s if assigned to me, otherwise %(status)s") % {
                "active": active,
                "status": self.ticket.status,
            }
        return _("as it is: %(status)s") % {"status": self.ticket.status}

    @cached_property
    def is_follow_up(self) -> bool:
        return conversation.is_asking(self.ticket, self.author) and not self.ticket.takes_replies

    @cached_property
    def recipients(self) -> list:
        if self.is_follow_up:
            return list(rules.recipients_of_follow_up(self.ticket, actor=self.author))
        return super().recipients

    @property
    def button(self) -> str:
        if self.is_follow_up:
            return _("Send as a new ticket")
        if not self.recipients:
            return _("Send")
        first, others = self.recipients[0].get_short_name(), len(self.recipients) - 1
        if not others:
            return _("Send to %(name)s") % {"name": first}
        text = ngettext(
            "Send to %(name)s and %(count)d other", "Send to %(name)s and %(count)d others", others
        )
        return text % {"name": first, "count": others}

    def _say(self, ticket, **said):
        chosen = {name: self.cleaned_data.get(name) for name in ("status", "claims")}
        return conversation.reply(ticket, **chosen, **said)


class NoteForm(CommentForm):
    kind, verb = Draft.Kind.NOTE, Verb.NOTED

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["body"].label = _("Internal note")
        self.fields["body"].help_text = _("Only staff read it. The requester never does.")

    @property
    def button(self) -> str:
        return _("Save note, staff only")

    def _say(self, ticket, **said):
        return conversation.note(ticket, **said)


class WatcherForm(forms.Form):
    """Adds a colleague to the watchers of `ticket`, by the mail address."""

    email = forms.EmailField(
        label=_("Mail address of a colleague"),
        error_messages={"required": _("Please type the mail address of a colleague.")},
    )

    def __init__(self, *args, ticket: Ticket, people, may_try: bool = True, **kwargs):
        kwargs.setdefault("auto_id", "watcher-%s")
        super().__init__(*args, **kwargs)
        self.ticket, self.people, self.may_try = ticket, people, may_try

    def clean_email(self) -> str:
        if not self.may_try:
            raise forms.ValidationError(
                _("You tried many addresses that nobody uses here. Please try again in an hour."),
                code="too_many",
            )
        email = self.cleaned_data["email"].lower()
        self.person = self.people.filter(email=email).first()
        if self.person is None:
            raise forms.ValidationError(self._unknown(), code="unknown")
        if self.person.pk == self.ticket.requester_id:
            raise forms.ValidationError(_("The ticket belongs to this person already."))
        return email

    @staticmethod
    def _unknown() -> str:
        """Says the same of an address that nobody has confirmed: who has an account stays untold."""
        if settings.SIGNUP == "closed":
            return _("Nobody with this address uses the helpdesk yet. Ask IT to invite your colleague.")
        return _("Nobody with this address uses the helpdesk yet. Ask your colleague to sign up first.")

    def save(self):
        """Returns the person, who watches now."""
        conversation.watch(self.ticket, self.person)
        return self.person
