"""The commonest changes stay cheap. Each is made on a copy of the tree and tried there; its places are counted."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

COPIED = ("accounts", "helpdesk", "manage.py", "pytest.ini", "static", "templates", "tickets")
MADE_BY_RUNNING = {"__pycache__", "var"}
TRIED = "tickets/tests/test_door.py"
EVENTS_HOLD = "tickets/tests/rules/test_events.py"
SECONDS = 300  # on a busy machine the start of pytest alone takes many


class House:
    """A copy of the tree. Its commands run in a process and on an SQLite database of their own."""

    def __init__(self, folder: Path):
        self.folder = folder
        for name in COPIED:
            source = Path(settings.BASE_DIR, name)
            if source.is_file():
                shutil.copy(source, folder)
            else:
                shutil.copytree(source, folder / name)  # compiled modules too
        (folder / "var").mkdir()
        self.before = self._files()

    def _files(self) -> dict[str, bytes]:
        paths = (path for path in self.folder.rglob("*") if path.is_file())
        names = {path.relative_to(self.folder): path for path in paths}
        return {
            name.as_posix(): path.read_bytes()
            for name, path in names.items()
            if not MADE_BY_RUNNING & set(name.parts)
        }

    def touched(self) -> set[str]:
        """The files that are new or changed, numbers of migrations left out."""
        changed = {name for name, content in self._files().items() if self.before.get(name) != content}
        return {re.sub(r"/\d{4}_", "/", name) for name in changed - {TRIED}}

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def insert(self, name: str, *, after: str, text: str) -> None:
        old = (self.folder / name).read_text()
        assert old.count(after) == 1, f"{name} has {old.count(after)} times {after!r}"
        self.write(name, old.replace(after, after + text))

    def run(self, *command: str) -> str:
        """What `command` of Python prints. It must succeed."""
        environment = os.environ | {"DATABASE_URL": f"sqlite:///{self.folder}/var/door.sqlite3"}
        result = subprocess.run(
            [sys.executable, *command],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
        assert result.returncode == 0, result.stdout + result.stderr
        return result.stdout

    def make_migrations(self, name: str) -> None:
        self.run("manage.py", "makemigrations", "--name", name)

    def test(self, text: str, *others: str) -> None:
        self.write(TRIED, text)
        self.run("-m", "pytest", "--quiet", "-p", "no:cacheprovider", "-p", "no:playwright", TRIED, *others)


@pytest.fixture
def house(tmp_path):
    return House(tmp_path)


def test_tracked_field_is_its_declaration_its_sentence_and_its_migration(house):
    model, sentences = "tickets/models/ticket.py", "tickets/history/sentences.py"
    house.insert(model, after="    TRACKED = (\n", text='        "location",\n')
    house.insert(
        model,
        after="    objects = TicketQuerySet.as_manager()\n",
        text='    location = models.CharField(_("location"), max_length=100, blank=True, default="")\n',
    )
    house.insert(
        sentences,
        after="\nFIELDS = {\n",
        text='    "location": FieldSentence(gettext_lazy("%(actor)s moved it from “%(old)s” to “%(new)s”.")),\n',
    )
    house.make_migrations("location")
    house.test(TRACKED_FIELD, EVENTS_HOLD)
    assert house.touched() == {model, sentences, "tickets/migrations/location.py"}


TRACKED_FIELD = """
import pytest
from django.core.management import call_command

from accounts.actor import acting_as
from tickets.mail.sending.delivery import deliver_due
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db
SENTENCES = ["moved it from “” to “Room 4”.", "moved it from “Room 4” to “Room 5”.", "moved it from “Room 5” to “”."]


def test_saving_it_logs_a_sentence(mailgun, client_of, alice, ann):
    ticket = make_ticket(alice)
    for place in ("Room 4", "Room 5", ""):
        ticket.location = place
        with acting_as(ann):
            ticket.save()
    page = client_of(alice).get(ticket.get_absolute_url()).text
    deliver_due()
    emails = "".join(mail["text"] for mail in mailgun.mails if mail["to"] == alice.email)
    for sentence in SENTENCES:
        assert f"Ann Weber {sentence}" in page
        assert f"Ann Weber {sentence}" in emails
    call_command("verify_activity_log")
"""


def test_notification_is_its_event_and_its_folder_of_words(house):
    events, folder = "tickets/rules/events.py", "templates/emails/prioritized"
    house.insert(events, after='    CREATED = "created"\n', text='    PRIORITIZED = "prioritized"\n')
    house.insert(events, after="\nEVENTS = Events(\n    {\n", text=EVENT)
    house.write(f"{folder}/subject.txt", "Ticket #{{ letter.number }} is more urgent now")
    house.write(
        f"{folder}/body.txt", "{% for sentence in letter.sentences %}{{ sentence }}{% endfor %} We hurry."
    )
    house.write(f"{folder}/button.txt", "See the ticket")
    house.make_migrations("prioritized")
    house.test(NOTIFICATION, EVENTS_HOLD)
    files = {f"{folder}/{name}.txt" for name in ("subject", "body", "button")}
    assert house.touched() == {events, *files}


EVENT = """
        Verb.PRIORITIZED: Event(
            label=_("priority changed"),
            is_public=True,
            fields=("priority",),
            audiences=_all_by("statuses", Audience.REQUESTER),
            folder="prioritized",
        ),
"""
NOTIFICATION = """
import pytest
from django.core.management import call_command

from accounts.actor import acting_as
from tickets.mail.sending.delivery import deliver_due
from tickets.models import ActivityLog
from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db


def test_its_audience_gets_its_words(mailgun, client_of, alice, ann):
    ticket = make_ticket(alice)
    deliver_due()
    with acting_as(ann):
        ticket.priority = "urgent"
        ticket.save()
    deliver_due()
    receipt, mail = mailgun.mails
    assert mail["to"] == alice.email
    assert f"Ticket #{ticket.pk} is more urgent now" in mail["html"]
    sentence = "Ann Weber changed the priority from Normal to Urgent."
    assert f"{sentence} We hurry." in mail["text"]
    assert sentence in client_of(alice).get(ticket.get_absolute_url()).text
    activity = ActivityLog.objects.first()
    assert (activity.verb, activity.get_verb_display()) == ("prioritized", "priority changed")
    page = client_of(ann).get("/admin/tickets/activitylog/?verb=prioritized").text
    assert "priority changed" in page
    call_command("verify_activity_log")
"""


def test_json_list_of_own_tickets_is_a_view_and_an_address(house):
    view, urls = "tickets/views/as_json.py", "tickets/urls.py"
    permissions = "tickets/tests/house/test_permissions.py"
    house.write(view, VIEW)
    house.insert(urls, after="from tickets.views import ", text="as_json, ")
    house.insert(
        urls, after="urlpatterns = [\n", text='    path("json/", as_json.own_tickets, name="json"),\n'
    )
    row = '    "tickets:json": ("", {"get": [LOGIN] + [200] * 5, "post": [LOGIN] + [405] * 5}),\n'
    house.insert(permissions, after="\nSITE = {\n", text=row)
    rows = ("test_every_address_has_a_row", "test_site[tickets:json-get]", "test_site[tickets:json-post]")
    floors = "tickets/tests/house/test_floors.py"
    house.test(JSON_LIST, floors, *(f"{permissions}::{name}" for name in rows))
    # The third place is a test's: no address may go without a row that says who gets what.
    assert house.touched() == {view, urls, permissions}


VIEW = '''"""The person's own tickets for programs."""

from django.http import JsonResponse
from django.views.decorators.http import require_GET

from tickets.models import Ticket


@require_GET
def own_tickets(request):
    tickets = Ticket.objects.visible_to(request.user).filter(requester=request.user).newest_change_first()
    return JsonResponse({"tickets": list(tickets.values("id", "subject", "status__name")[:100])})
'''
JSON_LIST = """
import pytest
from django.test import Client

from tickets.tests.factories import make_ticket

pytestmark = pytest.mark.django_db


def test_it_lists_own_tickets_alone(client_of, alice, bob, ann):
    ticket = make_ticket(alice, subject="No sound")
    make_ticket(bob)
    row = {"id": ticket.pk, "subject": "No sound", "status__name": "Submitted"}
    assert client_of(alice).get("/tickets/json/").json() == {"tickets": [row]}
    assert client_of(ann).get("/tickets/json/").json() == {"tickets": []}
    assert Client().get("/tickets/json/").status_code == 302
"""
