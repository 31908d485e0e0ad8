from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.views.main import ORDER_VAR
from django.contrib.admin.widgets import AutocompleteSelect, RelatedFieldWidgetWrapper
from django.core.exceptions import BadRequest, ValidationError
from django.utils.html import conditional_escape, escape
from django.utils.safestring import mark_safe
from django.utils.text import capfirst, smart_split
from django.utils.translation import get_language, gettext

from accounts.validators import is_number
from helpdesk.lists.changelists import CappedPaginator, StaffChangeList
from helpdesk.lists.orders import with_names
from helpdesk.lists.requests import with_query

LONGEST_SEARCH, MOST_WORDS = 200, 10  # limits of the search box: characters and words

MINIFIED = "" if settings.DEBUG else ".min"
SCRIPTS = (
    f"admin/js/vendor/jquery/jquery{MINIFIED}.js",
    "admin/js/jquery.init.js",
    "admin/js/core.js",
    "admin/js/actions.js",
)


@lru_cache(maxsize=100)
def checkbox(language: str) -> str:
    """The HTML that selects a row of a list, to be formatted with `value` and `row`."""
    label = escape(gettext("Select this object for an action - {}")).format("{row}")
    start = f'<input type="checkbox" name="{ACTION_CHECKBOX_NAME}" value="{{value}}"'
    return f'{start} class="action-select" aria-label="{label}">'


class NumbersField(forms.ModelMultipleChoiceField):
    """Rejects numbers that are too large for SQLite. Django's own field passes them to the database."""

    def _check_values(self, value):
        for number in value:
            if not is_number(str(number)):
                raise ValidationError(self.error_messages["invalid_pk_value"], params={"pk": number})
        return super()._check_values(value)


class NumberAutocomplete(AutocompleteSelect):
    """Ignores invalid numbers when a form with errors is shown again. Django passes them to the database."""

    def optgroups(self, name, value, attr=None):
        return super().optgroups(name, [number for number in value if is_number(number)], attr)


class StaffListMixin:
    """A ModelAdmin whose list stays fast with a million rows.

    All filters are SimpleListFilters. Django's own filters would let a URL query any column
    (?password__startswith=), or send a NUL that PostgreSQL rejects. Other lookups are answered with 400.
    """

    list_per_page = 50
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    paginator = CappedPaginator

    counted_names: tuple | None = None  # one row and many rows below the list; None: as the model says

    # Names of columns by the positions in old URLs, without the column of checkboxes.
    old_columns: Mapping[int, str] = MappingProxyType({})

    @property
    def media(self):
        """Django's scripts without those of prepopulated fields, which weigh more than all others, and of the
        links to related objects (formfield_for_dbfield).
        """
        return forms.Media(js=SCRIPTS)

    def get_changelist(self, request, **kwargs):
        return StaffChangeList

    def get_changelist_instance(self, request):
        """Translates old URLs, which hold the position of a column."""
        if ORDER_VAR in request.GET:
            ticks = 1 if self.get_actions(request) else 0
            columns = {position + ticks: name for position, name in self.old_columns.items()}
            request = with_query(request, with_names(request.GET, columns))
        return super().get_changelist_instance(request)

    def lookup_allowed(self, lookup, value, request=None):
        return lookup in {getattr(shown, "parameter_name", None) for shown in self.list_filter}

    def action_checkbox(self, obj):
        """Like Django's, but without a widget, whose template takes a fifth of a list's time."""
        html = checkbox(get_language()).format(value=escape(obj.pk), row=conditional_escape(obj))
        return mark_safe(html)  # noqa: S308 - its parts are escaped

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        """Removes the links beside a field that add, change, delete or view related objects in a window."""
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if field and isinstance(field.widget, RelatedFieldWidgetWrapper):
            field.widget = field.widget.widget
        return field

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        if db_field.name in self.get_autocomplete_fields(request):
            kwargs["widget"] = NumberAutocomplete(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def words_searched(self, request, search_term: str) -> list[str]:
        """The distinct words, because the database searches every row for each of them."""
        words = list(dict.fromkeys(smart_split(search_term[:LONGEST_SEARCH])))
        is_cut = len(search_term) > LONGEST_SEARCH or len(words) > MOST_WORDS
        if is_cut and request.resolver_match.url_name.endswith("_changelist"):
            messages.warning(request, gettext("This search is too long. Only its beginning is searched."))
        return words[:MOST_WORDS]

    def get_search_results(self, request, queryset, search_term):
        words = self.words_searched(request, search_term)
        return super().get_search_results(request, queryset, " ".join(words))

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        """Reloads `obj` for a form with errors, because validation has changed it."""
        if change and context["adminform"].form.is_bound:
            obj = self.model._default_manager.get(pk=obj.pk)
            context = {**context, "original": obj, "subtitle": str(obj)}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def changelist_view(self, request, extra_context=None):
        """Rejects selected rows that are not numbers; Django would raise an error for them."""
        if not all(map(is_number, request.POST.getlist(ACTION_CHECKBOX_NAME))):
            raise BadRequest
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})


class ReadOnlyMixin:
    """A ModelAdmin without permission to add, change or delete."""

    def has_add_permission(self, request):
        return False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False
