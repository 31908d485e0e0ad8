"""Forms for what staff keep for themselves or share: saved replies, macros, views of the queue."""

from django import forms
from django.db.models import TextChoices
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from tickets import saved_replies
from tickets.forms.tickets import LinesField
from tickets.models import Category, Macro, SavedReply, SavedView


class Audience(TextChoices):
    ME = "me", _("Only me")
    ALL = "all", _("All staff")


class OwnedForm(forms.ModelForm):
    audience = forms.ChoiceField(
        label=_("Who can use it"), choices=Audience, widget=forms.RadioSelect, initial=Audience.ME
    )

    class Meta:
        field_classes = {"body": LinesField}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk and "audience" in self.fields:
            self.fields["audience"].initial = Audience.ALL if self.instance.is_shared else Audience.ME

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
        fields = ["title", "body", "status", "priority", "category", "assigns_to_me"]
        help_texts = {
            "body": format_lazy("{} {}", _("Empty: nobody is written to."), saved_replies.HELP_ON_VARIABLES),
        }

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "category" not in self.fields:
            return  # a page to read only
        present = Category.objects.filter(pk=self.instance.category_id)
        self.fields["category"].queryset = Category.objects.active() | present
        for name in ("status", "category"):
            self.fields[name].empty_label = _("as it is")
        self.fields["priority"].choices = [("", _("as it is")), *self.fields["priority"].choices[1:]]

    def clean(self):
        cleaned = super().clean()
        acts = ("body", "status", "priority", "category", "assigns_to_me")
        if not self.errors and not any(cleaned.get(name) for name in acts):
            raise forms.ValidationError(_("Please choose at least one thing that this macro does."))
        return cleaned
