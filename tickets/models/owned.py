from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class OwnedQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Returns the rows that `user` may use: their own and those shared with all staff."""
        if not user.is_staff:
            return self.none()
        return self.filter(models.Q(owner=user) | models.Q(owner=None))


class OwnedModel(models.Model):
    """A tool of the staff that belongs to one person, or is shared with all staff (no owner)."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.CASCADE,
        related_name="+",
        null=True,
        blank=True,
        help_text=_("Leave blank to share with all staff."),
    )

    objects = OwnedQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def is_shared(self) -> bool:
        return self.owner_id is None
