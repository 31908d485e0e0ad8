from django.urls import path

from tickets.views import attachments, tickets

app_name = "tickets"
urlpatterns = [
    path("", tickets.TicketListView.as_view(), name="list"),
    path("new/", tickets.TicketCreateView.as_view(), name="create"),
    path("<int:pk>/", tickets.TicketDetailView.as_view(), name="detail"),
    path("<int:pk>/edit/", tickets.TicketUpdateView.as_view(), name="update"),
    path("<int:pk>/delete/", tickets.TicketDeleteView.as_view(), name="delete"),
    path("<int:pk>/close/", tickets.TicketCloseView.as_view(), name="close"),
    path("<int:pk>/reopen/", tickets.TicketReopenView.as_view(), name="reopen"),
    path("attachments/<slug:key>/", attachments.AttachmentView.as_view(), name="attachment"),
]
