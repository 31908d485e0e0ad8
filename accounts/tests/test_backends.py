"""What a person may do comes of one question, and is what Django's own backend says."""

import pytest
from allauth.account.auth_backends import AuthenticationBackend
from django.contrib.auth import BACKEND_SESSION_KEY
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import AnonymousUser, Permission

from accounts.backends import PermissionBackend
from accounts.models import User
from accounts.tests.cast import PASSWORD

pytestmark = pytest.mark.django_db


def again(person: User) -> User:
    """As the next request reads the person."""
    return User.objects.get(pk=person.pk)


@pytest.mark.parametrize("name", ["alice", "ann", "sam", "root"])
def test_permissions_are_those_of_djangos_own_backend(request, name):
    person = request.getfixturevalue(name)
    person.user_permissions.add(Permission.objects.get(codename="delete_ticket"))
    ours = PermissionBackend().get_all_permissions(again(person))
    assert ours == ModelBackend().get_all_permissions(again(person))
    assert "tickets.delete_ticket" in ours


def test_nobody_and_who_is_switched_off_may_nothing(sam):
    sam.is_active = False
    assert PermissionBackend().get_all_permissions(sam) == set()
    assert PermissionBackend().get_all_permissions(AnonymousUser()) == set()
    assert not sam.has_perm("tickets.view_ticket")


def test_one_question_answers_what_is_allowed_and_what_is_not(ann, django_assert_num_queries):
    person = again(ann)
    with django_assert_num_queries(1):
        assert person.has_perm("tickets.change_ticket")
        assert not person.has_perm("tickets.delete_ticket")
        assert person.has_module_perms("tickets")
        assert not person.has_module_perms("sessions")


def test_role_that_is_taken_away_counts_at_once(sam):
    assert again(sam).has_perm("tickets.delete_ticket")
    sam.groups.clear()
    assert not again(sam).has_perm("tickets.delete_ticket")


def test_only_allauth_logs_somebody_in(client, ann):
    assert PermissionBackend().authenticate(None, email=ann.email, password=PASSWORD) is None
    client.post("/accounts/login/", {"login": ann.email, "password": PASSWORD})
    path = f"{AuthenticationBackend.__module__}.{AuthenticationBackend.__qualname__}"
    assert client.session[BACKEND_SESSION_KEY] == path
