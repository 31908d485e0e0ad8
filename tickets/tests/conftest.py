from contextlib import contextmanager

import pytest
from django.apps import apps
from django.core.files.storage import FileSystemStorage
from django.utils import timezone

from accounts.tests.cast import alice, ann, bob, charlie, client_of, roles, root, sam
from helpdesk import clock
from tickets.files import pictures
from tickets.mail.sending import waking
from tickets.models import Attachment
from tickets.tests.directions import hebrew
from tickets.tests.mailgun import WEBHOOK_SECRET, MailgunServer
from tickets.tests.workers import start_process, start_worker

OUR_MODELS = [
    model
    for app in ("accounts", "account", "tickets")
    for model in apps.get_app_config(app).get_models(include_auto_created=True)
]
__all__ = [
    "alice",
    "ann",
    "bob",
    "charlie",
    "client_of",
    "hebrew",
    "roles",
    "root",
    "sam",
    "start_process",
    "start_worker",
]


@pytest.fixture(autouse=True)
def attachments_dir(tmp_path, monkeypatch):
    """Where this test's files go."""
    folder = tmp_path / "attachments"
    monkeypatch.setattr(Attachment._meta.get_field("file"), "storage", FileSystemStorage(folder))
    return folder


@pytest.fixture
def use_store(monkeypatch):
    """use_store(storage): where this test's files go from now on."""

    def use(storage):
        monkeypatch.setattr(Attachment._meta.get_field("file"), "storage", storage)
        return storage

    return use


@pytest.fixture(autouse=True)
def database_clock(request):
    """The database's clock stands still where Python's does (time_machine), which it can't know by itself.

    Not in a test that is marked with two_clocks: there the database is asked, as in real life.
    """
    with pytest.MonkeyPatch.context() as own:  # a test may undo those of `monkeypatch`
        if not request.node.get_closest_marker("two_clocks"):
            own.setattr(clock, "now", timezone.now)
        yield


class TimerThatNeverRings:
    """Real ones would print mail 20 seconds later, in the middle of another test's database."""

    def __init__(self, interval, function):
        self.daemon = False

    def start(self):
        pass


@pytest.fixture(autouse=True)
def no_timers(monkeypatch):
    monkeypatch.setattr(waking.threading, "Timer", TimerThatNeverRings)


@pytest.fixture(autouse=True)
def no_drawing_threads(monkeypatch):
    """They would go on drawing in the middle of another test's database."""
    monkeypatch.setattr(pictures, "draw_in_thread", lambda: None)


@pytest.fixture
def mailgun(settings):
    """A local Mailgun, and settings as they are with MAILGUN_API_KEY and MAILGUN_DOMAIN."""
    with MailgunServer() as server:
        settings.HAS_MAIL_PROVIDER = True
        settings.MAILGUN_WEBHOOK_SECRET = WEBHOOK_SECRET
        settings.EMAIL_BACKEND = "anymail.backends.mailgun.EmailBackend"
        settings.MESSAGE_ID_DOMAIN = "mg.example.com"
        settings.DEFAULT_FROM_EMAIL = "Helpdesk <help@mg.example.com>"
        settings.ANYMAIL = {
            **settings.ANYMAIL,
            "MAILGUN_API_KEY": "key",
            "MAILGUN_SENDER_DOMAIN": "mg.example.com",
            "MAILGUN_API_URL": server.url,
        }
        yield server


@pytest.fixture
def unchanged(db, attachments_dir):
    """`with unchanged():` every table, stored file and mail is afterwards as before (THREATS I2)."""

    def state():
        tables = {model: list(model._base_manager.order_by("pk").values()) for model in OUR_MODELS}
        return tables, sorted(path for path in attachments_dir.rglob("*") if path.is_file())

    @contextmanager
    def compare():
        before = state()
        yield
        assert state() == before

    return compare
