"""Compares the rows of a file with the people who have accounts: what an import would do."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from allauth.account.models import EmailAddress
from django.db.models import TextChoices
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.importing.rows import PersonRow
from accounts.models import User
from accounts.roles import Role
from helpdesk.csv_files import Problem

BATCH = 500


class Action(TextChoices):
    CREATE = "create", gettext_lazy("Create")
    UPDATE = "update", gettext_lazy("Update")
    UNCHANGED = "unchanged", gettext_lazy("No changes")
    REFUSE = "refuse", gettext_lazy("Can't be imported")


@dataclass
class ImportStep:
    """What happens to the person of one line. `details` are the new values of the fields that change."""

    line: int
    email: str
    action: Action
    person: User | None = None
    details: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    remark: str = ""

    @property
    def name(self) -> str:
        return self.person.full_name if self.person else self.details.get("full_name", "")

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        """The label, the present value and the new value of each field that changes. The name of a new
        person is in `name`.
        """
        return [
            (User._meta.get_field(name).verbose_name, getattr(self.person, name, ""), new)
            for name, new in self.details.items()
            if self.person or name != "full_name"
        ]

    def as_data(self) -> list:
        person = self.person and self.person.pk
        problems = [str(problem) for problem in self.problems]
        changes = [[name, getattr(self.person, name, ""), new] for name, new in self.details.items()]
        return [self.line, self.email, self.action.value, person, changes, problems, str(self.remark)]


@dataclass
class Plan:
    steps: list[ImportStep]

    def of(self, *actions: Action) -> list[ImportStep]:
        return [step for step in self.steps if step.action in actions]

    @property
    def counts(self) -> dict[str, int]:
        """The number of lines by action; all actions are named."""
        found = Counter(step.action for step in self.steps)
        return {action.value: found[action] for action in Action}

    @property
    def remarks(self) -> Counter:
        """The number of lines with each remark."""
        return Counter(str(step.remark) for step in self.steps if step.remark)

    @property
    def people(self) -> list[int]:
        """The primary keys of those who have an account, or got one by the import."""
        return [step.person.pk for step in self.steps if step.person and step.action != Action.REFUSE]

    @property
    def problems(self) -> list[Problem]:
        return [problem for step in self.steps for problem in step.problems]

    @property
    def digest(self) -> str:
        """Says whether another plan does the same."""
        return sha256(json.dumps([step.as_data() for step in self.steps]).encode()).hexdigest()


def make_plan(rows: Sequence[PersonRow], *, lock: bool = False) -> Plan:
    """`lock` keeps others from changing these people until the end of the transaction."""
    steps, lines = [], {}
    for start in range(0, len(rows), BATCH):
        part = rows[start : start + BATCH]
        people = _people([row.email for row in part if not row.problems], lock=lock)
        for row in part:
            steps.append(_step(row, people.get(row.email), lines))
    return Plan(steps)


def _people(addresses: list[str], *, lock: bool) -> dict[str, User]:
    """The people who have these addresses, by address.

    An address that a person has only claimed, by a sign-up or a change, is not theirs before it is confirmed;
    but that of the account counts in any case.
    """
    other = EmailAddress.objects.filter(email__in=addresses, verified=True)
    owners = dict(other.values_list("email", "user_id"))
    people = User.objects.with_role().order_by("pk")
    if lock:
        people = people.select_for_update(of=("self",))
    by_key = {person.pk: person for person in people.filter(pk__in=owners.values())}
    found = {email: by_key[key] for email, key in owners.items() if key in by_key}
    return found | {person.email: person for person in people.filter(email__in=addresses)}


def _step(row: PersonRow, person: User | None, lines: dict[int, int]) -> ImportStep:
    """`lines` are the lines of the people so far; a person with two addresses may stand on two lines."""
    problems = row.problems or list(_refusals(row, person, lines))
    if problems:
        return ImportStep(row.line, row.email, Action.REFUSE, person, problems=problems)
    if person is None:
        name = row.details.get("full_name") or row.email.partition("@")[0]
        return ImportStep(row.line, row.email, Action.CREATE, details={**row.details, "full_name": name})
    if person.is_superuser or person.role == Role.SUPERVISOR:
        remark = _("Supervisors and superusers are never changed by an import.")
        return ImportStep(row.line, row.email, Action.UNCHANGED, person, remark=remark)
    details = {name: new for name, new in row.details.items() if getattr(person, name) != new}
    action = Action.UPDATE if details else Action.UNCHANGED
    remark = "" if person.is_active else _("The account is deactivated and stays so.")
    return ImportStep(row.line, row.email, action, person, details, remark=remark)


def _refusals(row: PersonRow, person: User | None, lines: dict[int, int]) -> Iterator[Problem]:
    present = {person.role, "superuser" if person.is_superuser else person.role} if person else set()
    if row.role not in {"", Role.REQUESTER, Role.REQUESTER.label, *present}:
        words = _("an import creates requesters only. Set another role on the person's page")
        yield Problem(row.line, _("role"), words)
    if person and lines.setdefault(person.pk, row.line) != row.line:
        words = _("line %(line)d has another address of the same person") % {"line": lines[person.pk]}
        yield Problem(row.line, "", words)
