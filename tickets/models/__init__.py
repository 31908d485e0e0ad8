"""The tables, and the rules that every row must meet. Start with `ticket`.

`tracking` logs saves. `ticket_querysets` and `attachment_querysets` hold the queries that several rooms use;
small querysets stand with their models. `ticket_indexes` says which query each index serves; `planner` holds
handwritten SQL. Models are imported here because Django looks for them here.
"""

from tickets.models.activity_log import ActivityLog, AppendOnly
from tickets.models.arrival import Arrival
from tickets.models.attachment import Attachment
from tickets.models.blocked_sender import BlockedSender
from tickets.models.category import Category
from tickets.models.comment import Comment
from tickets.models.daily_figures import DailyFigures, StaleMoment
from tickets.models.discarded_file import DiscardedFile
from tickets.models.draft import Draft
from tickets.models.handover import Handover
from tickets.models.inbound_email import InboundEmail
from tickets.models.job_run import JobRun
from tickets.models.known_domain import KnownDomain
from tickets.models.link import TicketLink
from tickets.models.macro import Macro
from tickets.models.mail_preferences import MailPreferences, MutedTicket
from tickets.models.mail_probe import MailProbe
from tickets.models.mailbox import Mailbox, MailboxState
from tickets.models.mention import Mention
from tickets.models.notification import Notification
from tickets.models.outbox_pause import OutboxPause
from tickets.models.raised_alarm import RaisedAlarm
from tickets.models.saved_reply import SavedReply
from tickets.models.saved_view import SavedView
from tickets.models.search_document import SearchDocument, SubjectWord
from tickets.models.status import Status
from tickets.models.suppressed_address import SuppressedAddress
from tickets.models.ticket import Ticket
from tickets.models.ticket_owner import Because, NotStaff
from tickets.models.visit import Visit
from tickets.models.watcher import Watcher

__all__ = [
    "ActivityLog",
    "AppendOnly",
    "Arrival",
    "Attachment",
    "Because",
    "BlockedSender",
    "Category",
    "Comment",
    "DailyFigures",
    "DiscardedFile",
    "Draft",
    "Handover",
    "InboundEmail",
    "JobRun",
    "KnownDomain",
    "Macro",
    "MailPreferences",
    "MailProbe",
    "Mailbox",
    "MailboxState",
    "Mention",
    "MutedTicket",
    "NotStaff",
    "Notification",
    "OutboxPause",
    "RaisedAlarm",
    "SavedReply",
    "SavedView",
    "SearchDocument",
    "StaleMoment",
    "Status",
    "SubjectWord",
    "SuppressedAddress",
    "Ticket",
    "TicketLink",
    "Visit",
    "Watcher",
]
