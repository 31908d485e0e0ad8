"""Who can't be deleted: people with records, which would lose their author or owner."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.admin.utils import NestedObjects
from django.db import router
from django.utils.translation import gettext as _

from accounts.events import records_asked
from accounts.models import User


@dataclass(frozen=True)
class InUse:
    """A person with records; `kinds` are what they are, in words."""

    person: User
    kinds: list[str]


def in_use(people: Iterable[User]) -> list[InUse]:
    """Those of `people` who have records."""
    return [InUse(person, kinds) for person in people if (kinds := kinds_of_records(person))]


def kinds_of_records(person: User) -> list[str]:
    """In words; empty for a person who can be deleted."""
    answers = records_asked.send(sender=User, person=person)
    kinds = [kind for _receiver, answer in answers for kind in answer]
    return kinds or ([_("other records")] if _is_protected(person) else [])


def _is_protected(person: User) -> bool:
    """Whether the database keeps the person for a record that no receiver knows of."""
    collector = NestedObjects(using=router.db_for_write(User), origin=person)
    collector.collect([person])
    return bool(collector.protected)
