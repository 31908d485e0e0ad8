from collections.abc import Iterator

from django import forms
from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from helpdesk.lists.orders import POSITION, SORT, ColumnOrder, with_names
from tickets.models import SavedView
from tickets.reports.filters import ALL
from tickets.search.choices import COLUMNS, OLD_COLUMNS, Show, Sort
from tickets.search.narrowing import Asking
from tickets.search.query import parse
from tickets.search.sorting import ORDERS_OF_FEW

SEARCH, UNKNOWN = "q", "unknown"
FILTERS = {name: declared for name, declared in ALL.items() if declared.narrow}
PLACES = ("p", "all", "after", "e", "state")  # parameters for the position within a list
POSITIONS = {position + 1: name for position, name in OLD_COLUMNS.items()}  # the first one has checkboxes
LONGEST_NAME = 40  # of an unknown filter


def stored_query(query: str) -> str:
    """Returns the query string of the queue in the form in which it is saved: by names, unknown filters
    included.
    """
    sent = with_names(QueryDict(query), POSITIONS)
    for packed in sent.pop(UNKNOWN, []):
        sent.update(QueryDict(packed).dict())
    return sent.urlencode()


def normal_query(query: str) -> str:
    """Normalizes a query string of the queue, so that equal views are equal texts.

    Django responds to an unknown filter with 400, so unknown ones move into one parameter, which the page
    reports.
    """
    sent = with_names(QueryDict(query), POSITIONS)
    position = QueryDict(query).get(POSITION, "")
    unknown = QueryDict(sent.pop(UNKNOWN, [""])[-1], mutable=True)
    if position and SORT not in sent:
        unknown[POSITION] = position
    chosen = {}
    for name, value in sent.items():
        if name in FILTERS or name in (SEARCH, SORT):
            chosen[name] = value.strip()
        elif name not in PLACES and value.strip():
            unknown[name] = value
    default = Show.unless_chosen(parse(chosen.get(SEARCH, "")))
    chosen = {"phase": default.value, **{name: value for name, value in chosen.items() if value}}
    if unknown:
        chosen[UNKNOWN] = _written(unknown.dict())
    return _written(chosen)


def problems(query: QueryDict, asking: Asking) -> Iterator[str]:
    """Yields a sentence for each part of the query that filters nothing: unknown filters, values
    not offered.
    """
    for name in QueryDict(query.get(UNKNOWN, "")):
        shown = {"name": name.replace("\0", " ")[:LONGEST_NAME]}
        yield gettext("The filter “%(name)s” does not exist, so it is left out here.") % shown
    for name, declared in FILTERS.items():
        value = query.get(name, "").strip()
        if value and not declared.label_of(value, asking):
            yield _value_left_out(value, declared.label)
    orders = {*COLUMNS, *ORDERS_OF_FEW}
    if (sort := query.get(SORT)) and sort not in Sort.values and not ColumnOrder.parse(sort, orders):
        yield _value_left_out(sort, gettext("order"))


def _value_left_out(value: str, label: str) -> str:
    shown = {"value": value.replace("\0", " ")[:LONGEST_NAME], "filter": label}
    return gettext("“%(value)s” is not a valid value for “%(filter)s”, so it is left out here.") % shown


def _written(chosen: dict[str, str]) -> str:
    normal = QueryDict(mutable=True)
    normal.update(dict(sorted(chosen.items())))
    return normal.urlencode()


class SavedViewForm(forms.ModelForm):
    """Saves the filters `query` of the queue under a name.

    Replaces an existing one only if the box is ticked.
    """

    is_shared = forms.BooleanField(label=_("Share with all staff"), required=False)
    replaces = forms.BooleanField(label=_("Replace existing view"), required=False)

    class Meta:
        model = SavedView
        fields = ["name"]
        labels = {"name": _("View name")}
        error_messages = {"name": {"required": _("Enter a name for the view.")}}

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
            self.add_error("name", _("These filters are too long to save. Search for fewer words."))
        return cleaned

    def may_save(self) -> bool:
        """Whether the name is free or may be replaced. Sets `same` to the view that will be replaced."""
        named = SavedView.objects.filter(owner=self.instance.owner, name=self.cleaned_data.get("name"))
        self.same = named.first()
        if self.same and self.same.query != self.query and not self.cleaned_data["replaces"]:
            self.add_error(
                "name", _("A view with this name already exists. Replace it or choose another name.")
            )
            return False
        return True

    @transaction.atomic
    def save(self) -> SavedView | None:
        """Returns None if another request took the name; the form has the error then."""
        # One request at a time: no constraint forbids equal names, because older views may have them.
        ContentType.objects.select_for_update(no_key=True).get(app_label="tickets", model="savedview")
        if not self.may_save():
            return None
        view = self.same or self.instance
        view.query = self.query
        view.save()
        return view
