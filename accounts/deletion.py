"""Finds people who can't be deleted, because records would lose their author or owner."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.admin.utils import NestedObjects
from django.db import router
from django.utils.translation import gettext as _

from accounts.events import records_asked
from accounts.models import User


@dataclass(frozen=True)
class InUse:
    """A person with records. `kinds` names the kinds of records."""

    person: User
    kinds: list[str]


def in_use(people: Iterable[User]) -> list[InUse]:
    """Those of `people` who have records."""
    return [InUse(person, kinds) for person in people if (kinds := kinds_of_records(person))]


def kinds_of_records(person: User) -> list[str]:
    """The kinds of records as words; empty for a person who can be deleted."""
    answers = records_asked.send(sender=User, person=person)
    kinds = [kind for _receiver, answer in answers for kind in answer]
    return kinds or ([_("other records")] if _is_protected(person) else [])


def _is_protected(person: User) -> bool:
    """Whether a foreign key protects the person that no receiver has reported."""
    collector = NestedObjects(using=router.db_for_write(User), origin=person)
    collector.collect([person])
    return bool(collector.protected)
