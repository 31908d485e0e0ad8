"""Files of deleted attachments that the storage could not delete at once."""

from tickets.models import Attachment, DiscardedFile

AT_ONCE = 1000


def delete_discarded() -> int:
    """Deletes discarded files until the storage fails. Returns their number. A timed job."""
    storage, deleted = Attachment._meta.get_field("file").storage, 0
    for discarded in DiscardedFile.objects.all()[:AT_ONCE]:
        if not discarded.delete_from(storage):
            break
        deleted += 1
    return deleted
