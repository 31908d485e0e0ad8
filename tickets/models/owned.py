from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class OwnedQuerySet(models.QuerySet):
    def visible_to(self, user):
        """What `user` may use: the own and what is shared with all staff."""
        if not user.is_staff:
            return self.none()
        return self.filter(models.Q(owner=user) | models.Q(owner=None))


class OwnedModel(models.Model):
    """Something for the staff's daily work that belongs to one person, or to all of them (no owner)."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("owner"),
        on_delete=models.CASCADE,
        related_name="+",
        null=True,
        blank=True,
        help_text=_("Empty: shared with all staff."),
    )

    objects = OwnedQuerySet.as_manager()

    class Meta:
        abstract = True

    @property
    def is_shared(self) -> bool:
        return self.owner_id is None
