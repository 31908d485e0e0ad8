import os
import socket
import subprocess
import sys

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from accounts import roles
from tickets.management.demo import build
from tickets.management.demo.people import PASSWORD, PEOPLE
from tickets.models import Ticket


class Command(BaseCommand):
    help = (
        "Prepares the helpdesk on this machine and serves it: database, roles, and once a small company with "
        "people and tickets to try it with. A second run keeps what is there."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--no-demo", action="store_true", help="No people and tickets; ask for the first administrator."
        )
        parser.add_argument("--port", type=int, default=8000, help="Where to serve. Default: 8000.")
        parser.add_argument("--no-serve", action="store_true", help="Prepare only.")

    def handle(self, *args, no_demo, port, no_serve, **options):
        if not settings.IS_LOCAL and not no_demo:
            raise CommandError(
                "The demo people have a known password: they are only made where ALLOWED_HOSTS is not set. "
                "Use --no-demo."
            )
        if not no_serve:
            self.check_port(port)
        self.stdout.write("Preparing the database ...")
        call_command("migrate", verbosity=0)
        roles.sync()
        if no_demo:
            self.ask_for_administrator()
        else:
            self.load_demo()
        if not no_serve:
            self.serve(port)

    def check_port(self, port: int) -> None:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except (OSError, OverflowError) as error:
                raise CommandError(f"Port {port} can't be used. Try another one with --port.") from error

    def ask_for_administrator(self) -> None:
        if get_user_model().objects.filter(is_superuser=True).exists():
            self.stdout.write("There is an administrator already.")
        elif sys.stdin.isatty():
            self.stdout.write("Who is the first administrator?")
            call_command("createsuperuser")
        else:
            raise CommandError(
                "There is no administrator yet, and this terminal is not interactive. Run manage.py "
                "createsuperuser."
            )

    def load_demo(self) -> None:
        if get_user_model().objects.exists() or Ticket.objects.exists():
            self.stdout.write("People and tickets are there already. They were kept.")
        else:
            self.stdout.write("Making a small company with its tickets ...")
            self.stdout.write(f"{build.load()} tickets are there to try things with.")
        self.tell_who_can_log_in()

    def tell_who_can_log_in(self) -> None:
        emails = set(get_user_model().objects.values_list("email", flat=True))
        present = [demo for demo in PEOPLE.values() if demo.email in emails]
        if not present:
            return
        self.stdout.write(f"\nWho can log in, all with the password {PASSWORD}:")
        for demo in present:
            role = "superuser" if demo.is_superuser else demo.role.label
            self.stdout.write(f"  {demo.email:<20} {role:<11} {demo.full_name}, {demo.department}")

    def serve(self, port: int) -> None:
        """Runs the server in a subprocess, so that links in emails have its port."""
        address = f"http://localhost:{port}"
        emails = (
            "are printed here" if not settings.HAS_MAIL_PROVIDER else "need a worker: manage.py run_worker"
        )
        self.stdout.write(f"\nOpen {address} in your browser. Emails {emails}. Stop with Ctrl+C.\n")
        self.stdout.flush()
        command = [sys.executable, "manage.py", "runserver", f"127.0.0.1:{port}", "--noreload"]
        environment = {**os.environ, "SITE_URL": os.environ.get("SITE_URL") or address}
        try:
            code = subprocess.call(command, cwd=settings.BASE_DIR, env=environment)  # noqa: S603 - our own
        except KeyboardInterrupt:
            code = 0
        if code:
            raise CommandError("The server has stopped.")
