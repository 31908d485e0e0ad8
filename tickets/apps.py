from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.utils.translation import gettext_lazy as _


class TicketsConfig(AppConfig):
    name = "tickets"
    verbose_name = _("Tickets")

    def ready(self):
        from tickets import signals
        from tickets.admin import register  # noqa: F401 - registers

        signals.connect()


class HelpdeskAdminConfig(AdminConfig):
    default_site = "tickets.admin.site.HelpdeskAdminSite"

    def ready(self):
        from helpdesk import checks, form_fields, moments

        super().ready()
        checks.register_all()
        moments.register()
        form_fields.replace_default_messages()
