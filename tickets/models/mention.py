from collections.abc import Collection

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from tickets.models.ticket import Ticket


class MentionQuerySet(models.QuerySet):
    def on_pages_of(self, tickets: Collection[int]) -> list[tuple[int, int]]:
        """Returns pairs of ticket and person, the oldest mention first. The page of a ticket shows the notes
        of those merged into it, so whom they mention counts there too.
        """
        own = self.filter(ticket__in=tickets).values_list("pk", "ticket", "person")
        merged = self.filter(ticket__merged_into__in=tickets).values_list(
            "pk", "ticket__merged_into", "person"
        )
        pairs = [(ticket, person) for _pk, ticket, person in sorted(own.union(merged, all=True))]
        return list(dict.fromkeys(pairs))


class Mention(models.Model):
    """A member of staff whom an internal note mentioned. They are notified of what is written from then on.

    Like a watcher, but for staff only: requesters see watchers, and must not learn of a note.
    """

    ticket = models.ForeignKey(Ticket, on_delete=models.CASCADE, related_name="mentions")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")

    objects = MentionQuerySet.as_manager()

    class Meta:
        verbose_name = _("mention")
        verbose_name_plural = _("mentions")
        constraints = [
            models.UniqueConstraint(fields=["ticket", "person"], name="mention_once_per_ticket"),
        ]

    def __str__(self):
        return f"#{self.ticket_id} {self.person_id}"
