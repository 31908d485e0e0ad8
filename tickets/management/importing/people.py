"""Finds people by email address, and creates missing accounts."""

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError

from accounts import invitations
from accounts.roles import Role
from accounts.validators import validate_address


class People:
    """Looks up each person once. `makes_missing`: unknown addresses get an account without a password."""

    def __init__(self, *, makes_missing: bool = False):
        self.makes_missing = makes_missing
        self.made: set = set()
        people = get_user_model().objects
        self._known = {person.email: person for person in people.all()}
        self._staff = set(people.staff().values_list("pk", flat=True))

    def requester(self, address: str, *, name: str = "", department: str = ""):
        """The requester of a ticket. Raises ValueError for an unknown address."""
        person = self._known.get(address.lower()) or self._new(address, name)
        if person in self.made and (department and not person.department or not person.is_active):
            person.department, person.is_active = department, True
            person.full_clean()
            person.save()
        return person

    def assignee(self, address: str, *, name: str = "", is_done: bool):
        """The assignee of a ticket. An open ticket needs an active member of staff. Raises ValueError.

        Who is made for tickets that are done may have left, so that person can't log in; who is made for an
        open one is an agent. Raises ValidationError.
        """
        person = self._known.get(address.lower())
        if person is None:
            person = self._new(address, name)
            person.is_active = False
            person.save()
        if is_done or person.pk in self._staff:
            return person
        if person not in self.made:
            raise ValidationError(f"{address} may not work on tickets")
        person.is_active = True
        person.save()
        person.set_role(Role.AGENT)
        self._staff.add(person.pk)
        return person

    def _new(self, address: str, name: str):
        if not self.makes_missing:
            raise ValidationError(f"no one has the email address {address!r}. --people would make an account")
        validate_address(address)
        name = (name or address.partition("@")[0])[:150]
        get_user_model()._meta.get_field("full_name").run_validators(name)
        person = self._known[address.lower()] = invitations.invite(address, full_name=name)
        self.made.add(person)
        return person
