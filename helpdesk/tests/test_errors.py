"""What people see when something breaks, and what a platform is told (THREATS 71, 109, 111)."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.test import Client, RequestFactory
from django.utils import timezone

from helpdesk.wsgi import application
from tickets.models import Notification


@pytest.fixture(params=[OperationalError, InterfaceError])
def broken_database(db, request):
    """Every query fails: the database is down, SQLite is busy for too long, or the connection has been cut."""

    def fail(execute, sql, params, many, context):
        raise request.param("the database is away")

    with connection.execute_wrapper(fail):
        yield


@pytest.fixture
def calm_client():
    return Client(raise_request_exception=False)


def test_page_without_database_is_503_and_says_when_to_come_back(
    calm_client, client_of, alice, broken_database
):
    """THREATS 109, 111."""
    response = calm_client.get("/accounts/login/")
    assert response.status_code == 200
    calm_client.cookies["sessionid"] = "x" * 32
    response = calm_client.get("/tickets/")
    assert response.status_code == 503
    assert response["Retry-After"] == "30"
    assert "<h1>" in response.content.decode()


def test_health_without_database(calm_client, broken_database):
    assert calm_client.get("/healthz").content == b"ok"
    response = calm_client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["database"] == "down"


def test_ready_tells_of_an_old_outbox_but_keeps_serving(client, db, alice):
    assert client.get("/readyz").json() == {
        "database": "ok",
        "migrations": "ok",
        "outbox": "ok",
        "mail": "ok",
        "attachments": "unknown",
        "jobs": "ok",
    }
    old = timezone.now() - timedelta(minutes=11)
    Notification.objects.create(kind="welcome", person=alice, address=alice.email, next_try_at=old)
    response = client.get("/readyz")
    assert (response.status_code, response.json()["outbox"]) == (200, "old")


@pytest.mark.django_db
def test_server_error_is_shown_without_details(calm_client, monkeypatch):
    monkeypatch.setattr("tickets.views.home.HomeView.get_context_data", lambda self: 1 / 0)
    response = calm_client.get("/")
    content = response.content.decode()
    assert response.status_code == 500
    assert "This is our fault" in content
    assert "ZeroDivisionError" not in content


@pytest.mark.django_db
@pytest.mark.parametrize(
    "headers",
    [{}, {"HTTP_ORIGIN": "https://evil.example"}, {"HTTP_ORIGIN": "null"}],
    ids=["no token", "evil origin", "null origin"],
)
def test_post_from_elsewhere_is_refused_with_our_page(headers):
    """THREATS 71."""
    client = Client(enforce_csrf_checks=True)
    response = client.post("/accounts/signup/", {"email": "x@example.com"}, **headers)
    assert response.status_code == 403
    assert "This page has expired" in response.content.decode()


def test_process_starts_and_answers_while_its_database_is_away():
    """THREATS 109, with a real process and a port where nobody listens."""
    code = (
        "import django; django.setup(); from django.test import Client;"
        "c = Client(raise_request_exception=False, SERVER_NAME='localhost');"
        "print(c.get('/healthz').status_code, c.get('/readyz').status_code);"
        "c.cookies['sessionid'] = 'x' * 32;"
        "print(c.get('/tickets/').status_code)"
    )
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "helpdesk.settings",
        "DATABASE_URL": "postgres://nobody@127.0.0.1:9/nothing",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, cwd=settings.BASE_DIR, capture_output=True, text=True
    )
    assert done.stdout.split() == ["200", "503", "503"], done.stderr[-500:]


def test_content_type_that_nobody_can_read_breaks_no_page(db):
    """I1: asked as gunicorn asks, because Django's own test client builds the request in another way."""
    answered = []
    odd = {"CONTENT_TYPE": "text/plain; x*=nosuch''y", "HTTP_HOST": "localhost"}
    environ = {**RequestFactory().get("/about/").environ, **odd}
    application(environ, lambda status, headers: answered.append(status)).close()
    assert answered == ["200 OK"]
