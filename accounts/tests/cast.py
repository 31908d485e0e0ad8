"""The people of every test: alice asks, bob is her colleague, charlie an outsider, ann and sam are staff."""

import pytest
from django.contrib.auth.hashers import make_password
from django.test import Client

from accounts.models import User
from accounts.roles import Role, sync

PASSWORD = "correct horse battery staple"
_hashed = None


def make_person(name: str, *, role: Role = Role.REQUESTER, **fields) -> User:
    """A person with a confirmed address. The password is hashed once for all: bcrypt is slow by design."""
    global _hashed
    _hashed = _hashed or make_password(PASSWORD)
    fields.setdefault("email", f"{name.split()[0].lower()}@example.com")
    person = User.objects.create_user(full_name=name, role=role, **fields)
    User.objects.filter(pk=person.pk).update(password=_hashed)
    person.password = _hashed
    person.emailaddress_set.create(email=person.email, verified=True, primary=True)
    return person


@pytest.fixture
def roles(db):
    """The groups with their permissions, as sync_roles makes them."""
    sync()


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
