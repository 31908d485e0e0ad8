"""The form that validates one row: each error belongs to a column."""

import re
from datetime import date, datetime, time

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from tickets.management.importing.catalogue import Catalogue
from tickets.management.importing.people import People
from tickets.management.importing.table import FIELDS
from tickets.models import Ticket
from tickets.rules.calendar import DAY, today
from tickets.rules.workflow import Phase

SUBJECT_FROM_DESCRIPTION = 80  # characters
EARLIEST = date(1970, 1, 1)


class TextField(forms.CharField):
    """A cell, as tickets.management.importing.table reads it."""

    def __init__(self):
        super().__init__(required=False, strip=False)


class MomentField(TextField):
    """ISO 8601; without a time zone it is the helpdesk's. Cleans to None where the cell is empty."""

    def clean(self, value) -> datetime | None:
        text = super().clean(value)
        return self._moment(text) if text else None

    def _moment(self, text: str) -> datetime:
        try:
            moment = parse_datetime(text)
            day = parse_date(text) if moment is None else None
        except ValueError as error:
            raise ValidationError(f"{text!r} is no possible date: {error}") from error
        if day:
            moment = datetime.combine(day, time.min)
        if moment is None:
            raise ValidationError(f"{text!r} is no date like 2026-03-31 14:05")
        # Before 1970 it is the "empty" date of another system; its clock may be ahead of ours by a day.
        if moment.date() < EARLIEST:
            raise ValidationError(f"{text!r} is before {EARLIEST}")
        if moment.date() > today() + DAY:
            raise ValidationError(f"{text!r} lies in the future")
        return moment if timezone.is_aware(moment) else timezone.make_aware(moment)


class RowForm(forms.Form):
    """A row of the file by field name; ticket() gives the ticket that it describes.

    Fields are cleaned in their order: each may read those above it, as far as they are valid.
    """

    phase = TextField()
    requester_name = TextField()
    requester_department = TextField()
    assignee_name = TextField()
    subject = TextField()
    description = TextField()
    category = TextField()
    status = TextField()
    priority = TextField()
    requester = TextField()
    assignee = TextField()
    created_at = MomentField()
    first_replied_at = MomentField()
    done_at = MomentField()
    updated_at = MomentField()

    def __init__(self, row: dict[str, str], *, catalogue: Catalogue, people: People, requester=None):
        """`requester` is the person whose ticket it is where the row names nobody."""
        super().__init__(row)
        self.catalogue, self.people, self.requester = catalogue, people, requester

    def ticket(self) -> Ticket:
        """Not saved yet."""
        values = {name: self.cleaned_data[name] for name in FIELDS}
        return Ticket(**values, public_at=values["updated_at"], source=Ticket.Source.IMPORT)

    def clean_subject(self) -> str:
        text = self.cleaned_data["subject"]
        if not text:
            words = re.sub(r"\s+", " ", self.data.get("description", "")).strip()
            cut = words[:SUBJECT_FROM_DESCRIPTION]
            text = cut if cut == words else f"{cut.rpartition(' ')[0] or cut} …"
        if not text:
            raise ValidationError("there is neither a subject nor a description")
        Ticket._meta.get_field("subject").run_validators(text)
        return text

    def clean_description(self) -> str:
        text = self.cleaned_data["description"] or self.data.get("subject", "")
        Ticket._meta.get_field("description").run_validators(text)
        return text

    def clean_category(self):
        return self.catalogue.category(self.cleaned_data["category"])

    def clean_status(self):
        if name := self.cleaned_data["status"]:
            return self.catalogue.status(name, phase=self.cleaned_data.get("phase", ""))
        return self.catalogue.done if self.data.get("done_at") else self.catalogue.new

    def clean_priority(self) -> str:
        return self.catalogue.priority(self.cleaned_data["priority"])

    def clean_requester(self):
        address = self.cleaned_data["requester"]
        if not address and self.requester is None:
            raise ValidationError("nobody is named. --requester EMAIL would stand in")
        if not address:
            return self.requester
        name, department = (self.cleaned_data.get(f"requester_{what}", "") for what in ("name", "department"))
        return self.people.requester(address, name=name, department=department)

    def clean_assignee(self):
        address, name = self.cleaned_data["assignee"], self.cleaned_data.get("assignee_name", "")
        return self.people.assignee(address, name=name, is_done=self._is_done) if address else None

    def clean_created_at(self) -> datetime:
        return self.cleaned_data["created_at"] or timezone.now()

    def clean_first_replied_at(self) -> datetime | None:
        return self._not_before_filing("first_replied_at")

    def clean_done_at(self) -> datetime | None:
        if "status" in self.errors:
            return None
        if self.cleaned_data["done_at"] is None:
            return self.cleaned_data.get("created_at") if self._is_done else None
        if not self._is_done:
            raise ValidationError(f"the status {self.cleaned_data['status']} is not done")
        return self._not_before_filing("done_at")

    def clean_updated_at(self) -> datetime | None:
        if self.cleaned_data["updated_at"]:
            return self._not_before_filing("updated_at")
        known = (self.cleaned_data.get(name) for name in ("created_at", "first_replied_at", "done_at"))
        return max(filter(None, known), default=None)

    @property
    def _is_done(self) -> bool:
        return "status" in self.cleaned_data and self.cleaned_data["status"].phase == Phase.DONE

    def _not_before_filing(self, name: str) -> datetime | None:
        moment, filed = self.cleaned_data[name], self.cleaned_data.get("created_at")
        if moment and filed and moment < filed:
            raise ValidationError("it is before created_at")
        return moment
