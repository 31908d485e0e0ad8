"""Makes unsaved tickets of rows."""

import re
from datetime import date, datetime, time

from django.core.exceptions import ValidationError
from django.core.validators import ProhibitNullCharactersValidator
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from tickets.calendar import DAY, today
from tickets.importing.people import People
from tickets.importing.table import FIELDS, Problem
from tickets.models import Category, Status, Ticket
from tickets.workflow import Phase

FALLBACK_CATEGORY = "Other"
SUBJECT_FROM_DESCRIPTION = 80  # characters
EARLIEST = date(1970, 1, 1)
refuse_null = ProhibitNullCharactersValidator()


class Builder:
    """Looks people, categories and statuses up once, and makes those that are missing where it may."""

    def __init__(
        self,
        people: People,
        *,
        requester=None,
        create_categories: bool = False,
        create_statuses: bool = False,
    ):
        self.people, self.requester = people, requester
        self.create_categories, self.create_statuses = create_categories, create_statuses
        self.now = timezone.now()
        self.categories = {category.name.lower(): category for category in Category.objects.all()}
        self.statuses = {status.name.lower(): status for status in Status.objects.all()}
        self.new, self.done = (Status.objects.default_for(phase) for phase in (Phase.NEW, Phase.DONE))
        self.priorities = {str(label).lower(): value for value, label in Ticket.Priority.choices}
        self.priorities |= {value: value for value in Ticket.Priority.values}
        self.phases = {str(label).lower(): value for value, label in Phase.choices}

    def ticket(self, line: int, row: dict[str, str]) -> tuple[Ticket | None, list[Problem]]:
        """The ticket of a row, or everything that is wrong with it."""
        values, problems = {}, []
        for name in FIELDS:
            try:
                text = row.get(name, "")
                refuse_null(text)
                values[name] = getattr(self, f"_{name}")(text, row, values)
            except (ValidationError, ValueError) as error:
                words = " ".join(error.messages) if isinstance(error, ValidationError) else str(error)
                problems.append(Problem(line, name, words))
        if problems:
            return None, problems
        return Ticket(**values, source=Ticket.Source.IMPORT), []

    def _subject(self, text, row, values):
        if not text:
            words = re.sub(r"\s+", " ", row.get("description", "")).strip()
            cut = words[:SUBJECT_FROM_DESCRIPTION]
            text = cut if cut == words else f"{cut.rpartition(' ')[0] or cut} …"
        if not text:
            raise ValueError("there is neither a subject nor a description")
        Ticket._meta.get_field("subject").run_validators(text)
        return text

    def _description(self, text, row, values):
        text = text or row.get("subject", "")
        Ticket._meta.get_field("description").run_validators(text)
        return text

    def _category(self, text, row, values):
        name = text or FALLBACK_CATEGORY
        category = self.categories.get(name.lower())
        if category is None and (self.create_categories or not text):
            category = Category(name=name, position=len(self.categories) + 1)
            category.full_clean()
            category.save()
            self.categories[name.lower()] = category
        if category is None:
            raise ValueError(f"there is no category {name!r}. --create-categories would make it")
        return category

    def _status(self, text, row, values):
        if not text:
            return self.done if row.get("done_at") else self.new
        status = self.statuses.get(text.lower())
        if status is None and self.create_statuses:
            status = self.statuses[text.lower()] = self._new_status(text, row.get("phase", ""))
        if status is None:
            raise ValueError(f"there is no status {text!r}. --create-statuses would make it")
        return status

    def _new_status(self, name: str, phase: str) -> Status:
        if phase.lower() not in self.phases:
            known = ", ".join(self.phases)
            raise ValueError(f"there is no status {name!r}, and no phase for it: one of {known}")
        status = Status(name=name, phase=self.phases[phase.lower()], position=len(self.statuses) + 1)
        status.full_clean()
        status.save()
        return status

    def _priority(self, text, row, values):
        if text.lower() not in self.priorities and text:
            raise ValueError(f"there is no priority {text!r}. Use low, normal, high or urgent")
        return self.priorities.get(text.lower(), Ticket.Priority.NORMAL)

    def _requester(self, text, row, values):
        if not text and self.requester is None:
            raise ValueError("nobody is named. --requester EMAIL would stand in")
        if not text:
            return self.requester
        names = {"name": row.get("requester_name", ""), "department": row.get("requester_department", "")}
        return self.people.requester(text, **names)

    def _assignee(self, text, row, values):
        if not text:
            return None
        is_done = "status" in values and values["status"].phase == Phase.DONE
        return self.people.assignee(text, name=row.get("assignee_name", ""), is_done=is_done)

    def _created_at(self, text, row, values):
        return self._moment(text) if text else self.now

    def _first_replied_at(self, text, row, values):
        return self._later(text, values) if text else None

    def _done_at(self, text, row, values):
        if "status" not in values or "created_at" not in values:
            return None  # said already
        is_done = values["status"].phase == Phase.DONE
        if not text:
            return values["created_at"] if is_done else None
        if not is_done:
            raise ValueError(f"the status {values['status']} is not done")
        return self._later(text, values)

    def _updated_at(self, text, row, values):
        if text:
            return self._later(text, values)
        known = (values.get(name) for name in ("created_at", "first_replied_at", "done_at"))
        return max(filter(None, known), default=None)

    def _later(self, text: str, values: dict) -> datetime:
        moment = self._moment(text)
        if "created_at" in values and moment < values["created_at"]:
            raise ValueError("it is before created_at")
        return moment

    def _moment(self, text: str) -> datetime:
        """ISO 8601; without a time zone it is the helpdesk's."""
        try:
            moment = parse_datetime(text)
            day = parse_date(text) if moment is None else None
        except ValueError as error:
            raise ValueError(f"{text!r} is no possible date: {error}") from error
        if day:
            moment = datetime.combine(day, time.min)
        if moment is None:
            raise ValueError(f"{text!r} is no date like 2026-03-31 14:05")
        # Before 1970 it is the "empty" date of another system; its clock may be ahead of ours by a day.
        if moment.date() < EARLIEST:
            raise ValueError(f"{text!r} is before {EARLIEST}")
        if moment.date() > today() + DAY:
            raise ValueError(f"{text!r} lies in the future")
        return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
