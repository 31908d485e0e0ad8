"""Sends rights_changed when roles change. Only apps.py imports it."""

from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_delete, pre_save

from accounts.events import rights_changed
from accounts.models import User

BEFORE, AFTER = ("pre_remove", "pre_clear"), ("post_remove", "post_clear")


def connect() -> None:
    sender = User.groups.through
    m2m_changed.connect(groups_changed, sender=sender, dispatch_uid="accounts.groups_changed")
    # Deleting a group deletes its memberships, and Django sends no signals for them.
    pre_delete.connect(remember_members, sender=Group, dispatch_uid="accounts.remember_members")
    post_delete.connect(ring_for_members, sender=Group, dispatch_uid="accounts.ring_for_members")
    # A renamed group may be no role any more.
    pre_save.connect(remember_members, sender=Group, dispatch_uid="accounts.remember_members.save")
    post_save.connect(ring_for_members, sender=Group, dispatch_uid="accounts.ring_for_members.save")


def groups_changed(sender, instance, action, reverse, pk_set, **kwargs):
    """`instance` is a person or, where `reverse`, a group; `pk_set` the others, None for all of them."""
    if not reverse:
        instance.__dict__.pop("role", None)
        people = User.objects.filter(pk=instance.pk)
    elif pk_set is None:
        people = User.objects.filter(groups=instance)
    else:
        people = User.objects.filter(pk__in=pk_set)
    if action in BEFORE:
        remember_workers(instance, people)
    elif action in AFTER:
        ring_for_workers(instance)
    elif action == "post_add" and pk_set:
        for person in people:
            rights_changed.send(sender=User, person=person, worked=False)


def remember_members(sender, instance, **kwargs):
    if instance.pk is not None:
        remember_workers(instance, User.objects.filter(groups=instance))


def ring_for_members(sender, instance, **kwargs):
    ring_for_workers(instance)


def remember_workers(instance, people: QuerySet) -> None:
    instance._worked = set(people.staff().order_by().values_list("pk", flat=True))


def ring_for_workers(instance) -> None:
    for person in User.objects.filter(pk__in=instance.__dict__.pop("_worked", ())).order_by("pk"):
        rights_changed.send(sender=User, person=person, worked=True)
