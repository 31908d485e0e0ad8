from django.contrib import admin

from helpdesk.lists.admin import StaffListMixin
from tickets.admin.mail.mailbox import SuperusersChangeMixin
from tickets.models import KnownDomain


@admin.register(KnownDomain)
class KnownDomainAdmin(SuperusersChangeMixin, StaffListMixin, admin.ModelAdmin):
    list_display = ("domain", "first_contact", "department")
    sortable_by = ()
