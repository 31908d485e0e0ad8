"""The people of every test: alice asks, bob is her colleague, charlie an outsider, ann and sam are staff."""

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group, Permission
from django.test import Client

from accounts.models import User
from accounts.roles import Role, sync

PASSWORD = "correct horse battery staple"
_hashed = None


def make_person(name: str, *, role: Role = Role.REQUESTER, **fields) -> User:
    """A person with a confirmed address. The password is hashed once for all: bcrypt is slow by design.

    The group is written as a row: nobody has to hear that a person without tickets got a role.
    """
    global _hashed
    _hashed = _hashed or make_password(PASSWORD)
    fields.setdefault("email", f"{name.split()[0].lower()}@example.com")
    person = User(full_name=name, password=_hashed, **fields)
    person.save()
    group, _created = Group.objects.get_or_create(name=role.value)
    User.groups.through.objects.create(user=person, group=group)
    person.emailaddress_set.create(email=person.email, verified=True, primary=True)
    return person


_kept: dict = {}


@pytest.fixture
def roles(db):
    """The groups with their permissions, as sync_roles makes them: it is asked once, its rows are kept.

    Tests with real commits empty the tables, and the permissions come back with other numbers.
    """
    first = Permission.objects.order_by("pk").values_list("pk", flat=True).first()
    through = Group.permissions.through
    if _kept.get("first") != first:
        sync()
        _kept.update(first=first, rows=list(through.objects.values_list("group__name", "permission")))
        return
    Group.objects.bulk_create([Group(name=name) for name in Role.values], ignore_conflicts=True)
    numbers = dict(Group.objects.values_list("name", "pk"))
    through.objects.bulk_create(
        [through(group_id=numbers[name], permission_id=permission) for name, permission in _kept["rows"]],
        ignore_conflicts=True,
    )


@pytest.fixture
def alice(roles):
    return make_person("Alice Moreau", department="Sales", location="Room 204")


@pytest.fixture
def bob(roles):
    return make_person("Bob Ortiz", department="Sales")


@pytest.fixture
def charlie(roles):
    return make_person("Charlie Okafor", department="Finance")


@pytest.fixture
def ann(roles):
    return make_person("Ann Weber", role=Role.AGENT)


@pytest.fixture
def sam(roles):
    return make_person("Sam Lindqvist", role=Role.SUPERVISOR)


@pytest.fixture
def root(roles):
    return make_person("Root Admin", is_superuser=True)


@pytest.fixture
def client_of():
    """client_of(person): a browser in which the person is logged in."""

    def log_in(person) -> Client:
        client = Client()
        client.force_login(person)
        return client

    return log_in
