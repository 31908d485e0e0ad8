from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, transaction

from accounts import actor, invitations
from accounts.importing.plan import Action, Plan, make_plan
from accounts.importing.rows import PersonRow, read
from accounts.importing.table import FIELDS, WINDOWS, PeopleTable
from accounts.importing.writing import write
from helpdesk.csv_files import Problem, parse_map

SHOWN = 20


class Command(BaseCommand):
    help = (
        "Creates and updates people from a CSV file, all of them or none. It needs a column with the email "
        "address, and may have name (or first name and last name), department, location, phone and role. New "
        "people are requesters; no one's role changes, and no one is reactivated. An empty cell changes "
        "nothing. Files of Excel, Microsoft 365 and Google Workspace can be read as they are. No emails are "
        "sent unless you ask for invitations. Lines that can't be imported are listed with the reason."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, nargs="?", help="The CSV file.")
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="FIELD=COLUMN",
            help=f"The column of a field ({', '.join(FIELDS)}), where the names differ. May be repeated.",
        )
        parser.add_argument("--skip-bad", action="store_true", help="Leave out lines that can't be imported.")
        parser.add_argument("--dry-run", action="store_true", help="Check everything, keep nothing.")
        parser.add_argument(
            "--invite",
            action="store_true",
            help="Invite the people of the file who have no password yet and were not invited before.",
        )
        parser.add_argument(
            "--invite-waiting",
            action="store_true",
            help="Without a file: invite everyone who was imported and not invited yet.",
        )

    def handle(self, *args, file, dry_run, skip_bad, invite, invite_waiting, **options):
        if bool(file) == invite_waiting:
            raise CommandError("Give a FILE, or --invite-waiting without a file.")
        if invite_waiting:
            self.invite(None, dry_run=dry_run)
            return
        table = PeopleTable(self.content(file), parse_map(options["map"], FIELDS))
        plan = self.run(file, table, keeps=not dry_run, skip_bad=skip_bad)
        self.report(table, plan, dry_run=dry_run)
        if invite:
            self.invite(plan, dry_run=dry_run)

    def content(self, file: Path) -> bytes:
        try:
            return file.read_bytes()
        except OSError as error:
            raise CommandError(f"{file} can't be read: {error.strerror or error}.") from error

    def run(self, file: Path, table: PeopleTable, *, keeps: bool, skip_bad: bool) -> Plan:
        """Plans, and writes the plan where `keeps`."""
        try:
            rows = read(table)
        except Problem as problem:
            self.refuse(file, [problem])
        try:
            with transaction.atomic(), actor.acting_as(None, source=actor.IMPORT):
                return self.plan(file, rows, keeps=keeps, skip_bad=skip_bad)
        except IntegrityError as error:
            words = "Someone created one of these people meanwhile. Nothing was imported; run it again."
            raise CommandError(words) from error

    def plan(self, file: Path, rows: list[PersonRow], *, keeps: bool, skip_bad: bool) -> Plan:
        plan = make_plan(rows, lock=keeps)
        if plan.problems and skip_bad:
            self.show(plan.problems)
        elif plan.problems:
            self.refuse(file, plan.problems)
        if keeps:
            write(plan, by=None)
        return plan

    def refuse(self, file: Path, problems: list[Problem]) -> None:
        self.show(problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        words = f"Nothing was imported: {count} in {file.name}."
        raise CommandError(words)

    def show(self, problems: list[Problem]) -> None:
        for problem in problems[:SHOWN]:
            self.stderr.write(str(problem))
        if len(problems) > SHOWN:
            self.stderr.write(f"... and {len(problems) - SHOWN} more.")

    def report(self, table: PeopleTable, plan: Plan, *, dry_run: bool) -> None:
        if table.is_guessed:
            self.stdout.write(f"The file is not UTF-8 and was read as {WINDOWS}. Check names with accents.")
        if table.unused:
            self.stdout.write(f"Columns that were not used: {', '.join(table.unused)}.")
        for remark, count in plan.remarks.items():
            self.stdout.write(f"{count} of the lines: {remark}")
        counts = plan.counts
        numbers = ", ".join(
            f"{counts[action]} {word}"
            for action, word in (
                (Action.CREATE, "created"),
                (Action.UPDATE, "updated"),
                (Action.UNCHANGED, "unchanged"),
                (Action.REFUSE, "refused"),
            )
        )
        kept = "Dry run, nothing was kept" if dry_run else "People imported"
        self.stdout.write(f"{kept}: {numbers}.")

    def invite(self, plan: Plan | None, *, dry_run: bool) -> None:
        people = plan.people if plan else None
        if dry_run:
            new = plan.counts[Action.CREATE] if plan else 0
            self.stdout.write(f"{new + invitations.count_waiting(people)} would be invited.")
            return
        count = invitations.ask_to_invite(people)
        self.stdout.write(f"{count} will be invited. The worker sends sixty invitations a minute.")
