from django.contrib import admin

from tickets.admin.owned import OwnedAdmin
from tickets.forms.owned import SavedReplyForm
from tickets.models import SavedReply


@admin.register(SavedReply)
class SavedReplyAdmin(OwnedAdmin):
    form = SavedReplyForm
    list_display = ("title", "beginning", "audience")
