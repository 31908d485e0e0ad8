from tickets.models.activity_log import ActivityLog, AppendOnly
from tickets.models.attachment import Attachment
from tickets.models.category import Category
from tickets.models.notification import Notification
from tickets.models.status import Status
from tickets.models.ticket import Ticket

__all__ = ["ActivityLog", "AppendOnly", "Attachment", "Category", "Notification", "Status", "Ticket"]
