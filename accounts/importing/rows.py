"""Validates the rows of a table: each row names one person."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.fields import OneLineFormField
from accounts.importing.table import PeopleTable
from accounts.models import User
from accounts.validators import validate_address, validate_single_line
from helpdesk.csv_files import Problem

# The fields of a person that a file can change.
DETAILS = ("full_name", "department", "location", "phone")


def _one_line(name: str) -> OneLineFormField:
    longest = User._meta.get_field(name).max_length
    return OneLineFormField(required=False, max_length=longest, validators=[validate_single_line])


class PersonRowForm(forms.Form):
    """A row by field name. An empty cell says nothing about the person."""

    email = forms.CharField(
        max_length=User._meta.get_field("email").max_length,
        validators=[validate_address],
        error_messages={"required": gettext_lazy("an email address is required")},
    )
    full_name = _one_line("full_name")
    given_name = _one_line("full_name")
    family_name = _one_line("full_name")
    department = _one_line("department")
    location = _one_line("location")
    phone = _one_line("phone")
    role = OneLineFormField(required=False)

    def clean_email(self) -> str:
        return self.cleaned_data["email"].lower()

    def clean(self) -> None:
        """Puts the name together, if the file has it in two columns."""
        data = self.cleaned_data
        parts = (data.pop("given_name", ""), data.pop("family_name", ""))
        if not data.get("full_name"):
            longest = User._meta.get_field("full_name").max_length
            data["full_name"] = " ".join(filter(None, parts))[:longest].strip()


@dataclass
class PersonRow:
    """A line of the file: what it says about a person, or why it can't be imported."""

    line: int
    email: str = ""
    details: dict[str, str] = field(default_factory=dict)  # only those that the file has
    role: str = ""
    problems: list[Problem] = field(default_factory=list)


def read(table: PeopleTable, *, most: int | None = None) -> list[PersonRow]:
    """The rows of the file, at most `most` of them. Raises Problem if the file is unreadable."""
    return list(islice(_unique(_validated(table), table), most))


def _validated(table: PeopleTable) -> Iterator[PersonRow]:
    for line, cells in table.rows():
        if isinstance(cells, Problem):
            yield PersonRow(line, problems=[cells])
        elif any(cells.values()):
            yield _row(line, cells, table.headings)


def _row(line: int, cells: dict[str, str], headings: dict[str, str]) -> PersonRow:
    form = PersonRowForm(cells)
    problems = [
        Problem(line, headings.get(name, name), " ".join(errors)) for name, errors in form.errors.items()
    ]
    data = form.cleaned_data
    details = {name: data[name] for name in DETAILS if data.get(name)}
    email = data.get("email", cells["email"])
    return PersonRow(line, email, details, data.get("role", "").lower(), problems)


def _unique(rows: Iterator[PersonRow], table: PeopleTable) -> Iterator[PersonRow]:
    """The rows, with a problem for each that names an address of an earlier one."""
    lines: dict[str, int] = {}
    for row in rows:
        first = row.line if row.problems else lines.setdefault(row.email, row.line)
        if first != row.line:
            words = _("line %(line)d has the same address") % {"line": first}
            row.problems.append(Problem(row.line, table.headings["email"], words))
        yield row
