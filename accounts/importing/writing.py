"""Writes what a plan says, in a few queries for each batch. Sends no email."""

import json
import logging

from allauth.account.models import EmailAddress
from django.contrib.admin.models import ADDITION, CHANGE, LogEntry
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.contrib.contenttypes.models import ContentType
from django.utils import translation
from django.utils.text import capfirst

from accounts.events import people_renamed
from accounts.importing.plan import BATCH, Action, ImportStep, Plan
from accounts.models import Invitation, User
from accounts.people_search import other_spellings
from accounts.roles import Role

logger = logging.getLogger("security")
SPELLINGS = {"full_name": "name_words", "department": "department_words"}  # bulk_update() leaves them


def write(plan: Plan, *, by: User | None) -> None:
    """Call it in a transaction, with a plan whose people are locked. `by` is None for a command.

    Steps that can't be imported are left out.
    """
    for steps in _batches(plan.of(Action.CREATE)):
        _create(steps)
        _log(steps, ADDITION, by=by)
    for steps in _batches(plan.of(Action.UPDATE)):
        _update(steps)
        _log(steps, CHANGE, by=by)
    counts = plan.counts
    numbers = [counts[action] for action in (Action.CREATE, Action.UPDATE)]
    logger.info("Person %s imported people: %s created, %s updated.", by and by.pk, *numbers)


def _batches(steps: list[ImportStep]) -> list[list[ImportStep]]:
    return [steps[start : start + BATCH] for start in range(0, len(steps), BATCH)]


def _create(steps: list[ImportStep]) -> None:
    """Creates requesters without a password. Their addresses count as confirmed, as staff know them.

    The rows of the groups are written without signals: someone without tickets got the lowest role.
    """
    for step in steps:
        step.person = User(email=step.email, password=make_password(None), **step.details)
    people = User.objects.bulk_create([step.person for step in steps])
    group, _is_new = Group.objects.get_or_create(name=Role.REQUESTER.value)
    membership = User.groups.through
    membership.objects.bulk_create([membership(user=person, group=group) for person in people])
    EmailAddress.objects.bulk_create(
        [EmailAddress(user=person, email=person.email, verified=True, primary=True) for person in people]
    )
    Invitation.objects.bulk_create([Invitation(person=person) for person in people])
    keys = ", ".join(str(person.pk) for person in people)
    logger.info("People have accounts without signing up: %s.", keys)


def _update(steps: list[ImportStep]) -> None:
    for step in steps:
        for name, value in step.details.items():
            setattr(step.person, name, value)
        for name, words in SPELLINGS.items():
            setattr(step.person, words, other_spellings(getattr(step.person, name)))
    changed = {name for step in steps for name in step.details}
    written = changed | {words for name, words in SPELLINGS.items() if name in changed}
    User.objects.bulk_update([step.person for step in steps], sorted(written))
    renamed = [step.person.pk for step in steps if SPELLINGS.keys() & step.details]
    if renamed:
        people_renamed.send(sender=User, people=renamed)


def _log(steps: list[ImportStep], flag: int, *, by: User | None) -> None:
    """Adds the entries of the history that each person's page shows, as if `by` had saved each page."""
    if by is None:
        return
    content_type = ContentType.objects.get_for_model(User)
    LogEntry.objects.bulk_create(
        LogEntry(
            user=by,
            content_type=content_type,
            object_id=step.person.pk,
            object_repr=str(step.person)[:200],
            action_flag=flag,
            change_message=json.dumps([_message(step, flag)]),
        )
        for step in steps
    )


def _message(step: ImportStep, flag: int) -> dict:
    """As the admin stores it: with labels that are translated when they are shown."""
    if flag == ADDITION:
        return {"added": {}}
    with translation.override(None):
        labels = [str(capfirst(User._meta.get_field(name).verbose_name)) for name in step.details]
    return {"changed": {"fields": labels}}
