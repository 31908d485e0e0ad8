from django.contrib import admin
from django.forms.widgets import Script
from django.utils.translation import gettext_lazy as _

from tickets.actions import macros
from tickets.admin.owned import OwnedAdmin
from tickets.forms.owned import MacroForm
from tickets.models import Macro


@admin.register(Macro)
class MacroAdmin(OwnedAdmin):
    form = MacroForm
    list_display = ("title", "does", "beginning", "audience")
    list_select_related = ("status", "category")

    class Media:
        js = (Script("js/waiting.js", defer=True),)

    @admin.display(description=_("actions"))
    def does(self, macro):
        return macros.summary(macro)
