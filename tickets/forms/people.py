"""Menus of people."""

from django.contrib.auth import get_user_model

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
