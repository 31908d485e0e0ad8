"""Files whose attachments are deleted, and which the store could not delete then."""

from tickets.models import Attachment, DiscardedFile

AT_ONCE = 1000


def delete_discarded() -> int:
    """Deletes them, up to the first that the store refuses. Returns how many. A timed job."""
    storage, deleted = Attachment._meta.get_field("file").storage, 0
    for discarded in DiscardedFile.objects.all()[:AT_ONCE]:
        if not discarded.delete_from(storage):
            break
        deleted += 1
    return deleted
