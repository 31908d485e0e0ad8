"""Forms that show a draft."""

import json
import uuid
from dataclasses import dataclass

from django import forms
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict

from tickets.actions import drafts as kept_drafts
from tickets.actions.drafts import NO_DRAFTS, Chosen
from tickets.models import Draft


class DraftFormMixin(forms.Form):
    """Shows the chosen draft in an unbound form. The view's `initial` values win.

    `restored` is sent with the form, so that a submission or a new draft replaces the restored one.
    """

    draft_body = "body"
    restored = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)

    def __init__(self, *args, drafts: Chosen | None = None, initial: dict | None = None, **kwargs):
        self.draft, self.other_drafts = drafts or NO_DRAFTS
        if self.draft:
            shown = {**self.draft.fields, self.draft_body: self.draft.body, "restored": str(self.draft.mark)}
            initial = {**shown, **(initial or {})}
        super().__init__(*args, initial=initial, **kwargs)

    @property
    def had_files(self) -> bool:
        """Whether files were selected. Drafts never store files."""
        return bool(self.draft and self.draft.fields.get("files"))


def show_details_draft(form: forms.ModelForm, draft: Draft | None) -> None:
    """Fills the form of ticket details with unsaved changes when the page opens.

    Sets `form.unsaved`, the labels of the fields that differ from the stored values.
    """
    form.draft, form.unsaved, form.draft_key = draft, [], uuid.uuid4()
    if form.is_bound:
        note_stored(form)
    elif draft is not None:
        form.unsaved = restore(form, draft.fields)


def restore(form: forms.BaseForm, typed: dict) -> list[str]:
    """Fills a form that shows stored values with typed ones. Returns the labels of the fields that differ."""
    labels = []
    data = MultiValueDict({name: [text] if isinstance(text, str) else text for name, text in typed.items()})
    for name, field in form.fields.items():
        sent_as = form.add_prefix(name)
        is_whole = Draft.WHOLE in typed and not field.widget.value_omitted_from_data(data, {}, sent_as)
        if not (is_whole or sent_as in typed) or field.disabled:
            continue
        value = field.widget.value_from_datadict(data, {}, sent_as)
        stored = form.get_initial_for_field(field, name)
        if not _may_show(field, value) or not field.has_changed(stored, value):
            continue
        if not field.widget.is_hidden:
            _note_stored(form, name, field)
            labels.append(str(field.label or name).rstrip("?:"))
        form.initial[name] = value
    return labels


def note_stored(form: forms.BaseForm) -> None:
    """Adds the stored value to each field of a refused form.

    The script saves what differs from it as a draft.
    """
    for name in form.changed_data:
        if not form.fields[name].widget.is_hidden:
            _note_stored(form, name, form.fields[name])


def _note_stored(form: forms.BaseForm, name: str, field: forms.Field) -> None:
    value = field.prepare_value(form.get_initial_for_field(field, name))
    if isinstance(field, forms.BooleanField):
        values = ["on"] if value else []
    elif isinstance(value, list | tuple):
        values = [str(one) for one in value]
    else:
        shown = field.widget.format_value(value) if not isinstance(field, forms.ChoiceField) else value
        values = ["" if shown is None else str(shown)]
    getattr(field.widget, "widget", field.widget).attrs["data-stored"] = json.dumps(values)


def _may_show(field: forms.Field, value) -> bool:
    """Whether the value can be looked up as a choice; the database refuses text for a number."""
    if not isinstance(field, forms.ModelChoiceField):
        return True
    try:
        field.clean(value)
    except ValidationError as error:
        return error.code == "required"
    return True


@dataclass(frozen=True)
class Unsent:
    """The drafts of a page's main form, for tickets/includes/kept_form.html."""

    key: str
    draft: Draft | None
    other_drafts: list[Draft]
    labels: list[str]
    restored: str

    @staticmethod
    def takes(form: forms.BaseForm) -> bool:
        """Whether the form has fields to type into. A form with a password is never kept."""
        widgets = [field.widget for field in form.fields.values()]
        if any(isinstance(widget, forms.PasswordInput) for widget in widgets):
            return False
        return any(isinstance(widget, forms.TextInput | forms.Textarea) for widget in widgets)

    @classmethod
    def open(cls, form: forms.BaseForm, request) -> "Unsent":
        if form.is_bound:
            note_stored(form)
            key = kept_drafts.key_of(request.POST.get("draft_key", "")) or uuid.uuid4()
            return cls(str(key), None, [], [], request.POST.get("restored", "")[:60])
        place = request.path[: Draft.MAX_PLACE]
        own = Draft.objects.filter(person=request.user, kind=Draft.Kind.FORM, place=place).newest_first()
        draft, others = kept_drafts.choose(list(own), asked=request.GET.get("draft", ""))
        labels = restore(form, draft.fields) if draft else []
        shown = draft if labels else None
        return cls(str(uuid.uuid4()), shown, others, labels, str(shown.mark) if shown else "")
