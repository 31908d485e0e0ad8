from functools import partial

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, resolve_url
from django.urls import path
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from helpdesk.lists.paging import MOST_COUNTED
from tickets.actions import handing_over
from tickets.admin.palette import palette_view
from tickets.mail.alarms import alarms, file_alarms
from tickets.models import Notification
from tickets.reports.overview import overview

OUR_APPS = {"accounts", "tickets"}
MAIL_MODELS = {
    "notification",
    "inboundemail",
    "suppressedaddress",
    "blockedsender",
    "mailbox",
    "knowndomain",
}  # on the page "Mail"


class HelpdeskAdminSite(admin.AdminSite):
    """The admin with the portal's login. Hides the models of other apps (groups, sessions)."""

    index_title = _("Today")
    empty_value_display = "–"
    enable_nav_sidebar = False

    @property
    def site_title(self) -> str:
        return settings.SITE_NAME

    site_header = site_title

    def register(self, model_or_iterable, admin_class=None, **options):
        models = model_or_iterable if isinstance(model_or_iterable, (list, tuple)) else [model_or_iterable]
        ours = [model for model in models if model._meta.app_label in OUR_APPS]
        if ours:
            super().register(ours, admin_class, **options)

    @method_decorator(login_not_required)
    def login(self, request, extra_context=None):
        """Refuses people who are logged in but may not enter. Others use the portal's login."""
        target = request.GET.get("next") or resolve_url("admin:index")
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(target)

    def each_context(self, request):
        return {**super().each_context(request), "mail_models": MAIL_MODELS}

    def password_change(self, request, extra_context=None):
        return redirect("account_change_password")

    def get_urls(self):
        mail = self.admin_view(self.get_model_admin(Notification).ledger_view)
        palette = self.admin_view(palette_view)
        return [
            path("mail/", mail, name="mail"),
            path("palette/", palette, name="palette"),
            *super().get_urls(),
        ]

    def get_app_list(self, request, app_label=None):
        """Builds the list only when it is used:

        Django would build it for each page, for a sidebar that is disabled.
        """
        return SimpleLazyObject(partial(super().get_app_list, request, app_label))

    def index(self, request, extra_context=None):
        context = {
            "overview": overview(request.user),
            "now": timezone.now(),
            "alarms": alarms(),
            "file_alarms": file_alarms(),
            "left_count": handing_over.left_open()[:MOST_COUNTED].count(),
        }
        return super().index(request, {**(extra_context or {}), **context})
