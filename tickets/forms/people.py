"""Fields that select people."""

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet

from helpdesk.lists.admin import NumbersField
from tickets.forms.tickets import FewRowsField


class AssigneeField(FewRowsField):
    """Offers people who work.

    A former staff member who is selected already stays valid and is marked as such.
    """

    def offer(self, *, present: int | None = None) -> None:
        """`present` is the primary key of the person who is selected now."""
        people = get_user_model().objects
        offered = people.staff() | people.filter(pk=present) if present else people.staff()
        self.queryset = offered.with_role()

    def label_from_instance(self, person) -> str:
        return person.marked_name


class PeopleField(NumbersField):
    """Several people who work. Former staff who are selected already stay valid and are marked as such."""

    def label_from_instance(self, person) -> str:
        return person.marked_name


def working_or(chosen: QuerySet) -> QuerySet:
    """Returns people who work and those of `chosen`, with their roles."""
    staff = get_user_model().objects.staff().order_by().values("pk")
    return get_user_model().objects.filter(Q(pk__in=staff) | Q(pk__in=chosen)).with_role()
