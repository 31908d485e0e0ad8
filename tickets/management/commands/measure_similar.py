import json
import tempfile
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from helpdesk import env
from tickets.management import classified
from tickets.management.benchmark.processes import SETTINGS, Failed, environment, manage
from tickets.management.benchmark.scratch import scratch


class Command(BaseCommand):
    help = (
        "Measures how well similar tickets tell the category: files the first tickets of a CSV file (columns "
        "description and category; also .csv.gz) in a scratch database, and asks for the category of later "
        "ones. The scratch database is dropped at the end; the database of the helpdesk is never touched."
    )
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, help="The CSV file.")
        parser.add_argument("--filed", type=int, default=40_000, help="Default: %(default)s.")
        parser.add_argument(
            "--asked",
            type=int,
            default=500,
            help="How many of the later ones, evenly spread. Default: %(default)s.",
        )
        parser.add_argument(
            "--database",
            metavar="URL",
            help="A server on which a scratch database may be made, or sqlite://. Default: the server of "
            "DATABASE_URL.",
        )
        parser.add_argument("--step", action="store_true", help="For the process that this command starts.")

    def handle(self, *args, step, **options):
        # The step runs in a process of its own: there the database is a scratch one.
        if step and settings.SETTINGS_MODULE != SETTINGS:
            raise CommandError("--step is for the process that this command starts.")
        filed, asked = self.rows(options)
        if step:
            call_command("migrate", verbosity=0)
            classified.file(filed)
            classified.settle()
            return json.dumps(classified.measure(asked).as_dict())
        url = options["database"] or env.text("DATABASE_URL", "sqlite://")
        try:
            figures = self.in_scratch(url, options)
        except Failed as error:
            raise CommandError(str(error)) from error
        self.report(len(filed), figures)
        return None

    def rows(self, options) -> tuple[list, list]:
        """Those that are filed, and those that are asked."""
        try:
            rows = classified.read(options["file"])
        except classified.Unreadable as error:
            raise CommandError(str(error)) from error
        filed, later = rows[: options["filed"]], rows[options["filed"] :]
        if not filed or not later:
            raise CommandError(f"Of {len(rows):,} tickets none is left to ask. Lower --filed.")
        return filed, classified.spread(later, options["asked"])

    def in_scratch(self, url: str, options) -> classified.Figures:
        step = ["measure_similar", str(options["file"].resolve()), "--step"]
        step += ["--filed", str(options["filed"]), "--asked", str(options["asked"])]
        with tempfile.TemporaryDirectory(prefix="similar-") as folder:
            database = scratch(url, options["filed"], Path(folder), keep=False)
            database.create()
            try:
                printed = manage(step, environment(database.url, Path(folder)))
            finally:
                database.drop()
        return classified.Figures(**json.loads(printed))

    def report(self, filed: int, figures: classified.Figures) -> None:
        asked, suggested = figures.asked, max(figures.suggested, 1)
        self.stdout.write(
            f"With {filed:,} tickets created, the category of {asked:,} later ones is the first in "
            f"{figures.first / asked:.1%} and among the first three in {figures.first_three / asked:.1%}. "
            f"It is suggested for {figures.suggested / asked:.1%}, and right in "
            f"{figures.right / suggested:.1%} of those. To find the similar tickets of one takes "
            f"{figures.milliseconds:.1f} ms."
        )
