from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from tickets import macros
from tickets.admin.owned import OwnedAdmin
from tickets.forms.owned import MacroForm
from tickets.models import Macro


@admin.register(Macro)
class MacroAdmin(OwnedAdmin):
    form = MacroForm
    list_display = ("title", "does", "beginning", "audience")
    list_select_related = ("status", "category")

    @admin.display(description=_("what it does"))
    def does(self, macro):
        return macros.deeds(macro)
