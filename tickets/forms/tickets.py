import re
import uuid

from django import forms
from django.forms.models import ModelChoiceIterator
from django.utils.text import normalize_newlines
from django.utils.translation import gettext_lazy as _

from tickets import filing_limit, submissions
from tickets.forms.attachments import AttachmentsField, DailyLimitMixin, files_unavailable
from tickets.forms.drafts import DraftFormMixin
from tickets.forms.versioned import VersionedFormMixin
from tickets.models import Attachment, Category, Ticket
from tickets.querysets import TooManyFiles
from tickets.storage.access import StoreUnavailable

EMPTY_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")  # before the first line that says something
RANDOM = 4  # the version of such a UUID (RFC 9562, 5.4)


class LinesField(forms.CharField):
    """Text of several lines. A browser counts a line end as one character but sends two (HTML, 4.10.11).

    Its first line stays indented as it was typed: it may be the head of a table.
    """

    def __init__(self, **kwargs):
        super().__init__(strip=False, **kwargs)

    def to_python(self, value):
        text = normalize_newlines(super().to_python(value))
        return EMPTY_LINES.sub("", text.rstrip()) or self.empty_value

    def has_changed(self, initial, data):
        """An imported text may have other line ends, or space around it: that is nobody's change."""
        return super().has_changed(self.to_python(initial), data)


class KeyField(forms.UUIDField):
    """Comes with a form, so that what is sent twice is known; cleans to a new key where none is sent.

    Only random ones are taken: the others are made of a message's key when it is split (tickets.splitting).
    """

    widget = forms.HiddenInput

    def __init__(self, **kwargs):
        super().__init__(required=False, **kwargs)

    def clean(self, value) -> uuid.UUID:
        key = super().clean(value)
        return key if key and key.version == RANDOM else uuid.uuid4()


class FewRows(ModelChoiceIterator):
    """Read once, whoever asks. Django opens a cursor on the server: three questions, and again for each."""

    def __iter__(self):
        if self.field.empty_label is not None:
            yield ("", self.field.empty_label)
        yield from map(self.choice, self.queryset)


class FewRowsField(forms.ModelChoiceField):
    """A select of rows that are few."""

    iterator = FewRows


class TicketForm(forms.ModelForm):
    class Meta:
        model = Ticket
        fields = ["subject", "category", "description", "priority"]
        field_classes = {"description": LinesField, "category": FewRowsField}
        widgets = {"description": forms.Textarea(attrs={"rows": 7})}
        labels = {"description": _("What happened?")}
        help_texts = {
            "subject": _("A few words, like “Printer on the second floor does not print”."),
            "description": _("What did you do, what did you see, since when? Error messages help a lot."),
        }
        error_messages = {
            "subject": {"required": _("Please give the ticket a subject.")},
            "category": {"required": _("Please choose what it is about.")},
            "description": {"required": _("Please say what happened.")},
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        categories = Category.objects.active()
        if self.instance.pk:  # an old ticket keeps its category, even one that is switched off
            categories = categories | Category.objects.filter(pk=self.instance.category_id)
        self.fields["category"].queryset = categories
        self.fields["category"].empty_label = _("Please choose")
        self.fields["description"].widget.attrs["maxlength"] = 20_000

    def _get_validation_exclusions(self) -> set[str]:
        """The category was just read for the choice, so the model need not ask whether it exists."""
        return super()._get_validation_exclusions() | {"category"}


class NewTicketForm(DraftFormMixin, DailyLimitMixin, TicketForm):
    """Files a ticket of `requester`, once for each key and content.

    Past the limit of an hour save() raises filing_limit.TooManyTickets.
    """

    draft_body = "description"
    attachments = AttachmentsField(label=_("Files"))
    submission_key = KeyField()

    def __init__(self, *args, requester, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["submission_key"].initial = uuid.uuid4
        self.instance.requester = requester
        self.is_new = True

    @property
    def uploader(self):
        return self.instance.requester

    def save(self) -> Ticket | None:
        """Returns the ticket, which is_new says about, or None where its files could not be stored.

        The form has the error then; also where too many files came meanwhile.
        """
        try:
            content = submissions.content_of_form(self.instance, self.cleaned_data["attachments"])
            ticket, self.is_new = submissions.file_once(
                self.cleaned_data["submission_key"], content, file=self._file, find=self._filed_with
            )
        except TooManyFiles as error:
            self.refuse_files(error.wait)
            return None
        except (StoreUnavailable, OSError):  # an upload waits in a temporary folder, which may fail too
            self.add_error("attachments", files_unavailable())
            return None
        return ticket

    def _filed_with(self, key: uuid.UUID) -> tuple[Ticket | None, submissions.Content]:
        ticket = Ticket.objects.filter(requester=self.instance.requester, submission_key=key).first()
        return (ticket, submissions.content_of_ticket(ticket)) if ticket else (None, [])

    def _file(self, key: uuid.UUID) -> Ticket:
        Attachment.objects.hold_to_limit(self.cleaned_data["attachments"], self.uploader)
        ticket = super().save(commit=False)
        ticket.pk, ticket._state.adding = None, True  # a first try with another key was rolled back
        ticket.submission_key = key
        ticket.status = filing_limit.status_for_new(ticket.requester)
        ticket.save()
        filing_limit.count_new(ticket.requester)
        Attachment.attach(self.cleaned_data["attachments"], ticket=ticket, uploader=ticket.requester)
        return ticket


class EditTicketForm(VersionedFormMixin, TicketForm):
    """What the requester may still change."""

    class Meta(TicketForm.Meta):
        fields = ["subject", "category", "description"]


class EditTicketByStaffForm(VersionedFormMixin, TicketForm):
    pass
