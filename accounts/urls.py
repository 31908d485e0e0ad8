from django.urls import path

from accounts.views import ProfileView, ThemeView, TimeZoneView

app_name = "accounts"
urlpatterns = [
    path("profile/", ProfileView.as_view(), name="profile"),
    path("theme/", ThemeView.as_view(), name="theme"),
    path("time-zone/", TimeZoneView.as_view(), name="time_zone"),
]
