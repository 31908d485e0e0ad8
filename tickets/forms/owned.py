"""Forms for private or shared tools of staff: saved replies, macros, views of the queue."""

from django import forms
from django.db.models import TextChoices
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from tickets.actions import saved_replies
from tickets.forms.tickets import FewRowsField, LinesField
from tickets.forms.waiting import CHOOSE, mark_waiting_statuses
from tickets.models import Category, Macro, SavedReply, SavedView, Ticket


class Visibility(TextChoices):
    ME = "me", _("Only me")
    ALL = "all", _("All staff")


class OwnedForm(forms.ModelForm):
    audience = forms.ChoiceField(
        label=_("Visibility"), choices=Visibility, widget=forms.RadioSelect, initial=Visibility.ME
    )

    class Meta:
        field_classes = {"body": LinesField}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk and "audience" in self.fields:
            self.fields["audience"].initial = Visibility.ALL if self.instance.is_shared else Visibility.ME

    def clean_body(self) -> str:
        body = self.cleaned_data["body"]
        saved_replies.validate_variables(body)
        return body


class RenameViewForm(OwnedForm):
    class Meta(OwnedForm.Meta):
        model = SavedView
        fields = ["name"]


class SavedReplyForm(OwnedForm):
    class Meta(OwnedForm.Meta):
        model = SavedReply
        fields = ["title", "body"]
        help_texts = {"body": saved_replies.HELP_ON_VARIABLES}


class MacroForm(OwnedForm):
    class Meta(OwnedForm.Meta):
        model = Macro
        fields = [
            "title", "body", "status", "waiting_for", "wakes_after", "priority", "category", "assigns_to_me",
        ]  # fmt: skip
        field_classes = {**OwnedForm.Meta.field_classes, "status": FewRowsField}
        help_texts = {
            "body": format_lazy("{} {}", _("Leave blank to send no reply."), saved_replies.HELP_ON_VARIABLES),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "category" not in self.fields:
            return  # a read-only page
        self.fields["category"].queryset = Category.objects.offered(present=self.instance.category_id)
        for name in ("status", "category"):
            self.fields[name].empty_label = _("No change")
        self.fields["waiting_for"].choices = [("", CHOOSE), *Ticket.WaitingFor.choices]
        mark_waiting_statuses(self.fields["status"])
        self.fields["priority"].choices = [("", _("No change")), *self.fields["priority"].choices[1:]]

    def clean(self):
        cleaned = super().clean()
        acts = ("body", "status", "priority", "category", "assigns_to_me")
        if not self.errors and not any(cleaned.get(name) for name in acts):
            raise forms.ValidationError(_("Choose at least one action."))
        status = cleaned.get("status")
        if status is None or not status.is_waiting:
            return cleaned | {"waiting_for": "", "wakes_after": None}
        if not self.errors.keys() & {"waiting_for", "wakes_after"}:
            self._validate_wait(cleaned)
        return cleaned

    def _validate_wait(self, cleaned: dict) -> None:
        if not cleaned["waiting_for"]:
            self.add_error("waiting_for", _("Choose what the ticket is waiting for."))
        elif cleaned["waiting_for"] == Ticket.WaitingFor.DATE and cleaned["wakes_after"] is None:
            self.add_error("wakes_after", _("Enter a number of days."))
