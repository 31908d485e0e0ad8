import argparse
import json
import math
import signal
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connection, transaction
from tqdm import tqdm

from accounts import roles
from helpdesk import env
from tickets.management.benchmark import measuring, report
from tickets.management.benchmark.counting import count_all
from tickets.management.benchmark.figures import Results, Setup
from tickets.management.benchmark.filling import fill_with
from tickets.management.benchmark.measuring import OpenSetup
from tickets.management.benchmark.place import Place
from tickets.management.benchmark.processes import SETTINGS, Failed, Server, environment, manage
from tickets.management.benchmark.scratch import SQLITE, Scratch, scratch
from tickets.management.benchmark.targets import SQLITE_MOST, missed
from tickets.management.benchmark.works import all_works
from tickets.models import Ticket
from tickets.notifications import outbox
from tickets.reports import daily_keeping

WORKS_MOST = 100_000  # tickets: what goes through all of them says tickets a second, and would take long


def sizes(text: str) -> list[int]:
    try:
        found = sorted({int(part) for part in text.split(",")})
    except ValueError:
        found = []
    if not found or found[0] < 200:
        raise argparse.ArgumentTypeError("give numbers of at least 200, like 1000,100000")
    return found


class Command(BaseCommand):
    help = (
        "Measures every page with few and with many tickets, beside a floor and a plain page. Fills scratch "
        "databases, which are dropped at the end; the database of the helpdesk is never touched."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument(
            "--tickets", type=sizes, default="1000,100000,1000000", help="How many. Default: %(default)s."
        )
        parser.add_argument(
            "--seconds", type=float, default=5, help="For each page and database. Default: %(default)s."
        )
        parser.add_argument(
            "--database",
            action="append",
            metavar="URL",
            help="A server on which scratch databases may be made, or sqlite://. May be given several times: "
            "then they are compared within one run. Default: the server of DATABASE_URL.",
        )
        parser.add_argument("--out", type=Path, default=Path("report.md"), help="Default: %(default)s.")
        parser.add_argument(
            "--requests", type=int, default=10_000, help="Mixed ones, to see the memory grow."
        )
        parser.add_argument(
            "--keep", action="store_true", help="Keep the scratch databases, for the next run with --keep."
        )
        parser.add_argument(
            "--assert", action="store_true", dest="is_asserted", help="Exit with 1 where a target is missed."
        )
        parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
        parser.add_argument("--mails", type=int, default=0, help=argparse.SUPPRESS)

    def handle(self, *args, step, **options):
        if step:
            # Only in processes that this command starts: there the database is a scratch one.
            if settings.SETTINGS_MODULE != SETTINGS:
                raise CommandError("--step is for the benchmark's own processes.")
            return STEPS[step](options)
        # Whoever ends it ends its servers too and has its databases dropped.
        signal.signal(signal.SIGTERM, lambda *_signal: sys.exit("Stopped."))
        urls = options["database"] or [env.text("DATABASE_URL", "sqlite://")]
        try:
            with ExitStack() as stack:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
                results, versions = self.run(stack, folder, urls, options)
        except Failed as error:
            raise CommandError(str(error)) from error
        how = f"{options['seconds']:g} s for each page and database."
        report.write(options["out"], results, versions, how)
        self.stdout.write(f"The report is in {options['out']}.")
        lines = missed(results) if options["is_asserted"] else []
        if lines:
            raise CommandError("\n".join(lines))
        return None

    def run(self, stack, folder, urls, options) -> tuple[Results, list[str]]:
        scratches, prepared = self.scratches(urls, folder, options), []
        for database in scratches:
            if not options["keep"]:
                stack.callback(database.drop)
            prepared.append(self.prepare(database, folder))
        setups = [
            self.open(stack, database, folder, known)
            for database, known in zip(scratches, prepared, strict=True)
        ]
        results = self.measure(setups, options)
        for setup in setups:
            setup.server.stop()
        few = min(database.tickets for database in scratches)
        for database in self.largest([one for one in scratches if one.tickets <= max(few, WORKS_MOST)]):
            self.stdout.write(f"Outbox, import and the rest: {database.vendor}, {database.tickets:,} tickets")
            works = all_works(database.url, folder, database.tickets, options["seconds"])
            results.works[Setup(database.vendor, database.tickets)] = works
        servers = {database.version(): database for database in scratches if database.version()}
        return results, [*report.versions(), *(f"PostgreSQL {version}" for version in servers)]

    def scratches(self, urls: list[str], folder: Path, options) -> list[Scratch]:
        if options["keep"]:
            folder = settings.VAR_DIR
        found = []
        for url in urls:
            for count in options["tickets"]:
                database = scratch(url, count, folder, keep=options["keep"])
                if database.vendor == SQLITE and count > SQLITE_MOST:
                    self.stdout.write(f"{count:,} tickets are left out on SQLite, which is for fewer.")
                else:
                    found.append(database)
        return found

    def prepare(self, database: Scratch, folder: Path) -> dict:
        """Makes and fills it; returns {"place", "counts"}."""
        if database.create():
            self.stdout.write(f"Filling {database.vendor} with {database.tickets:,} tickets ...")
        step = ["benchmark", "--step", "prepare", "--tickets", str(database.tickets)]
        return json.loads(manage(step, environment(database.url, folder), quiet=False))

    def open(self, stack: ExitStack, database: Scratch, folder: Path, prepared: dict) -> OpenSetup:
        log = folder / f"{database.vendor}-{database.tickets}.log"
        server = Server(environment(database.url, folder), log)
        stack.callback(server.stop)
        server.wait()
        setup = OpenSetup(
            Setup(database.vendor, database.tickets), server, Place(**prepared["place"]), prepared["counts"]
        )
        setup.log_in()
        return setup

    def measure(self, setups: list[OpenSetup], options) -> Results:
        cells, seconds = measuring.cells_of(setups), options["seconds"]
        self.stdout.write(f"Asking for {len(cells)} pages, {seconds:g} s each ...")
        bar = {"disable": None, "smoothing": 0}
        with tqdm(total=measuring.rounds_in(seconds), desc="Rounds", **bar) as rounds:
            measuring.measure(cells, seconds, rounds.update)
        with tqdm(total=len(cells), desc="Requests a second", **bar) as pages:
            measuring.measure_throughput(cells, seconds / 5, pages.update)
        self.stdout.write("Mixed requests, to see memory grow ...")
        results = Results()
        for setup in setups:
            own = [cell for cell in cells if cell.at is setup]
            results.figures[setup.setup] = {cell.visit.name: cell.figure() for cell in own}
        for setup in self.largest(setups, key=lambda setup: setup.setup):
            own, first = [cell for cell in cells if cell.at is setup], setup.server.memory
            with tqdm(total=options["requests"], desc="Mixed requests", **bar) as requests:
                memory = measuring.measure_memory(own, first, options["requests"], requests.update)
            results.memory[setup.setup] = memory
        return results

    @staticmethod
    def largest(found: list, key=lambda database: database) -> list:
        """The one with the most tickets of each kind of database."""
        by_vendor = {}
        for one in sorted(found, key=lambda one: key(one).tickets):
            by_vendor[key(one).vendor] = one
        return list(by_vendor.values())


# Steps: in processes of their own, on a scratch database
def prepare(options) -> str:
    (size,) = options["tickets"]
    call_command("migrate", verbosity=0)
    roles.sync()
    if not Ticket.objects.exists():
        with tqdm(total=size, unit=" tickets", disable=None) as bar:
            for count in fill_with(size):
                bar.update(count)
        daily_keeping.drop_all()
        daily_keeping.keep(seconds=math.inf)  # as the worker would
        if connection.vendor == "postgresql":  # as autovacuum would, sooner or later
            with connection.cursor() as cursor:
                cursor.execute("VACUUM ANALYZE")
    place = Place.find()
    return json.dumps({"place": asdict(place), "counts": count_all(place)})


@transaction.atomic
def queue(options) -> None:
    person = get_user_model().objects.order_by("pk").first()
    for _mail in range(options["mails"]):
        outbox.enqueue_account_mail(person, "welcome", address=person.email)


STEPS = {"prepare": prepare, "queue": queue}
