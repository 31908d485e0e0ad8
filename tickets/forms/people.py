"""Fields that select people."""

from django.contrib.auth import get_user_model
from django.db.models import Q, QuerySet

from helpdesk.lists.admin import NumbersField
from tickets.forms.tickets import FewRows, FewRowsField


class NamesOfPeople(FewRows):
    """Reads only the columns that User.marked_name needs."""

    def __iter__(self):
        if self.field.empty_label is not None:
            yield ("", self.field.empty_label)
        yield from map(self.choice, self.queryset.only("full_name", "email", "is_active", "is_superuser"))


class AssigneeField(FewRowsField):
    """Offers people who work.

    A former staff member who is selected already stays valid and is marked as such.
    """

    iterator = NamesOfPeople

    def offer(self, *, present: int | None = None) -> None:
        """`present` is the primary key of the person who is selected now."""
        self.queryset = get_user_model().objects.staff_or(present).with_role()

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
