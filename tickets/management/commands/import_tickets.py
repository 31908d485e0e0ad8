from collections.abc import Callable
from functools import partial
from pathlib import Path

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from tqdm import tqdm

from accounts import actor
from helpdesk.csv_files import Problem, parse_map
from tickets.history import recording
from tickets.management.importing.catalogue import Catalogue
from tickets.management.importing.people import People
from tickets.management.importing.row_form import RowForm
from tickets.management.importing.table import FIELDS, CsvTable
from tickets.management.limits import lift_time_limits
from tickets.models import Ticket
from tickets.search import documents

BATCH = 1000
SHOWN = 20


class Refused(Exception):
    """Rolls back the whole import."""


class Command(BaseCommand):
    help = (
        "Brings in tickets from a CSV file (UTF-8, also compressed as .csv.gz), all of them or none. It may "
        f"have any of the columns {', '.join(FIELDS)}; requester and assignee are email addresses, times are "
        "like 2026-03-31 14:05. It also reads files from export_tickets. No emails are sent. Lines that "
        "can't be imported are listed with the reason."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, help="The CSV file.")
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="FIELD=COLUMN",
            help="The column of a field, where the names differ. May be given several times.",
        )
        parser.add_argument(
            "--create-categories", action="store_true", help="Make categories that do not exist yet."
        )
        parser.add_argument(
            "--create-statuses",
            action="store_true",
            help="Make statuses that do not exist yet, in the phase that the column phase names.",
        )
        parser.add_argument(
            "--people",
            action="store_true",
            help="Make accounts for people who have none. They choose a password by “Forgot password?”.",
        )
        parser.add_argument("--requester", metavar="EMAIL", help="The requester of rows that name none.")
        parser.add_argument("--dry-run", action="store_true", help="Check everything, keep nothing.")

    def handle(self, *args, file, dry_run, **options):
        made = {name: options[name] for name in ("create_categories", "create_statuses")}
        requester = self.find_requester(options["requester"])
        people = People(makes_missing=options["people"])
        table = CsvTable(file, parse_map(options["map"], FIELDS))
        self.problems, self.count = [], 0
        lift_time_limits()
        try:
            with transaction.atomic(), actor.acting_as(None, source=actor.IMPORT):
                found = {"catalogue": Catalogue(**made), "people": people, "requester": requester}
                self.load(table, partial(RowForm, **found))
                if self.problems or dry_run:
                    raise Refused
        except OSError as error:
            raise CommandError(f"{file} can't be read: {error.strerror or error}.") from error
        except Problem as problem:
            self.problems.append(problem)
        except Refused:
            pass
        self.report(table, people, dry_run)

    def find_requester(self, email: str | None):
        if not email:
            return None
        person = get_user_model().objects.filter(email=email.strip().lower()).first()
        if person is None:
            raise CommandError(f"--requester: no one has the email address {email!r}.")
        return person

    def load(self, table: CsvTable, form_of: Callable[[dict[str, str]], RowForm]) -> None:
        """Reads the whole file to report every problem, but writes only until the first problem."""
        batch: list[Ticket] = []
        with tqdm(total=table.path.stat().st_size, unit="B", unit_scale=True, disable=None) as bar:
            table.on_progress = lambda done: bar.update(done - bar.n)
            for line, row in table.rows():
                if isinstance(row, Problem):
                    self.problems.append(row)
                    continue
                form = form_of(row)
                self.problems += (
                    Problem(line, name, " ".join(errors)) for name, errors in form.errors.items()
                )
                if not self.problems:
                    batch.append(form.ticket())
                    self.count += 1
                if len(batch) == BATCH:
                    self.write(batch)
        self.write(batch)

    def write(self, batch: list[Ticket]) -> None:
        Ticket.objects.bulk_load(batch, record=self.record)
        batch.clear()

    @staticmethod
    def record(tickets: list[Ticket]) -> None:
        recording.record_bulk(tickets)
        documents.build(ticket.pk for ticket in tickets)

    def report(self, table: CsvTable, people: People, dry_run: bool) -> None:
        if self.problems:
            for problem in self.problems[:SHOWN]:
                self.stderr.write(str(problem))
            if len(self.problems) > SHOWN:
                self.stderr.write(f"... and {len(self.problems) - SHOWN} more.")
            raise CommandError(f"Nothing was imported: {len(self.problems)} problems in {table.path.name}.")
        if table.unused:
            self.stdout.write(f"Columns that were not used: {', '.join(table.unused)}.")
        if people.made:
            agents = sum(person.is_staff for person in people.made)
            self.stdout.write(f"Accounts made: {len(people.made)}, of which agents: {agents}.")
        if dry_run:
            self.stdout.write(f"All is well: {self.count} tickets would be imported. Nothing was kept.")
        else:
            self.stdout.write(f"{self.count} tickets are imported.")
