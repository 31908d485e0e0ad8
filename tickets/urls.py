from django.urls import path

from tickets.views import attachments, conversation, drafts, fixed, muting, own_tickets, tickets, transitions
from tickets.views.confirming import ConfirmSenderView

app_name = "tickets"
urlpatterns = [
    path("", tickets.TicketListView.as_view(), name="list"),
    path("new/", tickets.TicketCreateView.as_view(), name="create"),
    path("new/own-tickets/", own_tickets.OwnTicketsView.as_view(), name="own_tickets"),
    path("drafts/", drafts.KeepDraftView.as_view(), name="drafts"),
    path("drafts/discard/", drafts.DiscardDraftView.as_view(), name="discard_draft"),
    path("<int:pk>/", tickets.TicketDetailView.as_view(), name="detail"),
    path("<int:pk>/edit/", tickets.TicketUpdateView.as_view(), name="update"),
    path("<int:pk>/delete/", tickets.TicketDeleteView.as_view(), name="delete"),
    path("<int:pk>/close/", transitions.TicketCloseView.as_view(), name="close"),
    path("<int:pk>/reopen/", transitions.TicketReopenView.as_view(), name="reopen"),
    path("<int:pk>/reply/", conversation.ReplyView.as_view(), name="reply"),
    path("<int:pk>/add/", own_tickets.AddToTicketView.as_view(), name="add"),
    path("<int:pk>/note/", conversation.NoteView.as_view(), name="note"),
    path("<int:pk>/draft/", conversation.DraftView.as_view(), name="draft"),
    path("<int:pk>/take-back/<int:comment>/", conversation.TakeBackView.as_view(), name="take_back"),
    path("<int:pk>/trimmed/<int:comment>/", conversation.TrimmedView.as_view(), name="trimmed"),
    path("<int:pk>/watchers/", conversation.WatcherAddView.as_view(), name="watch"),
    path("<int:pk>/watchers/<int:person>/remove/", conversation.WatcherRemoveView.as_view(), name="unwatch"),
    path("<int:pk>/timeline/", conversation.TimelineView.as_view(), name="timeline"),
    path("<int:pk>/mail/", muting.MailView.as_view(), name="mail"),
    path("answer/<str:token>/fixed/", fixed.FixedView.as_view(), name="fixed"),
    path("answer/<str:token>/not-fixed/", fixed.NotFixedView.as_view(), name="not_fixed"),
    path("answer/<str:token>/feedback/", fixed.FeedbackView.as_view(), name="feedback"),
    path("confirm-sender/<str:token>/", ConfirmSenderView.as_view(), name="confirm_sender"),
    path("mute/<str:token>/", muting.MuteByLinkView.as_view(), name="mute"),
    path("attachments/<slug:key>/<slug:size>/", attachments.PictureView.as_view(), name="picture"),
    path("attachments/<slug:key>/", attachments.AttachmentView.as_view(), name="attachment"),
]
