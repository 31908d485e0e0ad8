"""What can happen to a ticket, and the one custom signal of the pipe."""

from django.db.models import TextChoices
from django.dispatch import Signal
from django.utils.translation import gettext_lazy as _


class Verb(TextChoices):
    CREATED = "created", _("filed")
    STATUS_CHANGED = "status_changed", _("status changed")
    ASSIGNED = "assigned", _("assigned")
    EDITED = "edited", _("edited")
    FILE_ADDED = "file_added", _("file added")
    FILE_REMOVED = "file_removed", _("file removed")
    REPLIED = "replied", _("public reply")
    NOTED = "noted", _("internal note")
    TAKEN_BACK = "taken_back", _("message taken back")
    WATCHER_ADDED = "watcher_added", _("watcher added")
    WATCHER_REMOVED = "watcher_removed", _("watcher removed")
    LINKED = "linked", _("linked")
    UNLINKED = "unlinked", _("link removed")
    REMINDED = "reminded", _("requester reminded")
    CONFIRMED = "confirmed", _("confirmed by the requester")
    NOT_FIXED = "not_fixed", _("reported as not fixed")
    MERGED = "merged", _("merged")
    UNMERGED = "unmerged", _("merge undone")
    DELETED = "deleted", _("deleted")


# Each stands with what it came along with, so it is no news of its own.
FILES = {Verb.FILE_ADDED, Verb.FILE_REMOVED}

# Sent once for each ActivityLog row, inside its transaction. Arguments: sender=ActivityLog, activity.
activity_recorded = Signal()
