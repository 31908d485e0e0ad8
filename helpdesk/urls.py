from allauth.account.views import logout
from django.contrib import admin
from django.contrib.auth.decorators import login_not_required
from django.urls import include, path
from django.views.decorators.http import require_POST

from accounts.views import ConfirmAddressView, CutOffLinkView
from helpdesk import health
from tickets.views.home import AboutView, HomeView
from tickets.views.mail_preferences import MailPreferencesView
from tickets.views.service_webhooks import ServiceTrackingView
from tickets.views.webhooks import InboundView, TrackingView

urlpatterns = [
    path("", login_not_required(HomeView.as_view()), name="home"),
    path("about/", login_not_required(AboutView.as_view()), name="about"),
    path("accounts/confirm-email/<str:key>/", ConfirmAddressView.as_view(), name="account_confirm_email"),
    path("accounts/logout/", require_POST(logout), name="account_logout"),
    path("accounts/profile/mail/", MailPreferencesView.as_view(), name="mail_preferences"),
    path("accounts/", include("accounts.urls")),
    path("accounts/", include("allauth.account.urls")),
    path(
        "accounts/password/reset/key/<str:key>/",
        CutOffLinkView.as_view(),
        name="account_reset_password_from_key",
    ),
    path("tickets/", include("tickets.urls")),
    path("admin/", admin.site.urls),
    path("anymail/mailgun/tracking/", TrackingView.as_view(), name="mailgun_tracking"),
    path("anymail/mailgun/inbound/", InboundView.as_view(), name="mailgun_inbound"),
    # Mailgun posts the raw message only to a URL that ends in "mime".
    path("anymail/mailgun/inbound_mime/", InboundView.as_view(is_raw=True), name="mailgun_inbound_mime"),
    path("anymail/<slug:service>/tracking/", ServiceTrackingView.as_view(), name="service_tracking"),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
]

handler400 = "helpdesk.errors.bad_request"
handler403 = "helpdesk.errors.permission_denied"
handler404 = "helpdesk.errors.page_not_found"
handler500 = "helpdesk.errors.server_error"
