import re
import uuid

from django import forms
from django.forms.models import ModelChoiceIterator
from django.utils.text import normalize_newlines
from django.utils.translation import gettext_lazy as _

from tickets.actions import filing_limit, submissions
from tickets.forms.attachments import AttachmentsField, DailyLimitMixin
from tickets.forms.drafts import DraftFormMixin
from tickets.forms.selects import PlainSelect
from tickets.forms.technical import TechnicalDetailsField
from tickets.forms.versioned import VersionedFormMixin
from tickets.models import Attachment, Category, Ticket

EMPTY_LINES = re.compile(r"\A(?:[^\S\n]*\n)+")  # before the first line with text
RANDOM = 4  # the version of a random UUID (RFC 9562, 5.4)


class LinesField(forms.CharField):
    """A text of several lines. Browsers count a line end as one character but send two (HTML, 4.10.11).

    Keeps the indentation of the first line: it may be the head of a table.
    """

    def __init__(self, **kwargs):
        super().__init__(strip=False, **kwargs)

    def to_python(self, value):
        text = normalize_newlines(super().to_python(value))
        return EMPTY_LINES.sub("", text.rstrip()) or self.empty_value

    def has_changed(self, initial, data):
        """Ignores other line ends, and space at both ends, which an imported text may have."""
        return super().has_changed(self.to_python(initial), data)


class KeyField(forms.UUIDField):
    """Identifies a form, to detect repeated submissions. Cleans to a new key if none is sent.

    Accepts random keys only: keys of other versions are derived from a message that is split
    (tickets.actions.splitting).
    """

    widget = forms.HiddenInput

    def __init__(self, **kwargs):
        super().__init__(required=False, **kwargs)

    def clean(self, value) -> uuid.UUID:
        key = super().clean(value)
        return key if key and key.version == RANDOM else uuid.uuid4()


class FewRows(ModelChoiceIterator):
    """Loads the rows once. Django's iterator would use a server-side cursor: three queries each time."""

    def __iter__(self):
        if self.field.empty_label is not None:
            yield ("", self.field.empty_label)
        yield from map(self.choice, self.queryset)


class FewRowsField(forms.ModelChoiceField):
    """A select for a table with few rows."""

    iterator = FewRows
    widget = PlainSelect


class TicketForm(forms.ModelForm):
    class Meta:
        model = Ticket
        fields = ["subject", "category", "description", "priority"]
        field_classes = {"description": LinesField, "category": FewRowsField}
        widgets = {"description": forms.Textarea(attrs={"rows": 7})}
        labels = {"description": _("Description")}
        help_texts = {
            "subject": _("A few words, like “Printer on the second floor does not print”."),
            "description": _("What did you do, what happened, and since when? Include any error message."),
        }
        error_messages = {
            "subject": {"required": _("Enter a subject.")},
            "category": {"required": _("Choose a category.")},
            "description": {"required": _("Enter a description.")},
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        # An old ticket keeps its category, even an inactive one.
        present = self.instance.category_id if self.instance.pk else None
        self.fields["category"].queryset = Category.objects.offered(present=present)
        self.fields["category"].empty_label = _("Choose one")
        self.fields["description"].widget.attrs["maxlength"] = 20_000

    @property
    def main_fields(self) -> list[forms.BoundField]:
        """Returns the fields that every ticket needs; the page has its own places for the others."""
        return [self[name] for name in ("subject", "category", "description")]

    def _get_validation_exclusions(self) -> set[str]:
        """Skips the existence check of the model: the category was just loaded for the choice."""
        return super()._get_validation_exclusions() | {"category"}


class NewTicketForm(DraftFormMixin, DailyLimitMixin, TicketForm):
    """Files a ticket of `requester`, once for each key and content.

    Above the hourly limit, save() raises filing_limit.TooManyTickets.
    """

    draft_body = "description"
    attachments = AttachmentsField(label=_("Files"))
    technical = TechnicalDetailsField()
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
        """Returns the ticket and sets is_new, or returns None if its files could not be stored.

        The form has the error then; also if too many files were uploaded meanwhile.
        """
        filed = self.file_once(
            self.cleaned_data["submission_key"], self._content, file=self._file, find=self._filed_with
        )
        if filed is None:
            return None
        ticket, self.is_new = filed
        return ticket

    def _content(self) -> submissions.Content:
        return submissions.content_of_form(self.instance, self.cleaned_data["attachments"])

    def _filed_with(self, key: uuid.UUID) -> tuple[Ticket | None, submissions.Content]:
        ticket = Ticket.objects.filter(requester=self.instance.requester, submission_key=key).first()
        return (ticket, submissions.content_of_ticket(ticket)) if ticket else (None, [])

    def _file(self, key: uuid.UUID) -> Ticket:
        Attachment.objects.enforce_limit(self.cleaned_data["attachments"], self.uploader)
        ticket = super().save(commit=False)
        ticket.pk, ticket._state.adding = None, True  # an attempt with another key was rolled back
        ticket.submission_key = key
        ticket.technical_details = self.cleaned_data["technical"]
        ticket.status = filing_limit.status_for_new(ticket.requester)
        ticket.save()
        filing_limit.count_new(ticket.requester)
        Attachment.attach(self.cleaned_data["attachments"], ticket=ticket, uploader=ticket.requester)
        return ticket


class EditTicketForm(VersionedFormMixin, TicketForm):
    """The fields that the requester may still edit."""

    class Meta(TicketForm.Meta):
        fields = ["subject", "category", "description"]


class EditTicketByStaffForm(VersionedFormMixin, TicketForm):
    pass
