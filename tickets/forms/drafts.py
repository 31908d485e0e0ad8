"""Forms in which a draft stands again."""

import uuid

from django import forms

from tickets.drafts import NO_DRAFTS, Chosen
from tickets.models import Draft


class DraftFormMixin(forms.Form):
    """Shows the draft that is chosen, where it is not sent; what the view gives as `initial` wins.

    `restored` goes along with the form, so that what is sent or typed on takes the place of the draft.
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
        """Whether files were chosen, which no draft keeps."""
        return bool(self.draft and self.draft.fields.get("files"))


def show_details_draft(form: forms.ModelForm, draft: Draft | None) -> None:
    """Puts what was changed and not saved into the form of details that a page opens with.

    Sets `form.unsaved`, the labels of the fields that differ from what is stored. What is stored goes along
    for static/js/drafts.js.
    """
    form.draft, form.unsaved, form.draft_key = draft, [], uuid.uuid4()
    if draft is None or form.is_bound:
        return
    for name, field in form.fields.items():  # PostgreSQL keeps the keys of JSON in an order of its own
        if name not in draft.fields:
            continue
        value = draft.fields[name]
        initial = form.get_initial_for_field(field, name)
        stored = "" if initial is None else str(initial)
        if value != stored:
            form.initial[name] = value
            getattr(field.widget, "widget", field.widget).attrs["data-stored"] = stored
            form.unsaved.append(field.label)
