"""Forms in which a draft stands again."""

from django import forms

from tickets.drafts import NO_DRAFTS, Chosen


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
