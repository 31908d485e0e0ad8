from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from tickets.admin.owned import OwnedAdmin
from tickets.forms.owned import RenameViewForm
from tickets.models import SavedView


@admin.register(SavedView)
class SavedViewAdmin(OwnedAdmin):
    """Names of views; a view itself is saved where its filters are chosen, above the queue."""

    form = RenameViewForm
    change_list_template = None
    list_display = ("name", "audience", "opens")
    search_fields = ("name",)
    search_help_text = _("Words of the name")

    @admin.display(description=_("filters"))
    def opens(self, view):
        url = reverse("admin:tickets_ticket_changelist")
        return format_html('<a href="{}?{}">{}</a>', url, view.query, _("Open it"))

    def has_add_permission(self, request):
        return False
