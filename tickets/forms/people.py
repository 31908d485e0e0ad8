"""Menus of people."""

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet

from accounts.mixins import NumbersField
from tickets.forms.tickets import FewRowsField


class AssigneeField(FewRowsField):
    """People who work. Somebody else who is chosen already stays possible, and the name says so."""

    def offer(self, *, present: int | None = None) -> None:
        """`present` is the number of the person who is chosen now."""
        people = get_user_model().objects
        offered = people.staff() | people.filter(pk=present) if present else people.staff()
        self.queryset = offered.with_role()

    def label_from_instance(self, person) -> str:
        return person.marked_name


class PeopleField(NumbersField):
    """Several people who work. Those who are chosen already and don't work stay possible, and are marked."""

    def label_from_instance(self, person) -> str:
        return person.marked_name


def working_or(chosen: QuerySet) -> QuerySet:
    """People who work, and those of `chosen`, each with the role."""
    staff = get_user_model().objects.staff().order_by().values("pk")
    return get_user_model().objects.filter(Q(pk__in=staff) | Q(pk__in=chosen)).with_role()
