from django import forms
from django.utils.translation import gettext_lazy as _

from tickets.models import SavedView


class SavedViewForm(forms.ModelForm):
    """Gives the filters of the queue a name."""

    is_shared = forms.BooleanField(label=_("Show it to all staff"), required=False)

    class Meta:
        model = SavedView
        fields = ["name"]
        labels = {"name": _("Name of this view")}
        error_messages = {"name": {"required": _("Please give the view a name.")}}

    def __init__(self, *args, may_share: bool, **kwargs):
        super().__init__(*args, auto_id="view-%s", **kwargs)
        if not may_share:
            del self.fields["is_shared"]

    def save(self, *, owner, query: str) -> SavedView:
        """A view of the same name and owner is replaced."""
        owner = None if self.cleaned_data.get("is_shared") else owner
        view, _is_new = SavedView.objects.update_or_create(
            owner=owner, name=self.cleaned_data["name"], defaults={"query": query}
        )
        return view
