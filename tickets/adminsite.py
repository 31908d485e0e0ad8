from functools import partial

from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.shortcuts import redirect, resolve_url
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _

from accounts.paging import MOST_COUNTED
from tickets import ownership
from tickets.models import Notification
from tickets.notifications.alarms import alarms, file_alarms
from tickets.reports.queries import day_figures

OUR_APPS = {"accounts", "tickets"}


class HelpdeskAdminSite(admin.AdminSite):
    """The admin with the site's own login. Raw tables of other apps (groups, sessions) stay out of it."""

    site_header = site_title = _("Helpdesk")
    index_title = _("Today")
    empty_value_display = "–"
    enable_nav_sidebar = False

    def register(self, model_or_iterable, admin_class=None, **options):
        models = model_or_iterable if isinstance(model_or_iterable, (list, tuple)) else [model_or_iterable]
        ours = [model for model in models if model._meta.app_label in OUR_APPS]
        if ours:
            super().register(ours, admin_class, **options)

    @method_decorator(login_not_required)
    def login(self, request, extra_context=None):
        """Whoever is logged in and comes here may not enter; everybody else logs in like on the site."""
        target = request.GET.get("next") or resolve_url("admin:index")
        if self.has_permission(request):
            return redirect("admin:index")
        if request.user.is_authenticated:
            raise PermissionDenied
        return redirect_to_login(target)

    def password_change(self, request, extra_context=None):
        return redirect("account_change_password")

    def get_urls(self):
        mail = self.admin_view(self.get_model_admin(Notification).ledger_view)
        return [path("mail/", mail, name="mail"), *super().get_urls()]

    def get_app_list(self, request, app_label=None):
        """Django makes it for each page, for a sidebar that is switched off: here, once somebody reads it."""
        return SimpleLazyObject(partial(super().get_app_list, request, app_label))

    def index(self, request, extra_context=None):
        context = {
            "figures": day_figures(request.user),
            "alarms": alarms(),
            "file_alarms": file_alarms(),
            "left_count": ownership.left_open()[:MOST_COUNTED].count(),
        }
        return super().index(request, {**(extra_context or {}), **context})
