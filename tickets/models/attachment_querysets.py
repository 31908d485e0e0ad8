"""Querysets of attachments: which files a person may read, and how many a person may upload."""

from datetime import timedelta

from django.db.models import Count, Min, Q, Sum
from django.utils import timezone

from tickets.models.tracking import TrackedQuerySet
from tickets.rules.validators import MAX_BYTES_A_DAY, MAX_FILES_A_DAY

DAY = timedelta(days=1)


class TooManyFiles(Exception):
    """The person must wait for `wait` before uploading so many files."""

    def __init__(self, wait: timedelta):
        super().__init__()
        self.wait = wait


class AttachmentQuerySet(TrackedQuerySet):
    def visible_to(self, user):
        """Returns the files of the tickets that `user` may see, merged tickets included.

        Files of internal notes are visible to staff only.
        """
        if not user.is_authenticated:
            return self.none()
        if user.is_staff:
            return self
        tickets = self.model.ticket.field.related_model.objects.visible_to(user)
        merged = tickets.model._base_manager.filter(merged_into__in=tickets.values("pk"))
        readable = Q(ticket__in=tickets) | Q(ticket__in=merged.values("pk"))
        return self.filter(readable).said_in_public()

    def said_in_public(self):
        """Returns the files without those of internal notes."""
        return self.filter(Q(comment=None) | Q(comment__is_public=True))

    def get_visible(self, key: str, user):
        """Returns the file `key` if visible_to(user) contains it, else None.

        Files of own tickets need a shorter query.
        """
        one = self.filter(key=key).order_by()
        if user.is_authenticated and not user.is_staff:
            for file in one.filter(ticket__requester=user).said_in_public():
                return file
        return next(iter(one.visible_to(user)), None)

    def enforce_limit(self, uploads, person) -> None:
        """Raises TooManyFiles if `person` may not upload `uploads` now.

        Locks the person's row until the transaction ends, so that the count stays correct while the files are
        stored. Call this before a ticket is locked.
        """
        if not uploads:
            return
        # no_key: other transactions can still insert rows that refer to the person.
        people = self.model.uploader.field.related_model.objects.select_for_update(no_key=True)
        people.values_list("pk", flat=True).get(pk=person.pk)
        if wait := self.wait_for(uploads, person):
            raise TooManyFiles(wait)

    def wait_for(self, uploads, person) -> timedelta | None:
        """Returns how long `person` must wait to upload `uploads`, counted over 24 hours; None: no wait."""
        if not uploads:
            return None
        now = timezone.now()
        sent = self.filter(uploader=person, created_at__gt=now - DAY).aggregate(
            files=Count("pk"), bytes=Sum("size", default=0), first_at=Min("created_at")
        )
        files = sent["files"] + len(uploads)
        size = sent["bytes"] + sum(upload.size for upload in uploads)
        if files <= MAX_FILES_A_DAY and size <= MAX_BYTES_A_DAY:
            return None
        return (sent["first_at"] or now) + DAY - now
