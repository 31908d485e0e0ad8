import re

from django import forms
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from tickets.forms.filters import Show, StaffTicketFilterForm
from tickets.models import SavedView
from tickets.search.query import parse

ORDER = "o"
ASSIGNEE = "assignee"  # by number: what a figure of a report leads to
KNOWN = (*StaffTicketFilterForm.base_fields, ORDER, ASSIGNEE)
ORDER_TEXT = re.compile(r"-?\d{1,2}(\.-?\d{1,2}){0,9}", re.ASCII)


def normal_query(query: str) -> str:
    """`query` of an address of the queue with what the list knows alone, so that equal views read equal.

    A filter that is gone is left out: Django answers an unknown one with 400.
    """
    sent = QueryDict(query)
    known = {name: sent[name].strip() for name in KNOWN if name in sent}
    if not ORDER_TEXT.fullmatch(known.get(ORDER, "")):
        known.pop(ORDER, None)
    normal = QueryDict(mutable=True)
    chosen = {name: value for name, value in known.items() if value}
    default = Show.unless_chosen(parse(chosen.get("q", "")))
    normal.update(dict(sorted({"phase": default.value, **chosen}.items())))
    return normal.urlencode()


class SavedViewForm(forms.ModelForm):
    """Gives the filters `query` of the queue a name. One that is used is replaced only if that is ticked."""

    is_shared = forms.BooleanField(label=_("Show it to all staff"), required=False)
    replaces = forms.BooleanField(label=_("Replace it"), required=False)

    class Meta:
        model = SavedView
        fields = ["name"]
        labels = {"name": _("Name of this view")}
        error_messages = {"name": {"required": _("Please give the view a name.")}}

    def __init__(self, *args, owner, may_share: bool, query: str = "", **kwargs):
        super().__init__(*args, auto_id="view-%s", **kwargs)
        self.owner, self.query, self.same = owner, query, None
        if not may_share:
            del self.fields["is_shared"]

    def clean(self):
        cleaned = super().clean()
        self.instance.owner = None if cleaned.get("is_shared") else self.owner
        self.may_save()
        if len(self.query) > SavedView._meta.get_field("query").max_length:
            self.add_error("name", _("These filters are too long to be kept. Please search for fewer words."))
        return cleaned

    def may_save(self) -> bool:
        """Whether no other filters have the name. Finds the view that is saved `same`: it is replaced."""
        named = SavedView.objects.filter(owner=self.instance.owner, name=self.cleaned_data.get("name"))
        self.same = named.first()
        if self.same and self.same.query != self.query and not self.cleaned_data["replaces"]:
            self.add_error("name", _("There is a view of this name. Replace it, or choose another name."))
            return False
        return True

    @transaction.atomic
    def save(self) -> SavedView | None:
        """None where somebody was faster and the name is taken; the form has the error then."""
        # One at a time: no constraint refuses a second one, because older views may be named alike.
        ContentType.objects.select_for_update(no_key=True).get(app_label="tickets", model="savedview")
        if not self.may_save():
            return None
        view = self.same or self.instance
        view.query = self.query
        view.save()
        return view
